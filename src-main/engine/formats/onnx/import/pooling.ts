// Pooling over windows and over the whole image, and reductions.

import type { Group } from '../layout';
import { layoutInOrder } from '../layout';
import type { ExplicitPadding, OpAttrs, Pair, TensorId } from '../../../graph/types';
import type { Window } from '../../../graph/ops/windows';
import { explicitPadding } from '../../../graph/ops/windows';
import { integersOf } from '../parameters';
import { imageValue } from './filters';
import {
  activationValue,
  type Activation,
  type ImportNode,
  type NodeCall,
  type Value,
} from './types';
import { ceilExtra, named, pairAttribute, windowOf } from './window';

interface PoolInput {
  readonly tensor: TensorId;
  readonly size: Pair;
  /** Its padding does not yet round up. */
  readonly window: Window;
  /** What rounding up adds at the end. */
  readonly extra: Pair;
}

function poolInput(call: NodeCall): PoolInput {
  const { tensor } = call.image(call.activation(0));
  const [height, width] = call.builder.shapeOf(tensor) as readonly [number, number, number];
  const size: Pair = [height, width];
  if (!call.node.attributes.has('kernel_shape')) throw call.corrupt('it has no "kernel_shape"');
  const window = windowOf(call, size, pairAttribute(call, 'kernel_shape', [1, 1]));
  if (Math.max(...window.dilations) > 1) throw call.unsupported('dilated pooling cannot be run');
  const ceil = call.node.attributes.flag('ceil_mode', false);
  const extra: Pair = ceil ? ceilExtra(size, window, explicitPadding(size, window)) : [0, 0];
  return { tensor, size, window, extra };
}

function extended([rows, columns]: ExplicitPadding, [below, right]: Pair): ExplicitPadding {
  return [
    [rows[0], rows[1] + below],
    [columns[0], columns[1] + right],
  ];
}

export const maxPool: ImportNode = (call) => {
  const { tensor, size, window, extra } = poolInput(call);
  if (call.node.outputs.length > 1 && call.node.outputs[1] !== '') {
    throw call.unsupported('it also gives the places of the maxima');
  }
  const padding = named(size, window, extended(explicitPadding(size, window), extra));
  const attrs = { poolSize: window.kernelSize, strides: window.strides, padding };
  return [imageValue(call, call.add('maxPool2d', [tensor], attrs))];
};

export const averagePool: ImportNode = (call) => {
  const { tensor, size, window, extra } = poolInput(call);
  const own = explicitPadding(size, window);
  const isPadded = own.flat().some((amount) => amount > 0);
  const grows = extra.some((amount) => amount > 0);
  const counts = call.node.attributes.flag('count_include_pad', false) && isPadded;
  const attrs = { poolSize: window.kernelSize, strides: window.strides };
  if (counts && grows) {
    // The stated padding counts in the mean, what rounding up adds does not: the former becomes a part of the image.
    const paddings = [own[0], own[1], [0, 0]] as const;
    const padded = call.add(
      'pad',
      [tensor],
      { paddings, mode: 'constant', value: 0 },
      { suffix: 'pad' },
    );
    const padding: ExplicitPadding = [
      [0, extra[0]],
      [0, extra[1]],
    ];
    return [imageValue(call, call.add('avgPool2d', [padded], { ...attrs, padding }))];
  }
  const all = extended(own, extra);
  const pool: OpAttrs['avgPool2d'] = counts
    ? { ...attrs, padding: all, countPadding: true }
    : { ...attrs, padding: named(size, window, all) };
  return [imageValue(call, call.add('avgPool2d', [tensor], pool))];
};

/** [C, H, W] without its last two axes, or with 1 in their place. */
function pooledValue(tensor: TensorId, channels: Group, keepDims: boolean): Value {
  const logical = keepDims ? [channels, [], []] : [channels];
  const stored = keepDims ? [[], [], channels] : [channels];
  return activationValue(tensor, { logical, stored });
}

function globalPool(op: 'globalAvgPool' | 'globalMaxPool'): ImportNode {
  return (call) => {
    const { tensor, logical } = call.image(call.activation(0));
    return [pooledValue(call.add(op, [tensor], { keepDims: true }), logical[0]!, true)];
  };
}

export const globalAveragePool: ImportNode = globalPool('globalAvgPool');
export const globalMaxPool: ImportNode = globalPool('globalMaxPool');

/** The axes of a reduction, as axes of the sample; null where it does nothing. */
function reducedAxes(call: NodeCall, activation: Activation): readonly number[] | null {
  const { attributes } = call.node;
  const given = attributes.has('axes')
    ? attributes.ints('axes')
    : call.hasInput(1)
      ? integersOf(call.constant(1))
      : [];
  if (given.length > 0) return given.map((axis) => call.sampleAxis(axis, activation));
  if (attributes.flag('noop_with_empty_axes', false)) return null;
  throw call.unsupported('it works along all axes, the batch among them');
}

function reduction(fn: OpAttrs['reduce']['fn']): ImportNode {
  return (call) => {
    const activation = call.activation(0);
    const axes = reducedAxes(call, activation);
    if (axes === null) return [{ kind: 'activation', activation }];
    const keepDims = call.node.attributes.flag('keepdims', true);
    const { logical } = activation.layout;
    const isSpatial = logical.length === 3 && [...axes].sort().join() === '1,2';
    if (isSpatial && (fn === 'mean' || fn === 'max')) {
      const op = fn === 'mean' ? 'globalAvgPool' : 'globalMaxPool';
      const { tensor } = call.image(activation);
      return [pooledValue(call.add(op, [tensor], { keepDims }), logical[0]!, keepDims)];
    }
    const aligned = call.aligned(activation);
    const places = axes.map((axis) => aligned.order.indexOf(axis)).sort((a, b) => a - b);
    const tensor = call.add('reduce', [aligned.tensor], { fn, axes: places, keepDims });
    const gone = new Set(axes);
    const left = logical.map((group, axis) => (gone.has(axis) ? [] : group));
    if (keepDims) return [activationValue(tensor, layoutInOrder(left, aligned.order))];
    const kept = logical.filter((_, axis) => !gone.has(axis));
    const stored = aligned.order.filter((axis) => !gone.has(axis)).map((axis) => logical[axis]!);
    return [activationValue(tensor, { logical: kept, stored })];
  };
}

export const reduceMean: ImportNode = reduction('mean');
export const reduceSum: ImportNode = reduction('sum');
export const reduceMax: ImportNode = reduction('max');
export const reduceMin: ImportNode = reduction('min');
export const reduceProd: ImportNode = reduction('prod');
