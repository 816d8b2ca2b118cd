// Pooling and reductions.

import { explicitPadding, namedPadding, type Window } from '../../../graph/ops/windows';
import type { Pair } from '../../../graph/types';
import { attr, type Ref } from './graph-def';
import { batchedAxis } from '../../lowering';
import type { Lower, Lowering } from './types';
import { onImage, padForWindow } from './window';

/** Below every float32 that a layer gives: padding that a maximum never takes. */
const lowest = -3.4028234663852886e38;

function windowOf<K extends 'maxPool2d' | 'avgPool2d'>({ node }: Lowering<K>): Window {
  const { poolSize, strides, padding } = node.attrs;
  return { kernelSize: poolSize, strides, padding, dilations: [1, 1] };
}

function emitPool<K extends 'maxPool2d' | 'avgPool2d'>(
  layer: Lowering<K>,
  op: string,
  fill: number,
): Ref {
  const { builder } = layer;
  const window = windowOf(layer);
  const padded = padForWindow(builder, layer.inputs[0]!, layer.inputShapes[0]!, window, fill);
  return builder.emit(op, [padded.tensor], {
    ksize: onImage(window.kernelSize),
    strides: onImage(window.strides),
    padding: attr.text(padded.padding),
    data_format: attr.text('NHWC'),
  });
}

export const maxPool2d: Lower<'maxPool2d'> = (layer) => [emitPool(layer, 'MaxPool', lowest)];

export const avgPool2d: Lower<'avgPool2d'> = (layer) => {
  const window = windowOf(layer);
  const [height, width] = layer.inputShapes[0]! as readonly [number, number, number];
  const size: Pair = [height, width];
  const pooled = emitPool(layer, 'AvgPool', 0);
  const countsPadding =
    typeof window.padding !== 'string' && layer.node.attrs.countPadding === true;
  const name = namedPadding(size, window);
  // SAME divides by the values inside the image, VALID by the whole window.
  if (name === 'valid' || (name === 'same') === !countsPadding) return [pooled];
  return [correctDivisor(layer, pooled, window, size, countsPadding)];
};

/** Multiplies each position by (divisor that was taken) / (divisor that is meant). */
function correctDivisor(
  layer: Lowering<'avgPool2d'>,
  pooled: Ref,
  window: Window,
  size: Pair,
  wholeWindowMeant: boolean,
): Ref {
  const [rows, columns] = layer.outputShapes[0]! as readonly [number, number, number];
  const padding = explicitPadding(size, window);
  const inside = (axis: 0 | 1, position: number): number => {
    const start = position * window.strides[axis] - padding[axis][0];
    return Math.min(start + window.kernelSize[axis], size[axis]) - Math.max(start, 0);
  };
  const area = window.kernelSize[0] * window.kernelSize[1];
  const factors = Float32Array.from({ length: rows * columns }, (_, i) => {
    const count = inside(0, Math.floor(i / columns)) * inside(1, i % columns);
    return wholeWindowMeant ? count / area : area / count;
  });
  const { builder } = layer;
  return builder.emit('Mul', [pooled, builder.floats('divisor', factors, [1, rows, columns, 1])]);
}

function emitReduce<K extends 'globalAvgPool' | 'globalMaxPool' | 'reduce'>(
  { builder, node, inputs }: Lowering<K>,
  op: string,
  axes: readonly number[],
): readonly Ref[] {
  const attrs = { Tidx: attr.type('DT_INT32'), keep_dims: attr.flag(node.attrs.keepDims) };
  return [builder.emit(op, [inputs[0]!, builder.ints('axes', axes)], attrs)];
}

export const globalAvgPool: Lower<'globalAvgPool'> = (layer) => emitReduce(layer, 'Mean', [1, 2]);
export const globalMaxPool: Lower<'globalMaxPool'> = (layer) => emitReduce(layer, 'Max', [1, 2]);

const reducers = { mean: 'Mean', sum: 'Sum', max: 'Max', min: 'Min', prod: 'Prod' } as const;

export const reduce: Lower<'reduce'> = (layer) => {
  const { fn, axes } = layer.node.attrs;
  const shape = layer.inputShapes[0]!;
  return emitReduce(
    layer,
    reducers[fn],
    axes.map((axis) => batchedAxis(axis, shape)),
  );
};
