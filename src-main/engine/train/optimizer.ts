// From gradients to steps: weight decay, the sparsity penalty of Network Slimming, and a rule that moves a weight.

import type { Graph, WeightId } from '../graph/types';
import type { Tensor, TrainedVariable } from '../runtime/primitives';
import type { Executable, TrainableWeight } from './executor';
import type { OptimizerOptions } from './types';
import { adamRule, sgdRule, type UpdateRule } from './update-rules';

/** What a run needs, beside the weights, to go on. */
export interface OptimizerState {
  /** Steps taken. */
  readonly steps: number;
  /** What is accumulated of each weight: v of momentum; m and v of Adam. */
  readonly slots: ReadonlyMap<WeightId, readonly Float32Array[]>;
}

interface Slot<V extends TrainedVariable> {
  readonly variable: V;
  /** Weight decay of this weight. */
  readonly decay: number;
  /** L1 penalty of this weight. */
  readonly sparsity: number;
}

export type Optimizer = Pick<RuledOptimizer<TrainedVariable>, 'step' | 'state' | 'dispose'>;

/**
 * Makes the optimizer that the options ask for; it goes on from `state` where there is one. It takes over the
 * executable's trainable weights, which move with each step from then on.
 */
export function createOptimizer(
  executable: Executable,
  graph: Graph,
  options: OptimizerOptions,
  gammaSparsity: number,
  state: OptimizerState | null = null,
): Optimizer {
  const rest = [executable, graph, options, gammaSparsity, state] as const;
  return options.kind === 'sgd'
    ? new RuledOptimizer(sgdRule(executable.backend, options), ...rest)
    : new RuledOptimizer(adamRule(executable.backend, options), ...rest);
}

class RuledOptimizer<V extends TrainedVariable> {
  private readonly slots = new Map<WeightId, Slot<V>>();
  private steps: number;

  constructor(
    private readonly rule: UpdateRule<V>,
    private readonly executable: Executable,
    graph: Graph,
    { weightDecay, decayAll }: OptimizerOptions,
    gammaSparsity: number,
    state: OptimizerState | null,
  ) {
    this.steps = state?.steps ?? 0;
    for (const [id, weight] of executable.trainable) {
      const { shape, data } = graph.weights.get(id)!;
      const variable = rule.variable(shape, data as Float32Array, state?.slots.get(id) ?? null);
      executable.weights.replace(id, variable.value);
      this.slots.set(id, {
        variable,
        decay: isDecayed(weight) || decayAll ? weightDecay : 0,
        sparsity: weight.op === 'batchNorm' && weight.role === 'gamma' ? gammaSparsity : 0,
      });
    }
  }

  /** One step down the gradients, which are disposed. Weights without a gradient stay as they are. */
  step(gradients: ReadonlyMap<WeightId, Tensor>, learningRate: number): void {
    const { tf } = this.executable.backend;
    this.steps += 1;
    const { update, scalars } = this.rule.step(learningRate, this.steps);
    for (const [id, gradient] of gradients) {
      const slot = this.slots.get(id)!;
      const penalised = this.withPenalties(gradient, slot);
      update(slot.variable, penalised, slot.decay);
      this.executable.weights.replace(id, slot.variable.value);
      tf.dispose([gradient, penalised]);
    }
    tf.dispose([...scalars]);
  }

  async state(): Promise<OptimizerState> {
    const slots = await Promise.all(
      Array.from(this.slots, async ([id, { variable }]) => [id, await variable.slots()] as const),
    );
    return { steps: this.steps, slots: new Map(slots) };
  }

  dispose(): void {
    for (const { variable } of this.slots.values()) variable.dispose();
  }

  /** gradient + decay * w + sparsity * sign(w): gradients of decay / 2 * |w|^2 and of sparsity * |w|. */
  private withPenalties(gradient: Tensor, { variable, decay, sparsity }: Slot<V>): Tensor {
    const penalty = this.rule.decaysInGradient ? decay : 0;
    if (penalty === 0 && sparsity === 0) return gradient;
    const { tf } = this.executable.backend;
    return tf.tidy(() => {
      const decayed = penalty === 0 ? gradient : tf.add(gradient, tf.mul(variable.value, penalty));
      if (sparsity === 0) return decayed;
      return tf.add(decayed, tf.mul(tf.sign(variable.value), sparsity));
    });
  }
}

/** Kernels only: decaying a normalisation or a bias moves the function, not its complexity. */
function isDecayed({ role }: TrainableWeight): boolean {
  return role === 'kernel';
}
