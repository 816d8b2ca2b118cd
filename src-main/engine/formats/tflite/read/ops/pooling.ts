// Pooling and reductions.

import type { OpAttrs } from '../../../../graph/types';
import type { Call, Raise } from '../call';
import { namedPadding } from './filters';

const pool =
  <N extends 'MAX_POOL_2D' | 'AVERAGE_POOL_2D'>(op: 'maxPool2d' | 'avgPool2d'): Raise<N> =>
  (call) => {
    const { value } = call.image(0);
    const { filterH, filterW, strideH, strideW, padding, activation } =
      call.options as Call<'MAX_POOL_2D'>['options'];
    const output = call.add(op, [value], {
      poolSize: [filterH, filterW],
      strides: [strideH, strideW],
      padding: namedPadding(call, padding),
    });
    return [call.fused(output, activation)];
  };

export const maxPool2d: Raise<'MAX_POOL_2D'> = pool('maxPool2d');
export const avgPool2d: Raise<'AVERAGE_POOL_2D'> = pool('avgPool2d');

type Reducer = 'MEAN' | 'SUM' | 'REDUCE_MAX' | 'REDUCE_MIN' | 'REDUCE_PROD';

export const reduce =
  <N extends Reducer>(fn: OpAttrs['reduce']['fn']): Raise<N> =>
  (call) => {
    const x = call.tensor(0);
    const { keepDims } = call.options as Call<'MEAN'>['options'];
    const axes = [...new Set(call.ints(1).map((axis) => call.axis(x, axis)))].sort((a, b) => a - b);
    if (axes.length === 0) return [x];
    const rank = call.builder.shapeOf(x.tensor).length;
    const isImage = x.batched && rank === 3 && axes.join() === '0,1';
    if (isImage && fn === 'mean') return [call.add('globalAvgPool', [x], { keepDims })];
    if (isImage && fn === 'max') return [call.add('globalMaxPool', [x], { keepDims })];
    return [call.add('reduce', [x], { fn, axes, keepDims })];
  };
