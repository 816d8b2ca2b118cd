// ResNets for ImageNet (He et al. 2016); the stride of a bottleneck sits in its 3 x 3 layer, as in torchvision.
import type { TensorId } from '../graph/types';
import { channelsOf, classify, convBlock } from './network';
import type { Network, ZooEntry } from './network';

interface Block {
  readonly name: string;
  /** Channels of the stage; a bottleneck gives four times as many. */
  readonly filters: number;
  readonly strides: number;
}

function basicBranch(network: Network, x: TensorId, { name, filters, strides }: Block): TensorId {
  const inner = convBlock(network, x, {
    name: `${name}.conv1`,
    filters,
    kernelSize: 3,
    strides,
    activation: 'relu',
  });
  return convBlock(network, inner, { name: `${name}.conv2`, filters, kernelSize: 3 });
}

function bottleneckBranch(network: Network, x: TensorId, block: Block): TensorId {
  const { name, filters, strides } = block;
  const activation = 'relu';
  let y = convBlock(network, x, { name: `${name}.conv1`, filters, kernelSize: 1, activation });
  y = convBlock(network, y, { name: `${name}.conv2`, filters, kernelSize: 3, strides, activation });
  return convBlock(network, y, { name: `${name}.conv3`, filters: filters * 4, kernelSize: 1 });
}

type Branch = typeof basicBranch;

function residualBlock(network: Network, x: TensorId, block: Block, branch: Branch): TensorId {
  const { builder } = network;
  const { name, strides } = block;
  const residual = branch(network, x, block);
  const filters = channelsOf(network, residual);
  const skip =
    strides === 1 && channelsOf(network, x) === filters
      ? x
      : convBlock(network, x, { name: `${name}.downsample`, filters, kernelSize: 1, strides });
  const sum = builder.add([residual, skip], { name: `${name}.add` });
  return builder.activation(sum, 'relu', { name: `${name}.relu` });
}

function layout(
  network: Network,
  input: TensorId,
  blocks: readonly number[],
  branch: Branch,
): TensorId {
  let x = convBlock(network, input, {
    name: 'conv1',
    filters: 64,
    kernelSize: 7,
    strides: 2,
    activation: 'relu',
  });
  x = network.builder.maxPool2d(x, { poolSize: 3, strides: 2, padding: 'same', name: 'maxpool' });
  for (const [stage, count] of blocks.entries()) {
    for (let i = 0; i < count; i++) {
      const name = `layer${stage + 1}.${i}`;
      const strides = stage > 0 && i === 0 ? 2 : 1;
      x = residualBlock(network, x, { name, filters: 64 * 2 ** stage, strides }, branch);
    }
  }
  return classify(network, x);
}

function entry(depth: number, blocks: readonly number[], branch: Branch): ZooEntry {
  return {
    id: `resnet${depth}`,
    title: `ResNet-${depth}`,
    description:
      branch === basicBranch
        ? 'Residual network of basic blocks for photographs.'
        : 'Residual network of bottlenecks for photographs.',
    inputShape: [224, 224, 3],
    classes: 1000,
    paper: 'He et al. 2016, Deep Residual Learning for Image Recognition',
    layout: (network, input) => layout(network, input, blocks, branch),
  };
}

export const resnets: readonly ZooEntry[] = [
  entry(18, [2, 2, 2, 2], basicBranch),
  entry(34, [3, 4, 6, 3], basicBranch),
  entry(50, [3, 4, 6, 3], bottleneckBranch),
];
