// A forward pass that remembers its way, and the way back: gradients of the trainable weights.

import type { TensorContainer } from '@tensorflow/tfjs-core';
import type { TensorId, WeightId, WeightRole } from '../../graph/types';
import type { Tensor, TensorFlow } from '../../runtime/primitives';
import type { LiveTensors } from './live-tensors';
import type { NodeContext } from './node-context';
import { trainableWeights, type Step } from './steps';
import type { KernelGradients } from './types';

export interface StepRecord {
  readonly step: Step;
  readonly context: NodeContext;
  /** Disposed unless kept: then only their shapes can be read. */
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

export class RecordedPass {
  constructor(
    private readonly tf: TensorFlow,
    private readonly records: readonly StepRecord[],
    private readonly live: LiveTensors,
    private readonly outputIds: readonly TensorId[],
    readonly outputs: readonly Tensor[],
  ) {}

  /**
   * Gradients of sum(outputs * outputGradients) with respect to the trainable weights that it depends on; the
   * caller disposes them. A pass flows back once: what it kept is freed on the way.
   */
  backward(outputGradients: readonly Tensor[]): Map<WeightId, Tensor> {
    const { tf } = this;
    const flowing = new GradientSums<TensorId>(tf);
    const weights = new GradientSums<WeightId>(tf);
    this.outputIds.forEach((id, i) => flowing.add(id, tf.clone(outputGradients[i]!)));
    for (const record of [...this.records].reverse()) {
      const { node } = record.step;
      const dys = node.outputs.map((id) => flowing.take(id));
      if (record.step.carriesGradient && dys.some((dy) => dy !== null)) {
        const gradients = tidily(tf, () => nodeGradients(tf, record, dys));
        node.inputs.forEach((id, i) => flowing.add(id, gradients.inputs[i] ?? null));
        for (const [role, gradient] of Object.entries(gradients.weights ?? {})) {
          weights.add(node.weights[role as WeightRole]!, gradient);
        }
      }
      tf.dispose(dys.filter((dy) => dy !== null));
      this.free(record);
    }
    flowing.dispose();
    return weights.result;
  }

  /** Frees what was kept for a way back that will not be taken. */
  dispose(): void {
    for (const { context } of this.records) this.tf.dispose(context.saved);
    this.live.clear();
  }

  private free({ step, context }: StepRecord): void {
    this.tf.dispose(context.saved);
    for (const id of step.kept) this.live.release(id);
  }
}

/** Sums of gradients by id. */
class GradientSums<Id extends string> {
  readonly result = new Map<Id, Tensor>();

  constructor(private readonly tf: TensorFlow) {}

  /** Takes over a gradient and adds it to what is there. */
  add(id: Id, gradient: Tensor | null): void {
    if (gradient === null) return;
    const earlier = this.result.get(id);
    this.result.set(id, earlier === undefined ? gradient : this.tf.add(earlier, gradient));
    if (earlier !== undefined) this.tf.dispose([earlier, gradient]);
  }

  take(id: Id): Tensor | null {
    const gradient = this.result.get(id) ?? null;
    this.result.delete(id);
    return gradient;
  }

  dispose(): void {
    this.tf.dispose([...this.result.values()]);
  }
}

/** tf.tidy for a result that may hold nulls, which its types do not know. */
function tidily(tf: TensorFlow, compute: () => KernelGradients): KernelGradients {
  return tf.tidy(compute as unknown as () => TensorContainer) as unknown as KernelGradients;
}

function nodeGradients(
  tf: TensorFlow,
  record: StepRecord,
  dys: readonly (Tensor | null)[],
): KernelGradients {
  const { step, context, inputs, outputs } = record;
  const { node, kernel, wanted } = step;
  if (kernel.backward === undefined) return differentiate(tf, record, dys);
  const { saved } = context;
  return kernel.backward(node, { inputs, outputs, dys, dy: dys[0]!, saved, wanted }, context);
}

/** Gradients of a kernel by tfjs's own tape: computes the node again on the inputs that were kept. */
function differentiate(
  tf: TensorFlow,
  { step, context, inputs }: StepRecord,
  dys: readonly (Tensor | null)[],
): KernelGradients {
  const { node, kernel } = step;
  // A tensor that enters twice is one variable: its gradient goes to the first place.
  const wanted = inputs.map((input, i) => step.wanted[i]! && inputs.indexOf(input) === i);
  const weights = trainableWeights(node);
  const variables = [
    ...inputs.filter((_, i) => wanted[i]),
    ...weights.map(([role]) => context.weight(role)!),
  ];
  // The gradient of sum(output * dy) is the gradient that dy brings.
  const weightedSum = (): Tensor => {
    const result = kernel.forward(node, inputs, context);
    const outputs = (Array.isArray(result) ? result : [result]) as Tensor[];
    const terms = outputs.flatMap((output, i) => {
      const dy = dys[i];
      return dy ? [tf.sum(tf.mul(output, dy))] : [];
    });
    return terms.reduce((a, b) => tf.add(a, b));
  };
  const gradients = tf.grads(weightedSum)(variables);
  const ofInputs = wanted.map((isWanted) => (isWanted ? gradients.shift()! : null));
  const ofWeights = weights.map(([role], i) => [role, gradients[i]!] as const);
  return { inputs: ofInputs, weights: Object.fromEntries(ofWeights) };
}
