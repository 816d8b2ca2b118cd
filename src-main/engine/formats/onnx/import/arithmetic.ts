// Arithmetic between tensors. ONNX broadcasts like NumPy from the last axis, all axes with the batch counted; here the
// operands are brought to one order of axes first, so that the same values meet.

import { sizeOf } from '../../../graph/ops/check';
import type { OpAttrs, Shape, TensorId } from '../../../graph/types';
import {
  alike,
  groupSize,
  groupsOf,
  layoutInOrder,
  sameGroups,
  shapeOf,
  type Group,
  type Layout,
} from '../layout';
import type { Constant } from '../tensor';
import { notFinite, sampleShapeOf, storeConstant, type StoredConstant } from './stored-operand';
import { activationValue, type Activation, type ImportNode, type NodeCall } from './types';

type ArithmeticOp = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'average';

/** Numbers of a rescale are attributes: more than any real layer has channels are stored as a tensor instead. */
const maxRescaleNumbers = 16_384;

type Operand =
  | { readonly kind: 'activation'; readonly activation: Activation }
  /** `shape` has all axes of the sample. */
  | { readonly kind: 'constant'; readonly constant: Constant; readonly shape: Shape };

function operandsOf(call: NodeCall): readonly Operand[] {
  const values = Array.from({ length: call.inputCount }, (_, i) => call.value(i));
  const ranks = new Set(
    values.flatMap((value) =>
      value.kind === 'activation' ? [value.activation.layout.logical.length] : [],
    ),
  );
  if (ranks.size > 1) {
    throw call.unsupported(
      'its operands have different numbers of axes, so that one meets the batch axis of another',
    );
  }
  const rank = [...ranks][0] ?? 0;
  return values.map((value): Operand => {
    if (value.kind === 'activation') return value;
    if (value.kind === 'sequence') throw call.unsupported('it computes with a list of tensors');
    const { constant } = value;
    const shape = sampleShapeOf(call, constant, rank);
    return { kind: 'constant', constant, shape };
  });
}

/** The axes of the result: of each, those of an operand that is not 1 there. */
function resultGroups(
  call: NodeCall,
  operands: readonly Operand[],
  rank: number,
): readonly Group[] {
  const shapes = operands.map((operand) =>
    operand.kind === 'activation' ? shapeOf(operand.activation.layout.logical) : operand.shape,
  );
  return Array.from({ length: rank }, (_, axis) => {
    let result: Group = [];
    operands.forEach((operand, i) => {
      const size = shapes[i]![axis]!;
      if (size === 1) return;
      if (result.length > 0 && groupSize(result) !== size) {
        throw call.corrupt(
          `its operands ${shapes.map((s) => `[${s.join(', ')}]`).join(' and ')} do not broadcast`,
        );
      }
      if (result.length > 0) return;
      result =
        operand.kind === 'activation'
          ? operand.activation.layout.logical[axis]!
          : groupsOf([size])[0]!;
    });
    return result;
  });
}

interface Arranged {
  readonly layout: Layout;
  /** The tensors of the activations, in the order of the operands; null for constants. */
  readonly tensors: readonly (TensorId | null)[];
}

/** Brings all operands to one order of axes. */
function arrange(call: NodeCall, operands: readonly Operand[]): Arranged {
  const activations = operands.flatMap((operand) =>
    operand.kind === 'activation' ? [operand.activation] : [],
  );
  const [first] = activations as [Activation, ...Activation[]];
  const rank = first.layout.logical.length;
  const logical = resultGroups(call, operands, rank);
  const keepsShape = logical.every(
    (group, axis) => groupSize(group) === groupSize(first.layout.logical[axis]!),
  );
  if (keepsShape && activations.every(({ layout }) => alike(layout, first.layout))) {
    const tensors = operands.map((operand) =>
      operand.kind === 'activation' ? operand.activation.tensor : null,
    );
    return { layout: first.layout, tensors };
  }
  const largest = activations.reduce((a, b) => (sizeOfActivation(b) > sizeOfActivation(a) ? b : a));
  const { order } = call.aligned(largest);
  const tensors = operands.map((operand) =>
    operand.kind === 'activation' ? inOrder(call, operand.activation, order) : null,
  );
  return { layout: layoutInOrder(logical, order), tensors };
}

