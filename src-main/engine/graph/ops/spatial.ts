// Ops that change the resolution of an image: resize, depth to space and back.
import { channelsOf, inputOfRank, requireIntegers, shapeError } from './check';
import { lastAxisLabels, passLastAxis, repeatWhole } from './labels';
import type { OpDef } from './types';

export const resize: OpDef<'resize'> = {
  summary: 'An image at another size, by nearest or bilinear interpolation',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const channels = inputOfRank(node, inputs, 0, 3)[2]!;
    requireIntegers(node, inputs, 'the size', node.attrs.size);
    return [[...node.attrs.size, channels]];
  },
  channels: (context) => passLastAxis(context),
};

export const depthToSpace: OpDef<'depthToSpace'> = {
  summary: 'Channels spread over blocks of positions (pixel shuffle)',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const [height, width] = inputOfRank(node, inputs, 0, 3) as readonly [number, number, number];
    const { block } = node.attrs;
    requireIntegers(node, inputs, 'the block', [block]);
    const channels = channelsOf(node, inputs) / block ** 2;
    if (!Number.isInteger(channels)) {
      throw shapeError(node, inputs, `channels must divide by the block's ${block ** 2} positions`);
    }
    return [[height * block, width * block, channels]];
  },
  // Output channel c is made of block^2 input channels: k * C + c in order 'dcr' (depth, column, row; the
  // order of TensorFlow), c * block^2 + k in order 'crd' (PyTorch's pixel_shuffle). See ONNX DepthToSpace.
  channels(context) {
    const { block, order } = context.node.attrs;
    const ids = context.lastAxis(0);
    const positions = block ** 2;
    const channels = ids.length / positions;
    const part = (k: number): Int32Array =>
      Int32Array.from({ length: channels }, (_, c) =>
        order === 'dcr' ? ids[k * channels + c]! : ids[c * positions + k]!,
      );
    const first = part(0);
    for (let k = 1; k < positions; k++) context.couple(first, part(k));
    context.out(0, lastAxisLabels(first));
  },
};

export const spaceToDepth: OpDef<'spaceToDepth'> = {
  summary: 'Blocks of positions gathered into channels',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const [height, width] = inputOfRank(node, inputs, 0, 3) as readonly [number, number, number];
    const { block } = node.attrs;
    requireIntegers(node, inputs, 'the block', [block]);
    if (height % block !== 0 || width % block !== 0) {
      throw shapeError(node, inputs, `height and width must divide by the block ${block}`);
    }
    return [[height / block, width / block, channelsOf(node, inputs) * block ** 2]];
  },
  // Output channel k * C + c is input channel c at position k of the block.
  channels(context) {
    const ids = context.lastAxis(0);
    context.out(0, lastAxisLabels(repeatWhole(ids, context.node.attrs.block ** 2)));
  },
};
