// Pooling and reductions.

import { explicitPadding, namedPadding, type Window } from '../../../graph/ops/windows';
import type { Pair } from '../../../graph/types';
import type { TensorIndex } from '../program';
import type { WrittenOperator } from '../operators';
import { paddings } from '../schema';
import { batchedAxis } from '../../lowering';
import { batched, type Lower, type Lowering } from './types';
import { padForWindow } from './window';

/** Below every float32 that a layer gives: padding that a maximum never takes. */
const lowest = -3.4028234663852886e38;

function emitPool<K extends 'maxPool2d' | 'avgPool2d'>(
  layer: Lowering<K>,
  operator: 'MAX_POOL_2D' | 'AVERAGE_POOL_2D',
  fill: number,
): TensorIndex {
  const { program } = layer;
  const window = windowOf(layer);
  const padded = padForWindow(program, layer.inputs[0]!, layer.inputShapes[0]!, window, fill);
  return program.emit(operator, [padded.tensor], batched(layer.outputShapes[0]!), {
    padding: paddings[padded.padding],
    strideH: window.strides[0],
    strideW: window.strides[1],
    filterH: window.kernelSize[0],
    filterW: window.kernelSize[1],
  });
}

function windowOf<K extends 'maxPool2d' | 'avgPool2d'>({ node }: Lowering<K>): Window {
  const { poolSize, strides, padding } = node.attrs;
  return { kernelSize: poolSize, strides, padding, dilations: [1, 1] };
}

export const maxPool2d: Lower<'maxPool2d'> = (layer) => [emitPool(layer, 'MAX_POOL_2D', lowest)];

export const avgPool2d: Lower<'avgPool2d'> = (layer) => {
  const window = windowOf(layer);
  const [height, width] = layer.inputShapes[0]! as readonly [number, number, number];
  const size: Pair = [height, width];
  const pooled = emitPool(layer, 'AVERAGE_POOL_2D', 0);
  const countsPadding = typeof window.padding !== 'string' && layer.node.attrs.countPadding;
  const name = namedPadding(size, window);
  // TFLite divides by the values inside the image under SAME, and by the whole window under VALID.
  if (name === 'valid' || (name === 'same' && !countsPadding) || (name === null && countsPadding)) {
    return [pooled];
  }
  return [correctDivisor(layer, pooled, window, size, name === 'same')];
};

/** Multiplies each position by (divisor that TFLite took) / (divisor that is meant). */
function correctDivisor(
  layer: Lowering<'avgPool2d'>,
  pooled: TensorIndex,
  window: Window,
  size: Pair,
  wholeWindowMeant: boolean,
): TensorIndex {
  const [rows, columns] = layer.outputShapes[0]! as readonly [number, number, number];
  const padding = explicitPadding(size, window);
  const inside = (axis: 0 | 1, position: number): number => {
    const start = position * window.strides[axis] - padding[axis][0];
    return Math.min(start + window.kernelSize[axis], size[axis]) - Math.max(start, 0);
  };
  const area = window.kernelSize[0] * window.kernelSize[1];
  const factors = new Float32Array(rows * columns);
  for (let i = 0; i < factors.length; i++) {
    const count = inside(0, Math.floor(i / columns)) * inside(1, i % columns);
    factors[i] = wholeWindowMeant ? count / area : area / count;
  }
  const { program } = layer;
  const factor = program.constant('divisor', [1, rows, columns, 1], factors);
  return program.emit('MUL', [pooled, factor], batched(layer.outputShapes[0]!), {});
}

type Reducer = Extract<
  WrittenOperator,
  'MEAN' | 'SUM' | 'REDUCE_MAX' | 'REDUCE_MIN' | 'REDUCE_PROD'
>;

function emitReduce<K extends 'globalAvgPool' | 'globalMaxPool' | 'reduce'>(
  layer: Lowering<K>,
  operator: Reducer,
  axes: readonly number[],
): readonly TensorIndex[] {
  const { program, node } = layer;
  const { keepDims } = node.attrs;
  const inputs = [layer.inputs[0]!, program.ints('axes', axes)];
  return [program.emit(operator, inputs, batched(layer.outputShapes[0]!), { keepDims })];
}

export const globalAvgPool: Lower<'globalAvgPool'> = (layer) => emitReduce(layer, 'MEAN', [1, 2]);
export const globalMaxPool: Lower<'globalMaxPool'> = (layer) =>
  emitReduce(layer, 'REDUCE_MAX', [1, 2]);

const reducers = {
  mean: 'MEAN',
  sum: 'SUM',
  max: 'REDUCE_MAX',
  min: 'REDUCE_MIN',
  prod: 'REDUCE_PROD',
} as const;

export const reduce: Lower<'reduce'> = (layer) => {
  const { fn, axes } = layer.node.attrs;
  const shape = layer.inputShapes[0]!;
  return emitReduce(
    layer,
    reducers[fn],
    axes.map((axis) => batchedAxis(axis, shape)),
  );
};
