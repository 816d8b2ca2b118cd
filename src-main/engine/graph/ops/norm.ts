// Normalisations. Batch norm acts on each channel alone at inference; layer and group norm mix channels.
import type { NodeOf, Shape, WeightRole } from '../types';
import { channelsOf, inputAt, requireIntegers, resolveAxis, shapeError } from './check';
import { lastAxisLabels, passLastAxis, siteIfPresent } from './labels';
import type { OpDef } from './types';

const scaleAndShift: readonly WeightRole[] = ['gamma', 'beta'];

export const batchNorm: OpDef<'batchNorm'> = {
  summary: 'Batch normalisation over the last axis with stored statistics',
  inputs: { min: 1, max: 1 },
  weightShapes(node, inputs) {
    const shape = [channelsOf(node, inputs)];
    return {
      gamma: { shape, optional: true },
      beta: { shape, optional: true },
      mean: { shape, optional: false },
      variance: { shape, optional: false },
    };
  },
  infer(node, inputs) {
    channelsOf(node, inputs);
    return [inputAt(node, inputs, 0)];
  },
  channels(context) {
    const ids = context.select(context.lastAxis(0));
    for (const role of [...scaleAndShift, 'mean', 'variance'] as const) {
      siteIfPresent(context, role, 0, ids, 'norm');
    }
    context.out(0, lastAxisLabels(ids));
  },
};

function layerNormAxes(node: NodeOf<'layerNorm'>, inputs: readonly Shape[]): number[] {
  const rank = inputAt(node, inputs, 0).length;
  return node.attrs.axes.map((axis) => resolveAxis(node, inputs, axis, rank)).sort((a, b) => a - b);
}

export const layerNorm: OpDef<'layerNorm'> = {
  summary: 'Normalisation of each sample over the given axes',
  inputs: { min: 1, max: 1 },
  weightShapes(node, inputs) {
    const input = inputAt(node, inputs, 0);
    const shape = layerNormAxes(node, inputs).map((axis) => input[axis]!);
    return { gamma: { shape, optional: true }, beta: { shape, optional: true } };
  },
  infer(node, inputs) {
    const axes = layerNormAxes(node, inputs);
    if (axes.length === 0 || new Set(axes).size !== axes.length) {
      throw shapeError(node, inputs, 'axes must name at least one axis, each once');
    }
    return [inputAt(node, inputs, 0)];
  },
  // Mean and variance over channels change when one leaves, so those channels stay whole.
  channels(context) {
    const ids = context.lastAxis(0);
    const axes = layerNormAxes(context.node, context.inputShapes);
    if (axes.includes(context.inputShapes[0]!.length - 1)) {
      context.freeze(ids, 'OP_MIXES_CHANNELS');
      for (const role of scaleAndShift) siteIfPresent(context, role, axes.length - 1, ids, 'norm');
    }
    passLastAxis(context);
  },
};

export const groupNorm: OpDef<'groupNorm'> = {
  summary: 'Normalisation of each sample over groups of channels',
  inputs: { min: 1, max: 1 },
  weightShapes(node, inputs) {
    const shape = [channelsOf(node, inputs)];
    return { gamma: { shape, optional: true }, beta: { shape, optional: true } };
  },
  infer(node, inputs) {
    const channels = channelsOf(node, inputs);
    requireIntegers(node, inputs, 'groups', [node.attrs.groups]);
    if (channels % node.attrs.groups !== 0) {
      throw shapeError(node, inputs, `channels must divide by ${node.attrs.groups} groups`);
    }
    return [inputAt(node, inputs, 0)];
  },
  channels(context) {
    const ids = context.lastAxis(0);
    // With one channel a group (instance norm) nothing is mixed.
    if (context.node.attrs.groups !== ids.length) context.freeze(ids, 'OP_MIXES_CHANNELS');
    for (const role of scaleAndShift) siteIfPresent(context, role, 0, ids, 'norm');
    passLastAxis(context);
  },
  recut(node, cut) {
    const groups = Math.min(node.attrs.groups, cut.keptIn(0).length);
    return { op: 'groupNorm', attrs: { ...node.attrs, groups } };
  },
};
