// MobileNets: depthwise convolutions for small devices.
import type { TensorId } from '../graph/types';
import { channelsOf, classify, convBlock, depthwiseBlock } from './network';
import type { Network, ZooEntry } from './network';

const activation = 'relu6';

/** Filters and stride of each separable layer (Howard et al. 2017, table 1). */
const v1Layers: readonly (readonly [filters: number, strides: number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];

function mobilenetV1(network: Network, input: TensorId): TensorId {
  let x = convBlock(network, input, {
    name: 'conv1',
    filters: 32,
    kernelSize: 3,
    strides: 2,
    activation,
  });
  for (const [i, [filters, strides]] of v1Layers.entries()) {
    const name = `block${i + 1}`;
    x = depthwiseBlock(network, x, { name: `${name}.dw`, kernelSize: 3, strides, activation });
    x = convBlock(network, x, { name: `${name}.pw`, filters, kernelSize: 1, activation });
  }
  return classify(network, x);
}

/** Expansion, output channels, repeats and first stride (Sandler et al. 2018, table 2). */
type BottleneckRow = readonly [
  expansion: number,
  filters: number,
  repeats: number,
  strides: number,
];

const v2Rows: readonly BottleneckRow[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

interface InvertedResidual {
  readonly name: string;
  readonly expansion: number;
  readonly filters: number;
  readonly strides: number;
}

function invertedResidual(network: Network, x: TensorId, block: InvertedResidual): TensorId {
  const { name, expansion, filters, strides } = block;
  const channels = channelsOf(network, x);
  let y = x;
  if (expansion > 1) {
    const expand = { name: `${name}.expand`, filters: channels * expansion, kernelSize: 1 };
    y = convBlock(network, y, { ...expand, activation });
  }
  y = depthwiseBlock(network, y, { name: `${name}.dw`, kernelSize: 3, strides, activation });
  y = convBlock(network, y, { name: `${name}.project`, filters, kernelSize: 1 });
  if (strides !== 1 || channels !== channelsOf(network, y)) return y;
  return network.builder.add([x, y], { name: `${name}.add` });
}

/** The first `undivided` halvings of the resolution are left out, for small images. */
function mobilenetV2(network: Network, input: TensorId, undivided: number): TensorId {
  let left = undivided;
  const stride = (strides: number): number => (strides === 2 && left-- > 0 ? 1 : strides);
  let x = convBlock(network, input, {
    name: 'conv1',
    filters: 32,
    kernelSize: 3,
    strides: stride(2),
    activation,
  });
  let index = 0;
  for (const [expansion, filters, repeats, strides] of v2Rows) {
    for (let i = 0; i < repeats; i++) {
      const name = `block${++index}`;
      const block = { name, expansion, filters, strides: i === 0 ? stride(strides) : 1 };
      x = invertedResidual(network, x, block);
    }
  }
  x = convBlock(network, x, { name: 'conv2', filters: 1280, kernelSize: 1, activation });
  return classify(network, x);
}

const sandler = 'Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks';

export const mobilenets: readonly ZooEntry[] = [
  {
    id: 'mobilenetv1',
    title: 'MobileNetV1',
    description: 'A chain of separable convolutions for photographs on small devices.',
    inputShape: [224, 224, 3],
    classes: 1000,
    paper: 'Howard et al. 2017, MobileNets: Efficient CNNs for Mobile Vision Applications',
    layout: mobilenetV1,
  },
  {
    id: 'mobilenetv2',
    title: 'MobileNetV2',
    description: 'Inverted residuals for photographs on small devices.',
    inputShape: [224, 224, 3],
    classes: 1000,
    paper: sandler,
    layout: (network, input) => mobilenetV2(network, input, 0),
  },
  {
    id: 'mobilenetv2-cifar',
    title: 'MobileNetV2 (CIFAR)',
    description: 'Inverted residuals for small images: the first two strides are 1.',
    inputShape: [32, 32, 3],
    classes: 10,
    paper: sandler,
    layout: (network, input) => mobilenetV2(network, input, 2),
  },
];
