// Shape inference of every op against cases worked out by hand, and by counting window positions.
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src-main/engine/errors';
import { explicitPadding } from '../../../src-main/engine/graph/ops/windows';
import { inferOutputs } from '../../../src-main/engine/graph/shapes';
import type {
  Node,
  Op,
  OpAttrs,
  Padding,
  Shape,
  Weight,
} from '../../../src-main/engine/graph/types';

function infer<K extends Op>(
  op: K,
  attrs: OpAttrs[K],
  inputs: readonly Shape[],
  weight?: Weight,
): readonly Shape[] {
  const node = {
    id: 'n',
    name: 'layer',
    op,
    inputs: inputs.map((_, i) => `t${i}`),
    outputs: [],
    attrs,
    weights: {},
  } as unknown as Node;
  return inferOutputs(node, inputs, () => weight);
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('GRAPH_INVALID');
    return (error as AppError).message;
  }
  throw new Error('nothing was thrown');
}

const float = (shape: Shape): Weight => ({
  shape,
  dtype: 'float32',
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
});

describe('windows', () => {
  /** Output positions of one axis, by walking the window over the padded axis. */
  function countPositions(
    size: number,
    kernel: number,
    stride: number,
    dilation: number,
    before: number,
    after: number,
  ): number {
    let count = 0;
    for (let start = -before; start + (kernel - 1) * dilation < size + after; start += stride)
      count++;
    return count;
  }

  it.each([
    'same',
    'valid',
    [
      [1, 2],
      [0, 3],
    ],
  ] as Padding[])('slide with padding %j', (padding) => {
    for (const size of [5, 7, 8, 12]) {
      for (const kernel of [1, 2, 3, 5]) {
        for (const stride of [1, 2, 3]) {
          for (const dilation of [1, 2]) {
            const span = (kernel - 1) * dilation + 1;
            const window = {
              kernelSize: [kernel, kernel],
              strides: [stride, stride],
              dilations: [dilation, dilation],
              padding,
            } as const;
            const [[top, bottom], [left, right]] = explicitPadding([size, size + 1], window);
            if (padding === 'same') {
              // TensorFlow: as little as gives ceil(size / stride) positions, the odd one at the end.
              expect(bottom - top === 0 || bottom - top === 1).toBe(true);
              if (top + bottom > 0) {
                const without = countPositions(size, kernel, stride, dilation, 0, top + bottom - 1);
                expect(without).toBeLessThan(Math.ceil(size / stride));
              }
            }
            if (size + top + bottom < span || size + 1 + left + right < span) continue;
            const expected = [
              countPositions(size, kernel, stride, dilation, top, bottom),
              countPositions(size + 1, kernel, stride, dilation, left, right),
              6,
            ];
            if (padding === 'same') {
              expect(expected.slice(0, 2)).toEqual([
                Math.ceil(size / stride),
                Math.ceil((size + 1) / stride),
              ]);
            }
            const attrs = { ...window, filters: 6, groups: 1 };
            expect(infer('conv2d', attrs, [[size, size + 1, 3]])).toEqual([expected]);
          }
        }
      }
    }
  });

  it('put the odd zero of "same" at the end', () => {
    const window = {
      kernelSize: [3, 2],
      strides: [2, 1],
      dilations: [1, 1],
      padding: 'same',
    } as const;
    expect(explicitPadding([8, 5], window)).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(explicitPadding([7, 5], window)).toEqual([
      [1, 1],
      [0, 1],
    ]);
  });
});

const window = { kernelSize: [3, 3], strides: [2, 2], dilations: [1, 1], padding: 'same' } as const;
const transpose = { ...window, filters: 4, outputPadding: null } as const;
const pool = { poolSize: [3, 3], strides: [2, 2], padding: 'valid' } as const;
const none = {};

/** op, attributes, input shapes, output shapes. */
type Case = { [K in Op]: readonly [K, OpAttrs[K], readonly Shape[], readonly Shape[]] }[Op];

