// ResNets for CIFAR (He et al. 2016, section 4.2): three stages of basic blocks with 16, 32 and 64 channels.
import type { TensorId } from '../graph/types';
import { channelsOf, classify, convBlock } from './network';
import type { Network, ZooEntry } from './network';

/** How a shortcut gets narrower maps to more channels: zeros without parameters (A) or a 1 x 1 layer (B). */
type Shortcut = 'A' | 'B';

/** Every second row and column, and zeros for the channels that are new. */
function padShortcut({ builder }: Network, x: TensorId, name: string, filters: number): TensorId {
  const [height, width, channels] = builder.shapeOf(x) as readonly [number, number, number];
  const sampled = builder.apply(
    'slice',
    [x],
    { begin: [0, 0, 0], end: [height, width, channels], strides: [2, 2, 1] },
    { name: `${name}.sample` },
  );
  const paddings = [
    [0, 0],
    [0, 0],
    [0, filters - channels],
  ] as const;
  return builder.apply(
    'pad',
    [sampled],
    { paddings, mode: 'constant', value: 0 },
    { name: `${name}.pad` },
  );
}

interface Block {
  readonly name: string;
  readonly filters: number;
  readonly strides: number;
  readonly shortcut: Shortcut;
}

function basicBlock(network: Network, x: TensorId, block: Block): TensorId {
  const { builder } = network;
  const { name, filters, strides, shortcut } = block;
  const inner = convBlock(network, x, {
    name: `${name}.conv1`,
    filters,
    kernelSize: 3,
    strides,
    activation: 'relu',
  });
  const residual = convBlock(network, inner, { name: `${name}.conv2`, filters, kernelSize: 3 });
  let skip = x;
  if (channelsOf(network, x) !== channelsOf(network, residual) || strides !== 1) {
    skip =
      shortcut === 'A'
        ? padShortcut(network, x, name, filters)
        : convBlock(network, x, { name: `${name}.shortcut`, filters, kernelSize: 1, strides });
  }
  return builder.activation(builder.add([residual, skip], { name: `${name}.add` }), 'relu', {
    name: `${name}.relu`,
  });
}

/** Depth 6n + 2: n blocks a stage. */
function layout(network: Network, input: TensorId, depth: number, shortcut: Shortcut): TensorId {
  let x = convBlock(network, input, {
    name: 'conv1',
    filters: 16,
    kernelSize: 3,
    activation: 'relu',
  });
  for (const [stage, filters] of [16, 32, 64].entries()) {
    for (let i = 0; i < (depth - 2) / 6; i++) {
      x = basicBlock(network, x, {
        name: `stage${stage + 1}.block${i + 1}`,
        filters,
        strides: stage > 0 && i === 0 ? 2 : 1,
        shortcut,
      });
    }
  }
  return classify(network, x);
}

function entry(depth: number, shortcut: Shortcut): ZooEntry {
  const isA = shortcut === 'A';
  return {
    id: `resnet${depth}-cifar${isA ? '' : '-b'}`,
    title: `ResNet-${depth} (CIFAR${isA ? '' : ', option B'})`,
    description: isA
      ? 'Residual network whose shortcuts have no parameters: sampled, then padded with zeros.'
      : 'Residual network with 1 x 1 layers in the shortcuts between stages.',
    inputShape: [32, 32, 3],
    classes: 10,
    paper: 'He et al. 2016, Deep Residual Learning for Image Recognition',
    layout: (network, input) => layout(network, input, depth, shortcut),
  };
}

export const cifarResnets: readonly ZooEntry[] = [20, 32, 56, 110].flatMap((depth) => [
  entry(depth, 'A'),
  entry(depth, 'B'),
]);
