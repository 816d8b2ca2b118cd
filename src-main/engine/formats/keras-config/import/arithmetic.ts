// Arithmetic between tensors, and between a tensor and numbers: as layers ("Add"), as functions that Keras 3
// keeps ("x + 1"), and as those that Keras 2 keeps (TFOpLambda).

import type { TensorId } from '../../../graph/types';
import { unwrapArray } from '../config';
import type { CallArgument, ImportLayer, LayerCall } from './types';

type Merge = 'add' | 'sub' | 'mul' | 'div' | 'average' | 'max' | 'min';

/** The numbers of a constant: one, or one a channel; lists and arrays of other forms give null. */
function numbersOf(value: unknown): readonly number[] | null {
  let inner = unwrapArray(value);
  while (Array.isArray(inner) && inner.length === 1 && Array.isArray(inner[0])) inner = inner[0];
  const list: readonly unknown[] = Array.isArray(inner) ? inner : [inner];
  const fits = list.length > 0 && list.every((n) => typeof n === 'number' && Number.isFinite(n));
  return fits ? (list as readonly number[]) : null;
}

function constantOf(call: LayerCall, value: unknown, x: TensorId): readonly number[] {
  const numbers = numbersOf(value);
  const channels = call.builder.shapeOf(x).at(-1) ?? 1;
  if (numbers !== null && (numbers.length === 1 || numbers.length === channels)) return numbers;
  throw call.unsupported(
    'it calculates with something that is neither a number nor one number a channel',
  );
}

/** x * scale + offset, with lists of one length. */
function rescaled(
  { builder, name }: LayerCall,
  x: TensorId,
  scale: readonly number[],
  offset: readonly number[],
): TensorId {
  const size = Math.max(scale.length, offset.length);
  const fill = (list: readonly number[]): readonly number[] =>
    list.length === size ? list : new Array<number>(size).fill(list[0]!);
  return builder.apply('rescale', [x], { scale: fill(scale), offset: fill(offset) }, { name });
}

/** A tensor and numbers; `reversed` where the numbers come first. */
function withNumbers(
  call: LayerCall,
  op: Merge,
  x: TensorId,
  value: unknown,
  reversed: boolean,
): TensorId {
  const numbers = constantOf(call, value, x);
  const negative = numbers.map((n) => -n);
  if (op === 'add') return rescaled(call, x, [1], numbers);
  if (op === 'mul') return rescaled(call, x, numbers, [0]);
  if (op === 'sub')
    return reversed ? rescaled(call, x, [-1], numbers) : rescaled(call, x, [1], negative);
  if (op === 'div' && !reversed)
    return rescaled(
      call,
      x,
      numbers.map((n) => 1 / n),
      [0],
    );
  const constant = call.builder.constant(
    { shape: [numbers.length], dtype: 'float32', data: Float32Array.from(numbers) },
    { name: `${call.name}_constant` },
  );
  const inputs = reversed ? [constant, x] : [x, constant];
  return call.builder.apply(op, inputs, {}, { name: call.name });
}

function isTensor(argument: CallArgument): argument is TensorId {
  return typeof argument === 'string';
}

/** Joins tensors, or two arguments of which one may be numbers. */
export function merge(op: Merge): ImportLayer {
  return (call) => {
    const [first, second] = call.arguments;
    if (call.arguments.every(isTensor)) {
      return call.builder.apply(op, call.inputs, {}, { name: call.name });
    }
    if (call.arguments.length !== 2 || first === undefined || second === undefined) {
      throw call.unsupported('it is called in a way that Secateur does not know');
    }
    if (isTensor(first) && !isTensor(second))
      return withNumbers(call, op, first, second.value, false);
    if (isTensor(second) && !isTensor(first))
      return withNumbers(call, op, second, first.value, true);
    throw call.unsupported('it calculates without a tensor');
  };
}
