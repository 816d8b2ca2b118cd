// DenseNets: each layer adds a few channels to all that came before it. DenseNet-40 for CIFAR, and DenseNet-121 with
// bottlenecks and compression for photographs.
import type { TensorId } from '../graph/types';
import { channelsOf, classify, convBlock, normActivation, preConv } from './network';
import type { Network, ZooEntry } from './network';

const growth = 12;
const firstFilters = 16;

function transition(network: Network, x: TensorId, name: string): TensorId {
  const y = preConv(network, x, { name, filters: channelsOf(network, x), kernelSize: 1 });
  return network.builder.avgPool2d(y, { poolSize: 2, name: `${name}.pool` });
}

/** Depth 3n + 4: three dense blocks of n layers, without bottlenecks or compression. */
function layout(network: Network, input: TensorId, depth: number): TensorId {
  const { builder } = network;
  const first = { name: 'conv1', filters: network.width('conv1', firstFilters), kernelSize: 3 };
  let x = builder.conv2d(input, { ...first, bias: false });
  for (let block = 1; block <= 3; block++) {
    if (block > 1) x = transition(network, x, `transition${block - 1}`);
    for (let i = 1; i <= (depth - 4) / 3; i++) {
      const name = `block${block}.conv${i}`;
      const grown = preConv(network, x, { name, filters: growth, kernelSize: 3 });
      x = builder.concat([x, grown], { name: `block${block}.concat${i}` });
    }
  }
  return classify(network, normActivation(network, x, 'last', 'relu'));
}

/** DenseNet-BC: four dense blocks of bottlenecks (1 x 1 to 4 k, 3 x 3 to k), transitions that halve the channels. */
function bottleneckLayout(
  network: Network,
  input: TensorId,
  blocks: readonly number[],
  rate: number,
): TensorId {
  const { builder } = network;
  let x = convBlock(network, input, {
    name: 'conv1',
    filters: 2 * rate,
    kernelSize: 7,
    strides: 2,
    activation: 'relu',
  });
  x = builder.maxPool2d(x, { poolSize: 3, strides: 2, padding: 'same', name: 'maxpool' });
  for (const [index, layers] of blocks.entries()) {
    const block = index + 1;
    if (index > 0) {
      const name = `transition${index}`;
      const half = Math.floor(channelsOf(network, x) / 2);
      const y = preConv(network, x, { name, filters: half, kernelSize: 1 });
      x = builder.avgPool2d(y, { poolSize: 2, name: `${name}.pool` });
    }
    for (let i = 1; i <= layers; i++) {
      const name = `block${block}.layer${i}`;
      const narrow = preConv(network, x, {
        name: `${name}.conv1`,
        filters: 4 * rate,
        kernelSize: 1,
      });
      const grown = preConv(network, narrow, {
        name: `${name}.conv2`,
        filters: rate,
        kernelSize: 3,
      });
      x = builder.concat([x, grown], { name: `block${block}.concat${i}` });
    }
  }
  return classify(network, normActivation(network, x, 'last', 'relu'));
}

export const densenets: readonly ZooEntry[] = [
  {
    id: 'densenet40-cifar',
    title: 'DenseNet-40 (CIFAR)',
    description: 'Densely connected, growth 12: every layer reads all earlier ones.',
    inputShape: [32, 32, 3],
    classes: 10,
    paper: 'Huang et al. 2017, Densely Connected Convolutional Networks',
    layout: (network, input) => layout(network, input, 40),
  },
  {
    id: 'densenet121',
    title: 'DenseNet-121',
    description: 'Densely connected with bottlenecks, growth 32, for photographs.',
    inputShape: [224, 224, 3],
    classes: 1000,
    paper: 'Huang et al. 2017, Densely Connected Convolutional Networks',
    layout: (network, input) => bottleneckLayout(network, input, [6, 12, 24, 16], 32),
  },
];
