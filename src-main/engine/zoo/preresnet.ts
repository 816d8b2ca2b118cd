// Pre-activation ResNet-164 for CIFAR: batch norm and ReLU stand before each convolution of a bottleneck.
import type { TensorId } from '../graph/types';
import { channelsOf, classify, normActivation, preConv } from './network';
import type { Network, ZooEntry } from './network';

const expansion = 4;

function bottleneck(
  network: Network,
  x: TensorId,
  { name, filters, strides }: { name: string; filters: number; strides: number },
): TensorId {
  const { builder } = network;
  const outputs = filters * expansion;
  let y = preConv(network, x, { name: `${name}.conv1`, filters, kernelSize: 1 });
  y = preConv(network, y, { name: `${name}.conv2`, filters, kernelSize: 3, strides });
  y = preConv(network, y, { name: `${name}.conv3`, filters: outputs, kernelSize: 1 });
  let skip = x;
  if (strides !== 1 || channelsOf(network, x) !== outputs) {
    const downsample = { name: `${name}.downsample`, filters: outputs, kernelSize: 1 };
    skip = builder.conv2d(x, { ...downsample, strides, bias: false });
  }
  return builder.add([y, skip], { name: `${name}.add` });
}

/** Depth 9n + 2: n bottlenecks a stage. */
function layout(network: Network, input: TensorId, depth: number): TensorId {
  let x = network.builder.conv2d(input, {
    name: 'conv1',
    filters: network.width('conv1', 16),
    kernelSize: 3,
    bias: false,
  });
  for (const [stage, filters] of [16, 32, 64].entries()) {
    for (let i = 0; i < (depth - 2) / 9; i++) {
      const name = `stage${stage + 1}.block${i + 1}`;
      x = bottleneck(network, x, { name, filters, strides: stage > 0 && i === 0 ? 2 : 1 });
    }
  }
  return classify(network, normActivation(network, x, 'last', 'relu'));
}

export const preresnets: readonly ZooEntry[] = [
  {
    id: 'preresnet164-cifar',
    title: 'PreResNet-164 (CIFAR)',
    description:
      'Pre-activation bottlenecks: each branch can select its own channels of the trunk.',
    inputShape: [32, 32, 3],
    classes: 10,
    paper: 'He et al. 2016, Identity Mappings in Deep Residual Networks',
    layout: (network, input) => layout(network, input, 164),
  },
];
