// Normalisations, as sequences of element-wise operators: TFLite has none of its own.

import type { NodeOf, Shape } from '../../../graph/types';
import type { Program, TensorIndex } from '../program';
import { fusedActivations, paddings } from '../schema';
import { batchNormAffine } from '../../fusion';
import { batchedAxis } from '../../lowering';
import { batched, type Lower, type Lowering } from './types';

export const batchNorm: Lower<'batchNorm'> = (layer) => {
  const { program } = layer;
  const { scale, shift } = batchNormAffine(layer.node, layer.weight);
  const shape = batched(layer.outputShapes[0]!);
  const channels = [scale.length];
  if (layer.target === 'int8' && layer.inputShapes[0]!.length === 3) {
    return [channelAffine(layer, Float32Array.from(scale), Float32Array.from(shift))];
  }
  const factor = program.constant('scale', channels, Float32Array.from(scale));
  const scaled = program.emit('MUL', [layer.inputs[0]!, factor], shape, {});
  const term = program.constant('shift', channels, Float32Array.from(shift));
  const activation = fusedActivations[layer.activation];
  return [program.emit('ADD', [scaled, term], shape, { activation })];
};

/**
 * x * scale + shift of each channel of an image as a depthwise convolution of one pixel: quantised, it has a scale for
 * each channel and a bias of 32 bits, where a multiplication and a sum would round to one scale for all, twice.
 */
export function channelAffine<K extends 'batchNorm' | 'rescale'>(
  layer: Lowering<K>,
  scale: Float32Array,
  shift: Float32Array,
): TensorIndex {
  const { program } = layer;
  const channels = scale.length;
  const kernel = program.constant('scale', [1, 1, 1, channels], scale);
  const bias = program.constant('shift', [channels], shift);
  return program.emit(
    'DEPTHWISE_CONV_2D',
    [layer.inputs[0]!, kernel, bias],
    batched(layer.outputShapes[0]!),
    {
      padding: paddings.VALID,
      strideH: 1,
      strideW: 1,
      depthMultiplier: 1,
      activation: fusedActivations[layer.activation],
    },
  );
}

/** (x - mean) / sqrt(variance + epsilon), with mean and variance over the given axes of `shape`. */
function standardise(
  program: Program,
  input: TensorIndex,
  shape: Shape,
  axes: readonly number[],
  epsilon: number,
): TensorIndex {
  const reduced = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const axesTensor = program.ints('axes', axes);
  const mean = program.emit('MEAN', [input, axesTensor], reduced, { keepDims: true });
  const squares = program.emit('SQUARED_DIFFERENCE', [input, mean], shape, {});
  const variance = program.emit('MEAN', [squares, axesTensor], reduced, { keepDims: true });
  const epsilonTensor = program.scalar('epsilon', epsilon);
  const stable = program.emit('ADD', [variance, epsilonTensor], reduced, {});
  const inverse = program.emit('RSQRT', [stable], reduced, {});
  const centred = program.emit('SUB', [input, mean], shape, {});
  return program.emit('MUL', [centred, inverse], shape, {});
}

/** x * gamma + beta, where they are; `weightShape` is their shape for broadcasting. */
function scaleAndShift(
  layer: Parameters<Lower<'layerNorm'>>[0] | Parameters<Lower<'groupNorm'>>[0],
  input: TensorIndex,
  weightShape: Shape,
): TensorIndex {
  const { program } = layer;
  const shape = program.shapeOf(input);
  const gamma = layer.weight('gamma');
  const beta = layer.weight('beta');
  let output = input;
  if (gamma) {
    const factor = program.constant('gamma', weightShape, gamma.data);
    output = program.emit('MUL', [output, factor], shape, {});
  }
  if (beta) {
    const term = program.constant('beta', weightShape, beta.data);
    output = program.emit('ADD', [output, term], shape, {});
  }
  return output;
}

export const layerNorm: Lower<'layerNorm'> = (layer) => {
  const shape = layer.inputShapes[0]!;
  const axes = layer.node.attrs.axes.map((axis) => batchedAxis(axis, shape)).sort((a, b) => a - b);
  const { epsilon } = layer.node.attrs;
  const normal = standardise(layer.program, layer.inputs[0]!, batched(shape), axes, epsilon);
  const weightShape = batched(shape).map((size, axis) => (axes.includes(axis) ? size : 1));
  return [scaleAndShift(layer, normal, weightShape)];
};

export const groupNorm: Lower<'groupNorm'> = (layer) => {
  const { program } = layer;
  const shape = layer.inputShapes[0]!;
  const { groups, epsilon } = layer.node.attrs satisfies NodeOf<'groupNorm'>['attrs'];
  const channels = shape.at(-1)!;
  const positions = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const grouped = [1, positions, groups, channels / groups];
  const reshaped = reshapeTo(program, layer.inputs[0]!, grouped);
  const normal = standardise(program, reshaped, grouped, [1, 3], epsilon);
  return [scaleAndShift(layer, reshapeTo(program, normal, batched(shape)), [channels])];
};

/** The same values in another shape, batch included. */
export function reshapeTo(program: Program, input: TensorIndex, shape: Shape): TensorIndex {
  return program.emit('RESHAPE', [input, program.ints('shape', shape)], shape, {
    newShape: shape,
  });
}
