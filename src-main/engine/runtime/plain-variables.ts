// Trained variables in plain tfjs ops: a new tensor takes the place of the old one with each update.

import type {
  AdamStep,
  AdamVariable,
  MomentumVariable,
  Tensor,
  TensorFlow,
  TrainedVariable,
} from './primitives';

abstract class PlainVariable implements TrainedVariable {
  value: Tensor;
  protected accumulated: readonly Tensor[];

  constructor(
    protected readonly tf: TensorFlow,
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[],
  ) {
    // tfjs may keep the array it is given: copies, so that the caller's numbers stay what they are.
    const kept = (values: Float32Array): Tensor => tf.keep(tf.tensor(values.slice(), [...shape]));
    this.value = kept(value);
    this.accumulated = slots.map(kept);
  }

  slots(): Promise<readonly Float32Array[]> {
    return Promise.all(this.accumulated.map((tensor) => tensor.data<'float32'>()));
  }

  dispose(): void {
    this.tf.dispose([this.value, ...this.accumulated]);
  }

  /** Replaces the value and what is accumulated by what `compute` gives, in this order. */
  protected replace(compute: () => Tensor[]): void {
    const [value, ...accumulated] = this.tf.tidy(compute);
    this.dispose();
    this.value = this.tf.keep(value!);
    this.accumulated = accumulated.map((tensor) => this.tf.keep(tensor));
  }
}

export class PlainMomentum extends PlainVariable implements MomentumVariable {
  constructor(
    tf: TensorFlow,
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[] | null,
  ) {
    super(tf, shape, value, slots ?? [new Float32Array(value.length)]);
  }

  update(gradient: Tensor, rate: Tensor, momentum: Tensor, nesterov: boolean): void {
    const { tf } = this;
    this.replace(() => {
      const v = tf.add(tf.mul(this.accumulated[0]!, momentum), gradient);
      const direction = nesterov ? tf.add(tf.mul(v, momentum), gradient) : v;
      return [tf.sub(this.value, tf.mul(direction, rate)), v];
    });
  }
}

export class PlainAdam extends PlainVariable implements AdamVariable {
  constructor(
    tf: TensorFlow,
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[] | null,
  ) {
    const zeros = (): Float32Array => new Float32Array(value.length);
    super(tf, shape, value, slots ?? [zeros(), zeros()]);
  }

  update(gradient: Tensor, { rate, epsilon, beta1, beta2 }: AdamStep, kept: Tensor | null): void {
    const { tf } = this;
    this.replace(() => {
      const [oldM, oldV] = this.accumulated as [Tensor, Tensor];
      const towards = (old: Tensor, now: Tensor, beta: Tensor): Tensor =>
        tf.add(old, tf.mul(tf.sub(now, old), tf.sub(1, beta)));
      const m = towards(oldM, gradient, beta1);
      const v = towards(oldV, tf.square(gradient), beta2);
      const value = kept === null ? this.value : tf.mul(this.value, kept);
      const move = tf.div(tf.mul(m, rate), tf.add(tf.sqrt(v), epsilon));
      return [tf.sub(value, move), m, v];
    });
  }
}
