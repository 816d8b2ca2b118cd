// What the definitions of all architectures share: the network under construction and its usual blocks.
import type { GraphBuilder } from '../graph/build';
import type { ActivationFn, Pair, Shape, TensorId } from '../graph/types';

/** A network being laid out. */
export interface Network {
  readonly builder: GraphBuilder;
  readonly classes: number;
  /** Filters of a layer: the given number, unless the caller set another width for this name. */
  width(layer: string, filters: number): number;
}

/** One entry of the zoo. */
export interface ZooArchitecture {
  readonly id: string;
  readonly title: string;
  /** One sentence: what it is and what it is good for. */
  readonly description: string;
  /** [height, width, channels] unless the caller asks for others. */
  readonly inputShape: Shape;
  readonly classes: number;
  /** Where it was published. */
  readonly paper: string;
}

/** Lays out an architecture on an input and returns its logits. */
export type Layout = (network: Network, input: TensorId) => TensorId;

export interface ZooEntry extends ZooArchitecture {
  readonly layout: Layout;
}

/** A convolution without bias, batch norm, and an activation if one is named. */
export interface ConvBlock {
  readonly name: string;
  readonly filters: number;
  readonly kernelSize: number | Pair;
  readonly strides?: number;
  readonly activation?: ActivationFn;
}

/** Names: `name`, `name.bn`, `name.relu`. */
export function convBlock(network: Network, x: TensorId, block: ConvBlock): TensorId {
  const { name, kernelSize, strides = 1 } = block;
  const filters = network.width(name, block.filters);
  const y = network.builder.conv2d(x, { name, filters, kernelSize, strides, bias: false });
  return normActivation(network, y, name, block.activation);
}

/** The same with one filter for each channel. */
export function depthwiseBlock(
  network: Network,
  x: TensorId,
  block: Omit<ConvBlock, 'filters'>,
): TensorId {
  const { name, kernelSize, strides = 1 } = block;
  const y = network.builder.depthwiseConv2d(x, { name, kernelSize, strides, bias: false });
  return normActivation(network, y, name, block.activation);
}

/** Batch norm, and an activation if one is named. */
export function normActivation(
  { builder }: Network,
  x: TensorId,
  name: string,
  activation?: ActivationFn,
): TensorId {
  const y = builder.batchNorm(x, { name: `${name}.bn` });
  return activation === undefined
    ? y
    : builder.activation(y, activation, { name: `${name}.${activation}` });
}

/** Pre-activation: batch norm, ReLU, then a convolution without bias. Names: `name.bn`, `name.relu`, `name`. */
export function preConv(
  network: Network,
  x: TensorId,
  { name, filters, kernelSize, strides = 1 }: Omit<ConvBlock, 'activation'>,
): TensorId {
  const y = normActivation(network, x, name, 'relu');
  return network.builder.conv2d(y, {
    name,
    filters: network.width(name, filters),
    kernelSize,
    strides,
    bias: false,
  });
}

/** Global average pooling and a dense layer to the classes. */
export function classify({ builder, classes }: Network, x: TensorId): TensorId {
  return builder.dense(builder.globalAvgPool(x, { name: 'pool' }), { units: classes, name: 'fc' });
}

/** Channels of an image tensor. */
export function channelsOf({ builder }: Network, x: TensorId): number {
  return builder.shapeOf(x).at(-1)!;
}
