// Pooling over windows and over the whole image, and reductions.

import { explicitPadding } from '../../../graph/ops/windows';
import type { ExplicitPadding } from '../../../graph/types';
import { imageSize, newImage, pads } from './filters';
import { int, ints, text, type Attributes } from './program';
import { tensorOf, type ExportNode, type NodeExport } from './types';

type PoolOp = 'maxPool2d' | 'avgPool2d';

function paddingOf<K extends PoolOp>(layer: NodeExport<K>): ExplicitPadding {
  const { poolSize, strides, padding } = layer.node.attrs;
  const window = { kernelSize: poolSize, strides, padding, dilations: [1, 1] as const };
  return explicitPadding(imageSize(layer.inputShapes[0]), window);
}

/** Runtimes refuse padding that a whole window fits into. */
function isTooWide<K extends PoolOp>(layer: NodeExport<K>, padding: ExplicitPadding): boolean {
  return padding.some((sides, axis) =>
    sides.some((amount) => amount >= layer.node.attrs.poolSize[axis as 0 | 1]),
  );
}

function attributesOf<K extends PoolOp>(
  layer: NodeExport<K>,
  padding: ExplicitPadding,
): Attributes {
  const { poolSize, strides } = layer.node.attrs;
  return { kernel_shape: ints(poolSize), strides: ints(strides), pads: pads(padding) };
}

const none: ExplicitPadding = [
  [0, 0],
  [0, 0],
];

/** Below every float32 that a layer gives: padding that a maximum never takes. */
const lowest = -3.4028234663852886e38;

export const maxPool2d: ExportNode<'maxPool2d'> = (layer) => {
  const padding = paddingOf(layer);
  let { name } = layer.image(layer.inputs[0]!);
  const wide = isTooWide(layer, padding);
  if (wide) {
    const [rows, columns] = padding;
    const amounts = [0, 0, rows[0], columns[0], 0, 0, rows[1], columns[1]];
    const inputs = [name, layer.program.integers(amounts), layer.program.number(lowest)];
    name = layer.emit('Pad', inputs, { mode: text('constant') }, { suffix: 'pad' });
  }
  const output = layer.emit('MaxPool', [name], attributesOf(layer, wide ? none : padding));
  return [newImage(output, layer.outputShapes[0]!)];
};

export const avgPool2d: ExportNode<'avgPool2d'> = (layer) => {
  const padding = paddingOf(layer);
  if (isTooWide(layer, padding)) {
    throw layer.unsupported('a whole window of it lies within the padding');
  }
  // 'same' never counts what it adds.
  const counts =
    typeof layer.node.attrs.padding !== 'string' && layer.node.attrs.countPadding === true;
  const attributes = { ...attributesOf(layer, padding), count_include_pad: int(counts ? 1 : 0) };
  const output = layer.emit('AveragePool', [layer.image(layer.inputs[0]!).name], attributes);
  return [newImage(output, layer.outputShapes[0]!)];
};

function globalPool(op: string): ExportNode<'globalAvgPool' | 'globalMaxPool'> {
  return (layer) => {
    const { name, logical } = layer.image(layer.inputs[0]!);
    const channels = logical[2]!;
    const output = layer.emit(op, [name]);
    const stored = [channels, [], []];
    const kept = layer.node.attrs.keepDims ? [[], [], channels] : [channels];
    return [tensorOf(output, { logical: kept, stored })];
  };
}

export const globalAvgPool: ExportNode<'globalAvgPool'> = globalPool('GlobalAveragePool');
export const globalMaxPool: ExportNode<'globalMaxPool'> = globalPool('GlobalMaxPool');

const reducers = {
  mean: 'ReduceMean',
  sum: 'ReduceSum',
  max: 'ReduceMax',
  min: 'ReduceMin',
  prod: 'ReduceProd',
} as const;

export const reduce: ExportNode<'reduce'> = (layer) => {
  const { fn, axes, keepDims } = layer.node.attrs;
  const { name, logical, order } = layer.aligned(layer.inputs[0]!);
  const rank = logical.length;
  const gone = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const places = order.flatMap((axis, place) => (gone.has(axis) ? [place + 1] : []));
  const keep = int(keepDims ? 1 : 0);
  // Of these operators, only the sum takes its axes as an input in set 17.
  const output =
    fn === 'sum'
      ? layer.emit('ReduceSum', [name, layer.program.integers(places)], { keepdims: keep })
      : layer.emit(reducers[fn], [name], { axes: ints(places), keepdims: keep });
  if (keepDims) {
    const left = logical.map((group, axis) => (gone.has(axis) ? [] : group));
    return [tensorOf(output, { logical: left, stored: order.map((axis) => left[axis]!) })];
  }
  const kept = (axis: number): boolean => !gone.has(axis);
  return [
    tensorOf(output, {
      logical: logical.filter((_, axis) => kept(axis)),
      stored: order.filter(kept).map((axis) => logical[axis]!),
    }),
  ];
};
