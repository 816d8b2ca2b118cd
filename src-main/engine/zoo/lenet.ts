// LeNet-5: two convolutions and three dense layers for 28 x 28 digits.
import type { Network, ZooEntry } from './network';
import type { TensorId } from '../graph/types';

function lenet5(network: Network, input: TensorId): TensorId {
  const { builder, classes } = network;
  const stage = (
    x: TensorId,
    index: number,
    filters: number,
    padding: 'same' | 'valid',
  ): TensorId => {
    const name = `conv${index}`;
    const y = builder.conv2d(x, {
      name,
      filters: network.width(name, filters),
      kernelSize: 5,
      padding,
    });
    const activated = builder.activation(y, 'relu', { name: `${name}.relu` });
    return builder.maxPool2d(activated, { poolSize: 2, name: `pool${index}` });
  };
  let x = stage(input, 1, 6, 'same');
  x = stage(x, 2, 16, 'valid');
  x = builder.flatten(x, { name: 'flatten' });
  for (const [i, units] of [120, 84].entries()) {
    const name = `fc${i + 1}`;
    x = builder.dense(x, { name, units: network.width(name, units) });
    x = builder.activation(x, 'relu', { name: `${name}.relu` });
  }
  return builder.dense(x, { name: 'fc3', units: classes });
}

export const lenets: readonly ZooEntry[] = [
  {
    id: 'lenet5',
    title: 'LeNet-5',
    description: 'The classic digit reader, with ReLU and max pooling; trains in a minute.',
    inputShape: [28, 28, 1],
    classes: 10,
    paper: 'LeCun et al. 1998, Gradient-based learning applied to document recognition',
    layout: lenet5,
  },
];