const cases: readonly Case[] = [
  ['conv2d', { ...window, filters: 8, groups: 2 }, [[7, 9, 4]], [[4, 5, 8]]],
  ['depthwiseConv2d', { ...window, multiplier: 3 }, [[7, 9, 4]], [[4, 5, 12]]],
  // keras.layers.Conv2DTranspose on [5, 4, 3], kernel 3, strides 2.
  ['conv2dTranspose', transpose, [[5, 4, 3]], [[10, 8, 4]]],
  ['conv2dTranspose', { ...transpose, padding: 'valid' }, [[5, 4, 3]], [[11, 9, 4]]],
  ['conv2dTranspose', { ...transpose, outputPadding: [0, 1] }, [[5, 4, 3]], [[9, 8, 4]]],
  [
    'conv2dTranspose',
    { ...transpose, padding: 'valid', outputPadding: [1, 0] },
    [[5, 4, 3]],
    [[12, 9, 4]],
  ],
  // torch.nn.ConvTranspose2d(kernel 3, stride 2, padding 1, output_padding 1) doubles.
  [
    'conv2dTranspose',
    {
      ...transpose,
      padding: [
        [1, 1],
        [1, 1],
      ],
      outputPadding: [1, 1],
    },
    [[5, 4, 3]],
    [[10, 8, 4]],
  ],
  ['dense', { units: 7 }, [[12]], [[7]]],
  ['dense', { units: 7 }, [[5, 6, 12]], [[5, 6, 7]]],
  ['batchNorm', { epsilon: 1e-3, momentum: 0.9 }, [[5, 6, 3]], [[5, 6, 3]]],
  ['layerNorm', { epsilon: 1e-3, axes: [-1] }, [[5, 6, 3]], [[5, 6, 3]]],
  ['groupNorm', { epsilon: 1e-3, groups: 2 }, [[5, 6, 4]], [[5, 6, 4]]],
  ['activation', { fn: 'mish' }, [[5, 6, 4]], [[5, 6, 4]]],
  ['softmax', { axis: -1 }, [[10]], [[10]]],
  ['dropout', { rate: 0.5 }, [[10]], [[10]]],
  ['add', none, [[5, 6, 4], [5, 6, 4], [1]], [[5, 6, 4]]],
  ['sub', none, [[4], [5, 1, 4]], [[5, 1, 4]]],
  [
    'mul',
    none,
    [
      [5, 6, 4],
      [1, 1, 4],
    ],
    [[5, 6, 4]],
  ],
  [
    'div',
    none,
    [
      [5, 6, 1],
      [5, 6, 4],
    ],
    [[5, 6, 4]],
  ],
  [
    'max',
    none,
    [
      [5, 1, 4],
      [1, 6, 1],
    ],
    [[5, 6, 4]],
  ],
  ['min', none, [[], [3]], [[3]]],
  ['average', none, [[3], [3], [3]], [[3]]],
  [
    'concat',
    { axis: -1 },
    [
      [5, 6, 4],
      [5, 6, 1],
      [5, 6, 2],
    ],
    [[5, 6, 7]],
  ],
  [
    'concat',
    { axis: 0 },
    [
      [5, 6],
      [2, 6],
    ],
    [[7, 6]],
  ],
  [
    'split',
    { axis: 2, sizes: [1, 3] },
    [[5, 6, 4]],
    [
      [5, 6, 1],
      [5, 6, 3],
    ],
  ],
  ['slice', { begin: [0, 1, 0], end: [5, 6, 3], strides: [2, 2, 1] }, [[5, 6, 4]], [[3, 3, 3]]],
  ['gather', { indices: [3, 0, 0] }, [[5, 6, 4]], [[5, 6, 3]]],
  ['maxPool2d', pool, [[7, 8, 4]], [[3, 3, 4]]],
  [
    'avgPool2d',
    {
      ...pool,
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
    [[7, 8, 4]],
    [[4, 4, 4]],
  ],
  ['globalAvgPool', { keepDims: false }, [[7, 8, 4]], [[4]]],
  ['globalMaxPool', { keepDims: true }, [[7, 8, 4]], [[1, 1, 4]]],
  ['flatten', none, [[7, 8, 4]], [[224]]],
  ['reshape', { shape: [2, 28, 4] }, [[7, 8, 4]], [[2, 28, 4]]],
  ['permute', { perm: [2, 0, 1] }, [[7, 8, 4]], [[4, 7, 8]]],
  [
    'pad',
    {
      paddings: [
        [1, 2],
        [0, 0],
        [3, 0],
      ],
      mode: 'constant',
      value: 0,
    },
    [[7, 8, 4]],
    [[10, 8, 7]],
  ],
  [
    'crop',
    {
      amounts: [
        [1, 2],
        [0, 3],
      ],
    },
    [[7, 8, 4]],
    [[4, 5, 4]],
  ],
  [
    'resize',
    { size: [14, 3], mode: 'bilinear', alignCorners: false, halfPixel: true },
    [[7, 8, 4]],
    [[14, 3, 4]],
  ],
  ['depthToSpace', { block: 2, order: 'dcr' }, [[7, 8, 12]], [[14, 16, 3]]],
  ['spaceToDepth', { block: 2 }, [[6, 8, 3]], [[3, 4, 12]]],
  ['reduce', { fn: 'mean', axes: [0, -2], keepDims: false }, [[7, 8, 4]], [[4]]],
  ['reduce', { fn: 'max', axes: [2], keepDims: true }, [[7, 8, 4]], [[7, 8, 1]]],
  [
    'matmul',
    { transposeA: false, transposeB: true },
    [
      [2, 5, 6],
      [7, 6],
    ],
    [[2, 5, 7]],
  ],
  ['rescale', { scale: [2], offset: [0, 1, 2] }, [[7, 8, 3]], [[7, 8, 3]]],
];

describe('inferOutputs', () => {
  it.each(cases)('%s %j on %j gives %j', (op, attrs, inputs, outputs) => {
    expect(infer(op, attrs as never, inputs)).toEqual(outputs);
  });

  it('takes the shape of a constant and checks the slopes of prelu', () => {
    expect(infer('constant', none, [], float([2, 3]))).toEqual([[2, 3]]);
    expect(infer('prelu', none, [[5, 6, 4]], float([1, 1, 4]))).toEqual([[5, 6, 4]]);
    expect(messageOf(() => infer('prelu', none, [[5, 6, 4]], float([3])))).toContain('[3]');
    expect(messageOf(() => infer('prelu', none, [[1, 1, 4]], float([5, 6, 4])))).toContain('fit');
  });
});

/** op, attributes, input shapes, what the message says. */
type BadCase = { [K in Op]: readonly [K, OpAttrs[K], readonly Shape[], RegExp] }[Op];

const badCases: readonly BadCase[] = [
  ['conv2d', { ...window, filters: 8, groups: 1 }, [[12]], /must be an image/],
  ['conv2d', { ...window, filters: 8, groups: 3 }, [[7, 9, 4]], /3 groups/],
  ['conv2d', { ...window, filters: 0, groups: 1 }, [[7, 9, 4]], /filters/],
  ['conv2d', { ...window, strides: [0, 1], filters: 8, groups: 1 }, [[7, 9, 4]], /strides/],
  [
    'conv2d',
    { ...window, padding: 'valid', filters: 8, groups: 1 },
    [[7, 2, 4]],
    /window of 3 does not fit into 2/,
  ],
  ['conv2d', { ...window, filters: 8, groups: 1 }, [], /0 inputs, the op takes 1/],
  [
    'conv2dTranspose',
    {
      ...transpose,
      padding: [
        [9, 9],
        [0, 0],
      ],
    },
    [[5, 4, 3]],
    /leaves nothing/,
  ],
  ['depthwiseConv2d', { ...window, multiplier: 0.5 }, [[7, 9, 4]], /multiplier/],
  ['dense', { units: 7 }, [[]], /no channel axis/],
  ['layerNorm', { epsilon: 1e-3, axes: [3] }, [[5, 6, 3]], /axis 3 is outside rank 3/],
  ['layerNorm', { epsilon: 1e-3, axes: [2, -1] }, [[5, 6, 3]], /each once/],
  ['groupNorm', { epsilon: 1e-3, groups: 3 }, [[5, 6, 4]], /3 groups/],
  ['add', none, [[5, 6, 4]], /1 inputs, the op takes at least 2/],
  [
    'add',
    none,
    [
      [5, 6, 4],
      [5, 6, 3],
    ],
    /broadcast/,
  ],
  ['sub', none, [[3], [3], [3]], /3 inputs, the op takes 2/],
  ['softmax', { axis: -2 }, [[10]], /axis -2/],
  [
    'concat',
    { axis: -1 },
    [
      [5, 6, 4],
      [5, 7, 4],
    ],
    /agree on all axes but 2/,
  ],
  ['split', { axis: -1, sizes: [2, 3] }, [[5, 6, 4]], /add up/],
  ['slice', { begin: [0], end: [5], strides: [1] }, [[4]], /outside/],
  ['slice', { begin: [2], end: [2], strides: [1] }, [[4]], /empty/],
  ['slice', { begin: [0], end: [4], strides: [-1] }, [[4]], /strides/],
  ['gather', { indices: [0, 4] }, [[5, 6, 4]], /from 0 to 3/],
  ['reshape', { shape: [5, 5] }, [[5, 6]], /another number of values/],
  ['permute', { perm: [0, 0, 1] }, [[5, 6, 4]], /order the axes/],
  ['pad', { paddings: [[0, 5]], mode: 'reflect', value: 0 }, [[5]], /pad more/],
  ['pad', { paddings: [[0, 5]], mode: 'constant', value: NaN }, [[5]], /finite/],
  [
    'crop',
    {
      amounts: [
        [3, 4],
        [0, 0],
      ],
    },
    [[7, 8, 4]],
    /leaves nothing/,
  ],
  ['depthToSpace', { block: 2, order: 'dcr' }, [[7, 8, 6]], /4 positions/],
  ['spaceToDepth', { block: 2 }, [[7, 8, 6]], /block 2/],
  ['reduce', { fn: 'sum', axes: [], keepDims: true }, [[7, 8, 6]], /at least one axis/],
  [
    'matmul',
    { transposeA: false, transposeB: false },
    [
      [2, 3],
      [2, 3],
    ],
    /do not fit/,
  ],
  ['matmul', { transposeA: false, transposeB: false }, [[3], [3, 2]], /matrices/],
  ['rescale', { scale: [1, 2], offset: [0] }, [[7, 8, 3]], /scale must be one number or 3/],
  ['rescale', { scale: [Infinity], offset: [0] }, [[7, 8, 3]], /finite/],
  ['constant', none, [], /value is missing/],
];

describe('inferOutputs refuses', () => {
  it.each(badCases)('%s %j on %j', (op, attrs, inputs, message) => {
    const text = messageOf(() => infer(op, attrs as never, inputs));
    expect(text).toMatch(message);
    expect(text).toContain(`Layer "layer" (${op})`);
    for (const shape of inputs) expect(text).toContain(`[${shape.join(', ')}]`);
  });
});