/** As `NodeCall.inOrder`, but axes of 1 in front may be missing: the graph's arithmetic aligns at the last axis. */
function inOrder(call: NodeCall, activation: Activation, order: readonly number[]): TensorId {
  const { logical, stored } = activation.layout;
  const groups = order.map((axis) => logical[axis]!);
  const first = groups.findIndex((group) => group.length > 0);
  const isShort = first > 0 && sameGroups(groups.slice(first), stored);
  return isShort ? activation.tensor : call.inOrder(activation, order).tensor;
}

function sizeOfActivation({ layout }: Activation): number {
  return sizeOf(shapeOf(layout.logical));
}

/** Numbers for all channels or one each, where a constant is no more than that. */
function perChannel({ shape, data }: StoredConstant): readonly number[] | null {
  const single = shape.slice(0, -1).every((size) => size === 1);
  return single && data.length <= maxRescaleNumbers ? [...data] : null;
}

function rescaled(
  op: ArithmeticOp,
  numbers: readonly number[],
  constantFirst: boolean,
): OpAttrs['rescale'] | null {
  const negative = numbers.map((value) => -value);
  switch (op) {
    case 'add':
      return { scale: [1], offset: numbers };
    case 'sub':
      return constantFirst ? { scale: [-1], offset: numbers } : { scale: [1], offset: negative };
    case 'mul':
      return { scale: numbers, offset: [0] };
    case 'div':
      return constantFirst ? null : { scale: numbers.map((value) => 1 / value), offset: [0] };
    case 'max':
    case 'min':
    case 'average':
      return null;
  }
}

function arithmetic(op: ArithmeticOp): ImportNode {
  return (call) => {
    if (call.inputCount === 0) throw call.corrupt('it has no input');
    const operands = operandsOf(call);
    if (operands.every(({ kind }) => kind === 'constant')) {
      throw call.unsupported('all that it computes with is stored');
    }
    if (operands.length === 1) return [call.value(0)];
    const { layout, tensors } = arrange(call, operands);
    const constants = operands.map((operand) =>
      operand.kind === 'constant'
        ? storeConstant(call, operand.constant, operand.shape, layout)
        : null,
    );
    const affine = affineOf(call, op, constants, layout);
    if (affine !== null) {
      const input = tensors.find((tensor) => tensor !== null)!;
      return [activationValue(call.add('rescale', [input], affine), layout)];
    }
    const inputs = tensors.map((tensor, i): TensorId => {
      if (tensor !== null) return tensor;
      const { shape, data } = constants[i]!;
      const value = { shape, dtype: 'float32', data } as const;
      return call.add('constant', [], {}, { suffix: 'value', weights: { value } });
    });
    return [activationValue(call.add(op, inputs, {}), layout)];
  };
}

/** Scale and offset that stand for an activation and one constant, where the result has the activation's shape. */
function affineOf(
  call: NodeCall,
  op: ArithmeticOp,
  constants: readonly (StoredConstant | null)[],
  layout: Layout,
): OpAttrs['rescale'] | null {
  const [a, b] = constants;
  if (constants.length !== 2 || layout.stored.length === 0) return null;
  const constant = a ?? b ?? null;
  const numbers = constant === null ? null : perChannel(constant);
  if (numbers === null) return null;
  const activation = call.activation(a ? 1 : 0);
  const grows = shapeOf(activation.layout.logical).join() !== shapeOf(layout.logical).join();
  const affine = grows ? null : rescaled(op, numbers, Boolean(a));
  const bad =
    affine && [...affine.scale, ...affine.offset].find((value) => !Number.isFinite(value));
  if (bad !== null && bad !== undefined) throw notFinite(call, bad);
  return affine;
}

export const add: ImportNode = arithmetic('add');
export const sub: ImportNode = arithmetic('sub');
export const mul: ImportNode = arithmetic('mul');
export const div: ImportNode = arithmetic('div');
export const max: ImportNode = arithmetic('max');
export const min: ImportNode = arithmetic('min');
export const mean: ImportNode = arithmetic('average');
