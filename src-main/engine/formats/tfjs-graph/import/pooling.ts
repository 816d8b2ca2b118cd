// Pooling over windows, and reductions of whole axes.

import type { OpAttrs } from '../../../graph/types';
import { paddingOf, spatial } from './filters';
import type { Importer } from './session';
import { activation } from './values';

export function pool(op: 'maxPool2d' | 'avgPool2d'): Importer {
  return (call) => {
    const { tensor, layout, axes } = call.image(0);
    const poolSize = spatial(call, 'ksize', axes);
    const attrs = {
      poolSize,
      strides: spatial(call, 'strides', axes),
      padding: paddingOf(call, axes),
    };
    return activation(call.add(op, [tensor], attrs), layout);
  };
}

export function reduce(fn: OpAttrs['reduce']['fn']): Importer {
  return (call) => {
    const x = call.activation(0);
    const keepDims = call.attrs.flag('keep_dims', false);
    const rank = call.shapeOf(x.tensor).length;
    const axes = call.ints(1, 'axes').map((axis) => call.sampleAxis(axis, rank));
    if (axes.length === 0) return x;
    const isFirst = x.layout === 'channelsFirst';
    const sorted = [...new Set(axes)].sort((a, b) => a - b).join();
    if (rank === 3 && sorted === (isFirst ? '1,2' : '0,1') && (fn === 'mean' || fn === 'max')) {
      const op = fn === 'mean' ? 'globalAvgPool' : 'globalMaxPool';
      const pooled = call.add(op, [x.tensor], { keepDims });
      return activation(pooled, isFirst && keepDims ? 'channelsFirst' : 'plain');
    }
    return activation(call.add('reduce', [call.plain(x)], { fn, axes, keepDims }));
  };
}
