// DenseNet-40 for CIFAR: each layer adds 12 channels to all that came before it.
import type { TensorId } from '../graph/types';
import { channelsOf, classify, normActivation, preConv } from './network';
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
];
