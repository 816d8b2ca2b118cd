// Pooling: each channel alone, over windows or over the whole image.
import { channelsOf, inputOfRank } from './check';
import { passLastAxis } from './labels';
import type { OpDef } from './types';
import { windowOutput } from './windows';

function windowPool<K extends 'maxPool2d' | 'avgPool2d'>(summary: string): OpDef<K> {
  return {
    summary,
    inputs: { min: 1, max: 1 },
    weightShapes: () => ({}),
    infer(node, inputs) {
      const { poolSize: kernelSize, strides, padding } = node.attrs;
      const window = { kernelSize, strides, padding, dilations: [1, 1] as const };
      return [[...windowOutput(node, inputs, window), channelsOf(node, inputs)]];
    },
    channels: (context) => passLastAxis(context),
  };
}

function globalPool<K extends 'globalAvgPool' | 'globalMaxPool'>(summary: string): OpDef<K> {
  return {
    summary,
    inputs: { min: 1, max: 1 },
    weightShapes: () => ({}),
    infer(node, inputs) {
      const channels = inputOfRank(node, inputs, 0, 3)[2]!;
      return [node.attrs.keepDims ? [1, 1, channels] : [channels]];
    },
    channels: (context) => passLastAxis(context),
  };
}

export const maxPool2d: OpDef<'maxPool2d'> = windowPool('Maximum over windows');
export const avgPool2d: OpDef<'avgPool2d'> = windowPool('Mean over windows');
export const globalAvgPool: OpDef<'globalAvgPool'> = globalPool('Mean over height and width');
export const globalMaxPool: OpDef<'globalMaxPool'> = globalPool('Maximum over height and width');
