// A graph made ready to run: forwards, or forwards and recorded so that gradients can flow back.
//
// Gradients flow over the graph's nodes, not over a tape of tfjs ops: each tensor is freed as soon as its last
// reader is through, on the way back too, and only what a gradient reads is kept.

import type { Graph, Op, TensorId, WeightId, WeightRole } from '../../graph/types';
import type { Backend } from '../../runtime/backend';
import type { Tensor } from '../../runtime/primitives';
import { foldBatchNorms } from './folding';
import { repeatForBatch } from './kernels/shapes';
import { LiveTensors } from './live-tensors';
import { NodeContext } from './node-context';
import { RecordedPass, type StepRecord } from './recorded-pass';
import { countUses, makeSteps, trainableWeights, type Step } from './steps';
import type { PassOptions } from './types';
import { WeightTensors } from './weight-tensors';

/** What a weight is that training changes. */
export interface TrainableWeight {
  readonly op: Op;
  readonly role: WeightRole;
}

/** Running statistics, no dropout. */
export const inference: PassOptions = { batchStatistics: false, momentum: null, dropout: null };

/**
 * Compiles a graph for a backend. `outputs` are the tensors to compute, the graph's outputs unless given; nodes
 * that none of them needs are left out. The weights go to the backend and stay there until `dispose`.
 * @throws AppError GRAPH_INVALID when shapes do not fit
 */
export function compile(
  graph: Graph,
  backend: Backend,
  outputs: readonly TensorId[] = graph.outputs.map(({ tensor }) => tensor),
): Executable {
  return new Executable(graph, backend, outputs);
}

export class Executable {
  readonly weights: WeightTensors;
  /** Weights that gradients are computed of. */
  readonly trainable: ReadonlyMap<WeightId, TrainableWeight>;
  private readonly steps: readonly Step[];
  /** The same with what can be taken together, for passes without gradients and batch statistics. */
  private readonly inferenceSteps: readonly Step[];
  /** Readers of each tensor: nodes and the caller; and, in a recorded pass, gradients. */
  private readonly readers: ReadonlyMap<TensorId, number>;
  private readonly recordedReaders: ReadonlyMap<TensorId, number>;

  constructor(
    private readonly graph: Graph,
    readonly backend: Backend,
    private readonly outputs: readonly TensorId[],
  ) {
    this.steps = makeSteps(graph, outputs);
    const reads = [...this.steps.map(({ node }) => node.inputs), outputs];
    this.readers = countUses(reads);
    this.inferenceSteps = foldBatchNorms(this.steps, this.readers);
    this.recordedReaders = countUses([...reads, ...this.steps.map(({ kept }) => kept)]);
    this.trainable = new Map(
      this.steps.flatMap(({ node }) =>
        trainableWeights(node).map(([role, id]) => [id, { op: node.op, role }]),
      ),
    );
    this.weights = new WeightTensors(backend.tf, graph);
  }

  /** Runs forwards. Inputs [N, ...sample] stay the caller's, who also disposes the outputs. */
  run(inputs: readonly Tensor[], options: PassOptions = inference): Tensor[] {
    const live = this.start(inputs, this.readers);
    try {
      for (const step of options.batchStatistics ? this.steps : this.inferenceSteps) {
        this.runStep(step, live, this.readers, this.contextOf(step, options, false));
      }
      return this.takeOutputs(live, inputs);
    } finally {
      live.clear();
    }
  }

  /** Runs forwards and keeps what gradients need. The caller disposes the outputs and the pass. */
  record(inputs: readonly Tensor[], options: PassOptions): RecordedPass {
    const live = this.start(inputs, this.recordedReaders);
    try {
      const records = this.steps.map((step): StepRecord => {
        const context = this.contextOf(step, options, step.carriesGradient);
        return { step, context, ...this.runStep(step, live, this.recordedReaders, context) };
      });
      const outputs = this.takeOutputs(live, inputs);
      return new RecordedPass(this.backend.tf, records, live, this.outputs, outputs);
    } catch (error) {
      live.clear();
      throw error;
    }
  }

  /** Frees the weights. */
  dispose(): void {
    this.weights.dispose();
  }

  private contextOf(step: Step, options: PassOptions, recording: boolean): NodeContext {
    return new NodeContext(this.backend, step, this.weights, options, recording);
  }

  private start(inputs: readonly Tensor[], readers: ReadonlyMap<TensorId, number>): LiveTensors {
    const live = new LiveTensors();
    this.graph.inputs.forEach(({ tensor }, i) => {
      live.put(tensor, this.backend.tf.clone(inputs[i]!), readers.get(tensor) ?? 0);
    });
    return live;
  }

  private runStep(
    { node, kernel }: Step,
    live: LiveTensors,
    readers: ReadonlyMap<TensorId, number>,
    context: NodeContext,
  ): Pick<StepRecord, 'inputs' | 'outputs'> {
    const inputs = node.inputs.map((tensor) => live.get(tensor));
    const outputs = this.backend.tf.tidy(() => {
      const result = kernel.forward(node, inputs, context);
      return (Array.isArray(result) ? result : [result]) as Tensor[];
    });
    node.outputs.forEach((tensor, i) => live.put(tensor, outputs[i]!, readers.get(tensor) ?? 0));
    for (const tensor of node.inputs) live.release(tensor);
    return { inputs, outputs };
  }

  private takeOutputs(live: LiveTensors, inputs: readonly Tensor[]): Tensor[] {
    const { tf } = this.backend;
    const batch = inputs[0]!.shape[0]!;
    return this.outputs.map((id) => {
      const output = tf.tidy(() => tf.clone(repeatForBatch(tf, live.get(id), batch)));
      live.release(id);
      return output;
    });
  }
}
