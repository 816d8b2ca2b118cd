// Stochastic gradient descent with momentum, weight decay and the sparsity penalty of Network Slimming.

import type { Graph, WeightId } from '../graph/types';
import type { MomentumVariable, Tensor } from '../runtime/primitives';
import type { Executable, TrainableWeight } from './executor';
import type { OptimizerOptions } from './types';

/** Accumulated gradients by weight: what a run needs, beside the weights, to go on. */
export type Velocities = ReadonlyMap<WeightId, Float32Array>;

interface Slot {
  readonly variable: MomentumVariable;
  /** L2 penalty of this weight. */
  readonly decay: number;
  /** L1 penalty of this weight. */
  readonly sparsity: number;
}

export class SgdOptimizer {
  private readonly slots = new Map<WeightId, Slot>();
  private readonly momentum: Tensor;

  /** Takes over the executable's trainable weights, which move with each step from then on. */
  constructor(
    private readonly executable: Executable,
    graph: Graph,
    private readonly options: OptimizerOptions,
    gammaSparsity: number,
    velocities: Velocities | null = null,
  ) {
    const { tf, primitives } = executable.backend;
    for (const [id, weight] of executable.trainable) {
      const { shape, data } = graph.weights.get(id)!;
      const variable = primitives.momentumVariable(
        shape,
        data as Float32Array,
        velocities?.get(id) ?? null,
      );
      executable.weights.replace(id, variable.value);
      this.slots.set(id, {
        variable,
        decay: isDecayed(weight) || options.decayAll ? options.weightDecay : 0,
        sparsity: weight.op === 'batchNorm' && weight.role === 'gamma' ? gammaSparsity : 0,
      });
    }
    this.momentum = tf.keep(tf.scalar(options.momentum));
  }

  /** One step down the gradients, which are disposed. Weights without a gradient stay as they are. */
  step(gradients: ReadonlyMap<WeightId, Tensor>, learningRate: number): void {
    const { tf } = this.executable.backend;
    const rate = tf.scalar(learningRate);
    for (const [id, gradient] of gradients) {
      const slot = this.slots.get(id)!;
      const penalised = this.withPenalties(gradient, slot);
      slot.variable.update(penalised, rate, this.momentum, this.options.nesterov);
      this.executable.weights.replace(id, slot.variable.value);
      tf.dispose([gradient, penalised]);
    }
    rate.dispose();
  }

  velocities(): Velocities {
    return new Map(Array.from(this.slots, ([id, { variable }]) => [id, variable.velocity()]));
  }

  dispose(): void {
    for (const { variable } of this.slots.values()) variable.dispose();
    this.momentum.dispose();
  }

  /** gradient + decay * w + sparsity * sign(w): gradients of decay / 2 * |w|^2 and of sparsity * |w|. */
  private withPenalties(gradient: Tensor, { variable, decay, sparsity }: Slot): Tensor {
    if (decay === 0 && sparsity === 0) return gradient;
    const { tf } = this.executable.backend;
    return tf.tidy(() => {
      const decayed = decay === 0 ? gradient : tf.add(gradient, tf.mul(variable.value, decay));
      if (sparsity === 0) return decayed;
      return tf.add(decayed, tf.mul(tf.sign(variable.value), sparsity));
    });
  }
}

/** Kernels only: decaying a normalisation or a bias moves the function, not its complexity. */
function isDecayed({ role }: TrainableWeight): boolean {
  return role === 'kernel';
}
