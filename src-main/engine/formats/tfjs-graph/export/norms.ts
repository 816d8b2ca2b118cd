// Normalisations.

import { batchNormAffine } from '../../fusion';
import type { Shape } from '../../../graph/types';
import { attr, type GraphDefBuilder, type Ref } from './graph-def';
import { reshapeTo } from './layout';
import { batchedAxis } from '../../lowering';
import type { Lower, Lowering } from './types';

/** The operation of its own for images, which is one pass; a scale and a shift for other tensors. */
export const batchNorm: Lower<'batchNorm'> = (layer) => {
  const { node, builder, inputs } = layer;
  if (layer.outputShapes[0]!.length !== 3) {
    const { scale, shift } = batchNormAffine(node, layer.weight);
    const scaled = builder.emit('Mul', [inputs[0]!, builder.floats('scale', scale)]);
    return [builder.emit('AddV2', [scaled, builder.floats('shift', shift)])];
  }
  const mean = layer.floats('mean');
  const vector = (role: 'gamma' | 'beta', value: number): Ref =>
    builder.floats(role, layer.weight(role)?.data ?? new Float32Array(mean.length).fill(value));
  const operands = [
    vector('gamma', 1),
    vector('beta', 0),
    builder.floats('mean', mean),
    builder.floats('variance', layer.floats('variance')),
  ];
  return [
    builder.emit('FusedBatchNormV3', [inputs[0]!, ...operands], {
      U: attr.type('DT_FLOAT'),
      epsilon: attr.number(node.attrs.epsilon),
      data_format: attr.text('NHWC'),
      is_training: attr.flag(false),
    }),
  ];
};

/** (x - mean) / sqrt(variance + epsilon), with mean and variance over the given axes, batch counted. */
function standardise(
  builder: GraphDefBuilder,
  x: Ref,
  axes: readonly number[],
  epsilon: number,
): Ref {
  const attrs = { Tidx: attr.type('DT_INT32'), keep_dims: attr.flag(true) };
  const list = builder.ints('axes', axes);
  const mean = builder.emit('Mean', [x, list], attrs);
  const variance = builder.emit(
    'Mean',
    [builder.emit('SquaredDifference', [x, mean]), list],
    attrs,
  );
  const stable = builder.emit('AddV2', [variance, builder.scalar('epsilon', epsilon)]);
  const centred = builder.emit('Sub', [x, mean]);
  return builder.emit('Mul', [centred, builder.emit('Rsqrt', [stable])]);
}

/** x * gamma + beta, where they are; `shape` is theirs for broadcasting. */
function scaleAndShift<K extends 'layerNorm' | 'groupNorm'>(
  { builder, weight }: Lowering<K>,
  x: Ref,
  shape: Shape,
): Ref {
  const [gamma, beta] = [weight('gamma'), weight('beta')];
  let y = x;
  if (gamma) y = builder.emit('Mul', [y, builder.floats('gamma', gamma.data, shape)]);
  if (beta) y = builder.emit('AddV2', [y, builder.floats('beta', beta.data, shape)]);
  return y;
}

export const layerNorm: Lower<'layerNorm'> = (layer) => {
  const shape = layer.inputShapes[0]!;
  const axes = layer.node.attrs.axes.map((axis) => batchedAxis(axis, shape)).sort((a, b) => a - b);
  const normal = standardise(layer.builder, layer.inputs[0]!, axes, layer.node.attrs.epsilon);
  const own = [1, ...shape].map((size, axis) => (axes.includes(axis) ? size : 1));
  return [scaleAndShift(layer, normal, own)];
};

export const groupNorm: Lower<'groupNorm'> = (layer) => {
  const { builder } = layer;
  const shape = layer.inputShapes[0]!;
  const { groups, epsilon } = layer.node.attrs;
  const channels = shape.at(-1)!;
  const positions = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const grouped = reshapeTo(builder, layer.inputs[0]!, [positions, groups, channels / groups]);
  const normal = standardise(builder, grouped, [1, 3], epsilon);
  return [scaleAndShift(layer, reshapeTo(builder, normal, shape), [channels])];
};
