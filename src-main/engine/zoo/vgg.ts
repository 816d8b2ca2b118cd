// VGG for CIFAR: 3 x 3 convolutions with batch norm, halved by max pooling between stages.
import type { TensorId } from '../graph/types';
import { classify, convBlock, normActivation } from './network';
import type { Layout, Network, ZooEntry } from './network';

type Stages = readonly (readonly number[])[];

const vgg16Stages: Stages = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];

const vgg19Stages: Stages = [
  [64, 64],
  [128, 128],
  [256, 256, 256, 256],
  [512, 512, 512, 512],
  [512, 512, 512, 512],
];

/** Convolutions conv1, conv2, ...; no pooling after the last stage. */
function features(network: Network, input: TensorId, stages: Stages): TensorId {
  let x = input;
  let index = 0;
  for (const [i, stage] of stages.entries()) {
    if (i > 0) x = network.builder.maxPool2d(x, { poolSize: 2, name: `pool${i}` });
    for (const filters of stage) {
      const name = `conv${++index}`;
      x = convBlock(network, x, { name, filters, kernelSize: 3, activation: 'relu' });
    }
  }
  return x;
}

/** The variant that filter pruning is measured on: a hidden dense layer with batch norm (Li et al. 2017). */
const vgg16: Layout = (network, input) => {
  const { builder, classes } = network;
  const pooled = builder.globalAvgPool(features(network, input, vgg16Stages), { name: 'pool5' });
  const hidden = builder.dense(pooled, { name: 'fc1', units: network.width('fc1', 512) });
  return builder.dense(normActivation(network, hidden, 'fc1', 'relu'), {
    name: 'fc2',
    units: classes,
  });
};

/** The variant of Network Slimming: the classifier is one dense layer. */
const vgg19: Layout = (network, input) => classify(network, features(network, input, vgg19Stages));

export const vggs: readonly ZooEntry[] = [
  {
    id: 'vgg16-cifar',
    title: 'VGG-16 (CIFAR)',
    description: 'Wide and plain; its last layers are mostly idle on small images.',
    inputShape: [32, 32, 3],
    classes: 10,
    paper: 'Li et al. 2017, Pruning Filters for Efficient ConvNets (after Simonyan 2015)',
    layout: vgg16,
  },
  {
    id: 'vgg19-cifar',
    title: 'VGG-19 (CIFAR)',
    description: 'The network of Network Slimming; 70% of its channels can go.',
    inputShape: [32, 32, 3],
    classes: 10,
    paper: 'Liu et al. 2017, Network Slimming (after Simonyan 2015)',
    layout: vgg19,
  },
];
