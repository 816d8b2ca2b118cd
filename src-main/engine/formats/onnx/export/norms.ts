// Normalisations.

import type { Shape, WeightRole } from '../../../graph/types';
import { groupSize, range, sourceIndices, type Group } from '../layout';
import { float, int } from './program';
import { newImage } from './filters';
import { tensorOf, type ExportNode, type NodeExport } from './types';

type NormOp = 'batchNorm' | 'layerNorm' | 'groupNorm';

/** A vector of the layer, or one of equal numbers where it has none. */
function vectorOf<K extends NormOp>(
  layer: NodeExport<K>,
  role: WeightRole,
  shape: Shape,
  fallback: number,
  variant = '',
  make: (data: Float32Array) => Float32Array = (data) => data,
): string {
  if (layer.weight(role) !== undefined) return layer.stored(role, variant, shape, make);
  const size = shape.reduce((a, b) => a * b, 1);
  return layer.program.floats(`${shape.join('x')} of ${fallback}`, shape, () =>
    new Float32Array(size).fill(fallback),
  );
}

export const batchNorm: ExportNode<'batchNorm'> = (layer) => {
  const [input] = layer.inputs as readonly [(typeof layer.inputs)[number]];
  const { logical } = input.layout;
  const channels = logical.at(-1)!;
  const isVector = logical.length === 1;
  // Channels come first; a flattened image stays as it lies, and its vectors follow.
  const lies: Group = isVector ? input.layout.stored.flat() : channels;
  const groups = [lies, ...logical.slice(0, -1)];
  const order = sourceIndices(channels, lies);
  const moves = order.some((from, to) => from !== to);
  const values = (role: WeightRole, fallback: number): string =>
    vectorOf(layer, role, [groupSize(channels)], fallback, moves ? 'moved' : '', (data) =>
      moves ? Float32Array.from(order, (i) => data[i]!) : data,
    );
  const name = layer.emit(
    'BatchNormalization',
    [
      layer.arranged(input, groups),
      values('gamma', 1),
      values('beta', 0),
      values('mean', 0),
      values('variance', 1),
    ],
    { epsilon: float(layer.node.attrs.epsilon), momentum: float(layer.node.attrs.momentum) },
  );
  return [tensorOf(name, { logical, stored: groups })];
};

export const layerNorm: ExportNode<'layerNorm'> = (layer) => {
  const [input] = layer.inputs as readonly [(typeof layer.inputs)[number]];
  const rank = layer.inputShapes[0]!.length;
  const axes = layer.node.attrs.axes
    .map((axis) => (axis < 0 ? axis + rank : axis))
    .sort((a, b) => a - b);
  // The operator works on the last axes.
  const order = [...range(rank).filter((axis) => !axes.includes(axis)), ...axes];
  const { name, logical } = layer.inOrder(input, order);
  const shape = axes.map((axis) => layer.inputShapes[0]![axis]!);
  const beta = layer.weight('beta') === undefined ? [] : [vectorOf(layer, 'beta', shape, 0)];
  const output = layer.emit(
    'LayerNormalization',
    [name, vectorOf(layer, 'gamma', shape, 1), ...beta],
    {
      axis: int(-axes.length),
      epsilon: float(layer.node.attrs.epsilon),
    },
  );
  return [tensorOf(output, { logical, stored: order.map((axis) => logical[axis]!) })];
};

/** As PyTorch writes it: an instance norm over groups, then scale and shift. */
export const groupNorm: ExportNode<'groupNorm'> = (layer) => {
  const { groups, epsilon } = layer.node.attrs;
  const shape = layer.inputShapes[0]!;
  if (shape.length !== 3)
    throw layer.unsupported('group norms of anything but images have no operator');
  const channels = shape[2]!;
  const { name } = layer.image(layer.inputs[0]!);
  const { program } = layer;
  const attributes = { epsilon: float(epsilon) };
  if (groups === channels) {
    const scale = vectorOf(layer, 'gamma', [channels], 1);
    const shift = vectorOf(layer, 'beta', [channels], 0);
    return [newImage(layer.emit('InstanceNormalization', [name, scale, shift], attributes), shape)];
  }
  const grouped = layer.emit(
    'Reshape',
    [name, program.integers([0, groups, -1])],
    {},
    { suffix: 'groups' },
  );
  const ones = program.floats(`${groups} of 1`, [groups], () => new Float32Array(groups).fill(1));
  const zeros = program.floats(`${groups} of 0`, [groups], () => new Float32Array(groups));
  const normal = layer.emit('InstanceNormalization', [grouped, ones, zeros], attributes, {
    suffix: 'norm',
  });
  const sizes = program.integers([0, channels, shape[0]!, shape[1]!]);
  const parts = (['gamma', 'beta'] as const).filter((role) => layer.weight(role) !== undefined);
  let output = layer.emit(
    'Reshape',
    [normal, sizes],
    {},
    parts.length > 0 ? { suffix: 'image' } : {},
  );
  for (const [i, role] of parts.entries()) {
    const vector = layer.stored(role, 'image', [channels, 1, 1], (data) => data);
    const isLast = i === parts.length - 1;
    output = layer.emit(
      role === 'gamma' ? 'Mul' : 'Add',
      [output, vector],
      {},
      isLast ? {} : { suffix: role },
    );
  }
  return [newImage(output, shape)];
};
