// Trained variables as TensorFlow's resource variables, updated in place by one op.

import type { TFEOpAttr } from '@tensorflow/tfjs-node/dist/tfjs_binding';
import type { NativeOps } from './native-ops';
import type {
  AdamStep,
  AdamVariable,
  MomentumVariable,
  Tensor,
  TensorFlow,
  TrainedVariable,
} from './primitives';

/** The name by which TensorFlow gives each variable one of its own (core/framework/resource_handle.h). */
const anonymous = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

abstract class NativeVariable implements TrainedVariable {
  value: Tensor;
  protected readonly variable: Tensor;
  protected readonly accumulated: readonly Tensor[];
  protected readonly dtype: TFEOpAttr;
  protected readonly unlocked: TFEOpAttr;

  constructor(
    protected readonly tf: TensorFlow,
    protected readonly ops: NativeOps,
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[],
  ) {
    this.dtype = ops.type('dtype', 'float32');
    this.unlocked = ops.boolean('use_locking', false);
    this.variable = this.create(shape, value);
    this.accumulated = slots.map((values) => this.create(shape, values));
    this.value = this.read(this.variable);
  }

  slots(): Promise<readonly Float32Array[]> {
    return Promise.all(
      this.accumulated.map(async (handle) => {
        const tensor = this.read(handle);
        const values = await tensor.data<'float32'>();
        tensor.dispose();
        return values;
      }),
    );
  }

  dispose(): void {
    this.value.dispose();
    for (const handle of [this.variable, ...this.accumulated]) {
      this.ops.run(
        'DestroyResourceOp',
        [this.ops.boolean('ignore_lookup_error', true)],
        [handle],
        0,
      );
      handle.dispose();
    }
  }

  /** Changes the variable by `change`. */
  protected changing(change: () => void): void {
    // TensorFlow writes in place only while nobody else holds the variable's memory.
    this.value.dispose();
    change();
    this.value = this.read(this.variable);
  }

  private create(shape: readonly number[], values: Float32Array): Tensor {
    const attrs = [
      this.dtype,
      this.ops.shape('shape', [...shape]),
      this.ops.string('shared_name', anonymous),
      this.ops.string('container', ''),
    ];
    const handle = this.tf.keep(this.ops.run1('VarHandleOp', attrs, []));
    const initial = this.tf.tensor(values.slice(), [...shape]);
    this.ops.run('AssignVariableOp', [this.dtype], [handle, initial], 0);
    initial.dispose();
    return handle;
  }

  private read(handle: Tensor): Tensor {
    return this.tf.keep(this.ops.run1('ReadVariableOp', [this.dtype], [handle]));
  }
}

export class NativeMomentum extends NativeVariable implements MomentumVariable {
  constructor(
    tf: TensorFlow,
    ops: NativeOps,
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[] | null,
  ) {
    super(tf, ops, shape, value, slots ?? [new Float32Array(value.length)]);
  }

  update(gradient: Tensor, rate: Tensor, momentum: Tensor, nesterov: boolean): void {
    const attrs = [this.ops.float, this.unlocked, this.ops.boolean('use_nesterov', nesterov)];
    const inputs = [this.variable, ...this.accumulated, rate, gradient, momentum];
    this.changing(() => this.ops.run('ResourceApplyMomentum', attrs, inputs, 0));
  }
}

export class NativeAdam extends NativeVariable implements AdamVariable {
  constructor(
    tf: TensorFlow,
    ops: NativeOps,
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[] | null,
  ) {
    const zeros = (): Float32Array => new Float32Array(value.length);
    super(tf, ops, shape, value, slots ?? [zeros(), zeros()]);
  }

  update(gradient: Tensor, { rate, epsilon, beta1, beta2 }: AdamStep, kept: Tensor | null): void {
    const { tf, ops } = this;
    if (kept !== null) {
      const decayed = tf.mul(this.value, kept);
      this.changing(() => ops.run('AssignVariableOp', [this.dtype], [this.variable, decayed], 0));
      decayed.dispose();
    }
    const attrs = [ops.float, this.unlocked, ops.boolean('use_nesterov', false)];
    // The kernel's own correction of the bias is switched off by powers of 0: it is in the rate.
    const none = tf.scalar(0);
    const scalars = [none, none, rate, beta1, beta2, epsilon];
    const inputs = [this.variable, ...this.accumulated, ...scalars, gradient];
    this.changing(() => ops.run('ResourceApplyAdam', attrs, inputs, 0));
    none.dispose();
  }
}
