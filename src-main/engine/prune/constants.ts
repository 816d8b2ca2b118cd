// Channels whose activation is one known number whatever the input: a batch norm with gamma 0 gives beta, a filter of
// zeros gives its bias, and what follows channel by channel keeps such numbers constant.

import type { ShapeMap, WeightOf } from '../graph/ops/types';
import { weightsOf } from '../graph/shapes';
import type { ActivationFn, Graph, Node, NodeOf, OpAttrs, TensorId, Weight } from '../graph/types';
import { allIndices } from './indices';

/** The constant channels of one tensor. */
export interface KnownChannels {
  /** By position of the last axis: the constant, or NaN. */
  readonly values: Float64Array;
  /** False where zeros around an image make its border differ. */
  readonly exact: boolean;
}

/** Tensors without any constant channel are missing. */
export type Constants = ReadonlyMap<TensorId, KnownChannels>;

/** Finds the constant channels of all tensors. What an op here does not know, it makes unknown. */
export function findConstants(graph: Graph, shapes: ShapeMap): Constants {
  const constants = new Map<TensorId, KnownChannels>();
  for (const node of graph.nodes) {
    const output = node.outputs[0]!;
    const known = firstOutput(graph, node, shapes, constants);
    if (known?.values.some((value) => !Number.isNaN(value))) constants.set(output, known);
  }
  return constants;
}

function firstOutput(
  graph: Graph,
  node: Node,
  shapes: ShapeMap,
  constants: Constants,
): KnownChannels | undefined {
  const weight = weightsOf(graph, node);
  const knownOf = (tensor: TensorId): KnownChannels =>
    constants.get(tensor) ?? {
      values: new Float64Array(shapes.get(tensor)!.at(-1) ?? 0).fill(NaN),
      exact: true,
    };
  const x = node.inputs[0];
  const input = x === undefined ? undefined : constants.get(x);
  switch (node.op) {
    case 'conv2d':
    case 'dense':
      return zeroFilters(weight('kernel')!, weight('bias'));
    case 'depthwiseConv2d':
      return input && depthwise(node, input, weight('kernel')!, weight('bias'));
    case 'batchNorm':
      return normalised(node, knownOf(x!), weight);
    case 'activation': {
      const formula = formulas[node.attrs.fn];
      return input && formula && mapped(input, (value) => formula(value, node.attrs.alpha));
    }
    case 'dropout':
    case 'globalAvgPool':
    case 'globalMaxPool':
      return input;
    case 'maxPool2d':
    case 'avgPool2d':
      // Explicit padding may count as zeros.
      return typeof node.attrs.padding === 'string' ? input : undefined;
    case 'flatten': {
      const positions = shapes
        .get(x!)!
        .slice(0, -1)
        .reduce((product, size) => product * size, 1);
      return input && joined(new Array<KnownChannels>(positions).fill(input));
    }
    case 'concat': {
      const last = shapes.get(x!)!.length - 1;
      const onChannels = node.attrs.axis === -1 || node.attrs.axis === last;
      return onChannels ? joined(node.inputs.map(knownOf)) : undefined;
    }
    case 'add':
      return summed(node.inputs.map(knownOf));
    default:
      return undefined;
  }
}

function mapped({ values, exact }: KnownChannels, f: (value: number) => number): KnownChannels {
  return { values: values.map(f), exact };
}

function joined(parts: readonly KnownChannels[]): KnownChannels {
  return {
    values: Float64Array.from(parts.flatMap(({ values }) => [...values])),
    exact: parts.every(({ exact }) => exact),
  };
}

function summed(parts: readonly KnownChannels[]): KnownChannels | undefined {
  const [first, ...others] = parts;
  if (others.some(({ values }) => values.length !== first!.values.length)) return undefined;
  return {
    values: first!.values.map((value, i) =>
      others.reduce((sum, { values }) => sum + values[i]!, value),
    ),
    exact: parts.every(({ exact }) => exact),
  };
}

/** A filter of zeros gives its bias, at borders too. */
function zeroFilters({ shape, data }: Weight, bias: Weight | undefined): KnownChannels {
  const filters = shape.at(-1)!;
  let candidates = allIndices(filters);
  // Hardly ever does a filter begin with a zero: most kernels are left after their first row.
  for (let row = 0; row < data.length && candidates.length > 0; row += filters) {
    candidates = candidates.filter((filter) => data[row + filter] === 0);
  }
  const values = new Float64Array(filters).fill(NaN);
  for (const filter of candidates) values[filter] = bias?.data[filter] ?? 0;
  return { values, exact: true };
}

/** Each filter's sum times the constant, wherever the window lies within the image. */
function depthwise(
  { attrs }: NodeOf<'depthwiseConv2d'>,
  { values, exact }: KnownChannels,
  kernel: Weight,
  bias: Weight | undefined,
): KnownChannels {
  const sums = new Float64Array(values.length * attrs.multiplier);
  kernel.data.forEach((value: number, i: number) => (sums[i % sums.length]! += value));
  return {
    values: sums.map(
      (sum, i) => values[Math.floor(i / attrs.multiplier)]! * sum + (bias?.data[i] ?? 0),
    ),
    exact: exact && !padsWithZeros(attrs),
  };
}

/** Whether some windows of a convolution reach beyond the image. */
export function padsWithZeros({
  padding,
  kernelSize,
}: Pick<OpAttrs['conv2d'], 'padding' | 'kernelSize'>): boolean {
  if (padding === 'valid') return false;
  return padding !== 'same' || kernelSize[0] > 1 || kernelSize[1] > 1;
}

function normalised(
  { attrs }: NodeOf<'batchNorm'>,
  input: KnownChannels,
  weight: WeightOf,
): KnownChannels {
  const [gamma, beta] = [weight('gamma')?.data, weight('beta')?.data];
  const [mean, variance] = [weight('mean')!.data, weight('variance')!.data];
  const values = input.values.map((value, i) => {
    const scale = gamma?.[i] ?? 1;
    const shift = beta?.[i] ?? 0;
    if (scale === 0) return shift;
    return ((value - mean[i]!) / Math.sqrt(variance[i]! + attrs.epsilon)) * scale + shift;
  });
  return { values, exact: input.exact };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The activations of convolutional networks; a constant that passes another one counts as unknown. */
const formulas: Partial<Record<ActivationFn, (x: number, alpha?: number) => number>> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  leakyRelu: (x, alpha = 0.2) => (x >= 0 ? x : alpha * x),
  sigmoid,
  tanh: Math.tanh,
  swish: (x) => x * sigmoid(x),
  hardSwish: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
};
