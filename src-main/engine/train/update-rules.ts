// How a gradient moves a weight: SGD with momentum, Adam, AdamW.

import type { Backend } from '../runtime/backend';
import type {
  AdamStep,
  AdamVariable,
  MomentumVariable,
  Tensor,
  TrainedVariable,
} from '../runtime/primitives';
import type { AdamOptions, SgdOptions } from './types';

export interface UpdateRule<V extends TrainedVariable> {
  /** Whether weight decay is an L2 penalty, added to the gradient; else `update` does it. */
  readonly decaysInGradient: boolean;
  variable(shape: readonly number[], value: Float32Array, slots: readonly Float32Array[] | null): V;
  /** What step `number` (from 1) does to each variable, and the tensors that it does it with. */
  step(
    learningRate: number,
    number: number,
  ): {
    readonly update: (variable: V, gradient: Tensor, decay: number) => void;
    readonly scalars: readonly Tensor[];
  };
}

export function sgdRule(
  { tf, primitives }: Backend,
  options: SgdOptions,
): UpdateRule<MomentumVariable> {
  return {
    decaysInGradient: true,
    variable: (...args) => primitives.momentumVariable(...args),
    step: (learningRate) => {
      const rate = tf.scalar(learningRate);
      const momentum = tf.scalar(options.momentum);
      return {
        update: (variable, gradient) => variable.update(gradient, rate, momentum, options.nesterov),
        scalars: [rate, momentum],
      };
    },
  };
}

/**
 * As in PyTorch: m / (1 - beta1^t) over sqrt(v / (1 - beta2^t)) + epsilon, here with the corrections moved into
 * the rate and epsilon. AdamW shrinks the weight by rate * decay first.
 */
export function adamRule(
  { tf, primitives }: Backend,
  options: AdamOptions,
): UpdateRule<AdamVariable> {
  const { beta1, beta2, epsilon, weightDecay } = options;
  const isDecoupled = options.kind === 'adamw';
  return {
    decaysInGradient: !isDecoupled,
    variable: (...args) => primitives.adamVariable(...args),
    step: (learningRate, number) => {
      const root = Math.sqrt(1 - beta2 ** number);
      const step: AdamStep = {
        rate: tf.scalar((learningRate * root) / (1 - beta1 ** number)),
        epsilon: tf.scalar(epsilon * root),
        beta1: tf.scalar(beta1),
        beta2: tf.scalar(beta2),
      };
      const kept = tf.scalar(1 - learningRate * weightDecay);
      return {
        update: (variable, gradient, decay) =>
          variable.update(gradient, step, isDecoupled && decay > 0 ? kept : null),
        scalars: [step.rate, step.epsilon, step.beta1, step.beta2, kept],
      };
    },
  };
}
