// Every op, written as .tflite and run by LiteRT, against formulas over indices.

import { describe, expect, it } from 'vitest';
import { lowerGraph } from '../../../../src-main/engine/formats/tflite/lower-graph';
import { parseFile } from '../../../../src-main/engine/formats/tflite/parse';
import { raiseProgram } from '../../../../src-main/engine/formats/tflite/read/raise';
import { serializeProgram } from '../../../../src-main/engine/formats/tflite/serialize';
import { GraphBuilder } from '../../../../src-main/engine/graph/build';
import { createRng, type Rng } from '../../../../src-main/engine/graph/rng';
import type {
  ActivationFn,
  Graph,
  OpAttrs,
  Op,
  Padding,
  Shape,
  Weight,
} from '../../../../src-main/engine/graph/types';
import { openLiteRt } from '../../../../src-main/engine/measure/litert';
import { maxAbsDiff, runReference } from '../../reference';
import { expectSmallerPrecisions } from './precisions';

const rng = createRng(20240501);

function random(shape: Shape, min = -1, max = 1, source: Rng = rng): Weight {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, () => source.uniform(min, max));
  return { shape, dtype: 'float32', data };
}

/**
 * Checks the smaller precisions; largest difference between the reference's outputs of a graph, LiteRT's of the written file, and the reference's of
 * what is read back from it.
 */
async function difference(graph: Graph, min = -2, max = 2): Promise<number> {
  const input = random(graph.inputs[0]!.shape, min, max).data as Float32Array;
  const expected = runReference(graph, [input]);
  const bytes = serializeProgram(lowerGraph(graph));
  await expectSmallerPrecisions(graph, input, expected);
  const readBack = runReference(raiseProgram(parseFile(bytes).program).graph, [input]);
  const runner = await openLiteRt(bytes);
  try {
    const actual = await runner.run(input);
    expect(actual.length).toBe(expected.length);
    expect(readBack.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
    return Math.max(
      ...expected.map(({ data }, i) => maxAbsDiff(data, actual[i]!)),
      ...expected.map(({ data }, i) => maxAbsDiff(data, readBack[i]!.data)),
    );
  } finally {
    runner.close();
  }
}

/** A graph of one input and the layers that a function adds. */
function graphOf(shape: Shape, add: (builder: GraphBuilder, input: string) => string): Graph {
  const builder = new GraphBuilder('test', { rng });
  builder.output(add(builder, builder.input('input', shape)));
  return builder.build();
}

/** A graph of one layer. */
function single<K extends Op>(
  op: K,
  shape: Shape,
  attrs: OpAttrs[K],
  weights: Readonly<Record<string, Weight>> = {},
): Graph {
  return graphOf(shape, (builder, x) => builder.apply(op, [x], attrs, { weights }));
}

const tolerance = 1e-5;
const paddings: readonly Padding[] = [
  'same',
  'valid',
  [
    [1, 2],
    [2, 0],
  ],
];

describe('layers with filters', () => {
  for (const padding of paddings) {
    const name = JSON.stringify(padding);
    it(`conv2d, padding ${name}, stride 2`, async () => {
      const graph = graphOf([7, 6, 3], (b, x) =>
        b.conv2d(x, { filters: 4, kernelSize: [3, 2], strides: 2, padding }),
      );
      expect(await difference(graph)).toBeLessThan(tolerance);
    });

    it(`conv2d in groups, padding ${name}`, async () => {
      const graph = graphOf([5, 6, 6], (b, x) =>
        b.conv2d(x, { filters: 4, kernelSize: 3, groups: 2, padding }),
      );
      expect(await difference(graph)).toBeLessThan(tolerance);
    });

    it(`depthwiseConv2d with multiplier, padding ${name}, stride 2`, async () => {
      const graph = graphOf([7, 6, 3], (b, x) =>
        b.depthwiseConv2d(x, { kernelSize: 3, multiplier: 2, strides: 2, padding }),
      );
      expect(await difference(graph)).toBeLessThan(tolerance);
    });

    it(`conv2dTranspose, padding ${name}, stride 2`, async () => {
      const graph = graphOf([4, 5, 3], (b, x) =>
        b.conv2dTranspose(x, { filters: 2, kernelSize: [3, 4], strides: 2, padding }),
      );
      expect(await difference(graph)).toBeLessThan(tolerance);
    });
  }

  it('conv2dTranspose with a stride larger than the kernel', async () => {
    const graph = graphOf([3, 4, 2], (b, x) =>
      b.conv2dTranspose(x, { filters: 3, kernelSize: 2, strides: 3, padding: 'same' }),
    );
    expect(await difference(graph)).toBeLessThan(tolerance);
  });

  it('conv2dTranspose with output padding beyond the full result', async () => {
    const explicit: Padding = [
      [1, 0],
      [0, 0],
    ];
    const graph = graphOf([3, 4, 2], (b, x) =>
      b.conv2dTranspose(x, {
        filters: 3,
        kernelSize: 3,
        strides: 2,
        padding: explicit,
        outputPadding: [1, 1],
      }),
    );
    expect(await difference(graph)).toBeLessThan(tolerance);
  });

  it('dilated convolutions', async () => {
    const conv = graphOf([9, 8, 3], (b, x) =>
      b.conv2d(x, { filters: 4, kernelSize: 3, dilations: 2, padding: 'same' }),
    );
    const depthwise = graphOf([9, 8, 3], (b, x) =>
      b.depthwiseConv2d(x, { kernelSize: 3, dilations: [1, 2], padding: 'valid' }),
    );
    expect(await difference(conv)).toBeLessThan(tolerance);
    expect(await difference(depthwise)).toBeLessThan(tolerance);
  });

  it('a convolution with one input channel a group', async () => {
    const graph = graphOf([5, 5, 4], (b, x) =>
      b.conv2d(x, { filters: 8, kernelSize: 3, groups: 4, padding: 'same' }),
    );
    expect(lowerGraph(graph).operations[0]!.operator).toBe('DEPTHWISE_CONV_2D');
    expect(await difference(graph)).toBeLessThan(tolerance);
  });

  it('dense on vectors and on images, with and without bias', async () => {
    const vector = graphOf([6], (b, x) => b.dense(x, { units: 4 }));
    const image = graphOf([2, 3, 6], (b, x) => b.dense(x, { units: 4, bias: false }));
    expect(await difference(vector)).toBeLessThan(tolerance);
    expect(await difference(image)).toBeLessThan(tolerance);
  });
});

function normWeights(channels: number): Readonly<Record<string, Weight>> {
  return {
    gamma: random([channels], 0.5, 1.5),
    beta: random([channels]),
    mean: random([channels]),
    variance: random([channels], 0.5, 2),
  };
}

describe('normalisations', () => {
  it('batch norm alone, with and without gamma and beta', async () => {
    const weights = normWeights(5);
    const full = single('batchNorm', [3, 4, 5], { epsilon: 1e-3, momentum: 0.9 }, weights);
    const bare = single(
      'batchNorm',
      [5],
      { epsilon: 0.1, momentum: 0.9 },
      { mean: weights.mean!, variance: weights.variance! },
    );
    expect(await difference(full)).toBeLessThan(tolerance);
    expect(await difference(bare)).toBeLessThan(tolerance);
  });

  for (const layer of ['conv2d', 'depthwiseConv2d', 'conv2dTranspose', 'dense'] as const) {
    for (const bias of [true, false]) {
      it(`batch norm and ReLU folded into ${layer} ${bias ? 'with' : 'without'} bias`, async () => {
        const graph = graphOf([6, 6, 4], (b, x) => {
          const y =
            layer === 'dense'
              ? b.dense(x, { units: 8, bias })
              : layer === 'depthwiseConv2d'
                ? b.depthwiseConv2d(x, { kernelSize: 3, multiplier: 2, bias })
                : b[layer](x, { filters: 8, kernelSize: 3, strides: 2, bias });
          const weights = normWeights(8);
          return b.activation(b.batchNorm(y, { weights }), 'relu');
        });
        const operators = lowerGraph(graph).operations.map(({ operator }) => operator);
        expect(operators).not.toContain('MUL');
        expect(operators.length).toBe(layer === 'conv2dTranspose' ? 2 : 1);
        expect(await difference(graph)).toBeLessThan(tolerance);
      });
    }
  }

  it('does not fold a batch norm when the convolution has another reader', async () => {
    const graph = graphOf([4, 4, 3], (b, x) => {
      const y = b.conv2d(x, { filters: 3, kernelSize: 1 });
      const z = b.batchNorm(y, { weights: normWeights(3) });
      return b.add([y, b.activation(z, 'relu')]);
    });
    expect(lowerGraph(graph).operations.map(({ operator }) => operator)).toEqual([
      'CONV_2D',
      'MUL',
      'ADD',
      'ADD',
    ]);
    expect(await difference(graph)).toBeLessThan(tolerance);
  });

  it('does not fold what is an output of the model', async () => {
    const builder = new GraphBuilder('test', { rng });
    const conv = builder.conv2d(builder.input('x', [4, 4, 3]), { filters: 2, kernelSize: 3 });
    builder.output(conv, 'b-raw');
    builder.output(builder.activation(conv, 'relu'), 'a-activated');
    const graph = builder.build();
    expect(lowerGraph(graph).operations.map(({ operator }) => operator)).toEqual([
      'CONV_2D',
      'RELU',
    ]);
    expect(await difference(graph)).toBeLessThan(tolerance);
  });

  it('layer norm over channels and over everything', async () => {
    const image = single(
      'layerNorm',
      [3, 4, 6],
      { epsilon: 1e-3, axes: [-1] },
      {
        gamma: random([6], 0.5, 1.5),
        beta: random([6]),
      },
    );
    const whole = single(
      'layerNorm',
      [3, 2, 4],
      { epsilon: 1e-2, axes: [0, 1, 2] },
      {
        gamma: random([3, 2, 4], 0.5, 1.5),
        beta: random([3, 2, 4]),
      },
    );
    expect(await difference(image)).toBeLessThan(tolerance);
    expect(await difference(whole)).toBeLessThan(tolerance);
  });

  it('group norm', async () => {
    const weights = { gamma: random([6], 0.5, 1.5), beta: random([6]) };
    const graph = single('groupNorm', [3, 4, 6], { epsilon: 1e-3, groups: 3 }, weights);
    expect(await difference(graph)).toBeLessThan(tolerance);
  });
});

const positiveOnly: readonly ActivationFn[] = ['sqrt', 'log'];
const activations = [
  'relu',
  'relu6',
  'leakyRelu',
  'elu',
  'selu',
  'sigmoid',
  'hardSigmoid',
  'tanh',
  'softplus',
  'softsign',
  'swish',
  'hardSwish',
  'gelu',
  'geluTanh',
  'mish',
  'exp',
  'log',
  'sqrt',
  'abs',
  'neg',
  'linear',
] as const satisfies readonly ActivationFn[];

describe('activations', () => {
  for (const fn of activations) {
    it(fn, async () => {
      const graph = single('activation', [4, 5, 3], { fn });
      const min = positiveOnly.includes(fn) ? 0 : -4;
      expect(await difference(graph, min, 8)).toBeLessThan(fn === 'exp' ? 1e-2 : tolerance);
    });
  }

  it('with their own slope', async () => {
    for (const fn of ['leakyRelu', 'elu', 'hardSigmoid'] as const) {
      const graph = single('activation', [4, 5, 3], { fn, alpha: 0.37 });
      expect(await difference(graph, -4, 4)).toBeLessThan(tolerance);
    }
  });

  it('prelu with a slope a channel and with one for all', async () => {
    const channel = single('prelu', [3, 4, 5], {}, { alpha: random([5]) });
    const shared = single('prelu', [3, 4, 5], {}, { alpha: random([1, 1, 1]) });
    expect(await difference(channel)).toBeLessThan(tolerance);
    expect(await difference(shared)).toBeLessThan(tolerance);
  });

  it('softmax over the last and another axis', async () => {
    expect(await difference(single('softmax', [7], { axis: -1 }))).toBeLessThan(tolerance);
    expect(await difference(single('softmax', [3, 4, 5], { axis: 0 }))).toBeLessThan(tolerance);
  });

  it('rescale, one number or one a channel', async () => {
    const one = single('rescale', [2, 2, 3], { scale: [1 / 127.5], offset: [-1] });
    const each = single('rescale', [2, 2, 3], { scale: [2, 3, 4], offset: [0, 1, -1] });
    expect(await difference(one)).toBeLessThan(tolerance);
    expect(await difference(each)).toBeLessThan(tolerance);
  });
});

describe('arithmetic', () => {
  for (const op of ['add', 'sub', 'mul', 'div', 'max', 'min', 'average'] as const) {
    it(`${op}, also with a channel vector and a constant`, async () => {
      const graph = graphOf([3, 4, 5], (b, x) => {
        const shifted = b.apply('rescale', [x], { scale: [0.5], offset: [3] });
        const vector = b.globalAvgPool(shifted);
        const value = b.constant(random([4, 1], 1, 2));
        const y = b.apply(op, [x, shifted], {});
        return b.apply(op, [b.apply(op, [y, vector], {}), value], {});
      });
      expect(await difference(graph)).toBeLessThan(tolerance);
    });
  }

  it('more than two tensors at once, with an activation', async () => {
    const graph = graphOf([3, 4, 5], (b, x) => {
      const y = b.activation(x, 'neg');
      const z = b.activation(x, 'abs');
      return b.activation(b.add([x, y, z]), 'relu6');
    });
    expect(await difference(graph, -5, 9)).toBeLessThan(tolerance);
  });

  it('matrix product', async () => {
    const graph = graphOf([3, 4], (b, x) => {
      const y = b.apply('matmul', [x, x], { transposeA: true, transposeB: false });
      return b.apply('matmul', [y, x], { transposeA: false, transposeB: true });
    });
    expect(await difference(graph)).toBeLessThan(tolerance);
  });
});

describe('pooling and reductions', () => {
  for (const padding of paddings) {
    for (const op of ['maxPool2d', 'avgPool2d'] as const) {
      for (const countPadding of op === 'avgPool2d' ? [false, true] : [false]) {
        const counted = countPadding ? ', padding counted' : '';
        it(`${op}, padding ${JSON.stringify(padding)}${counted}`, async () => {
          const attrs = { poolSize: [3, 3], strides: [2, 2], padding, countPadding } as const;
          expect(await difference(single(op, [7, 8, 3], attrs), -5, -1)).toBeLessThan(tolerance);
        });
      }
    }
  }

  it('average over explicit padding that is the same as SAME', async () => {
    const padding: Padding = [
      [1, 1],
      [1, 1],
    ];
    for (const countPadding of [false, true]) {
      const attrs = { poolSize: [3, 3], strides: [1, 1], padding, countPadding } as const;
      const graph = single('avgPool2d', [5, 5, 2], attrs);
      expect(await difference(graph)).toBeLessThan(tolerance);
    }
  });

  for (const keepDims of [false, true]) {
    it(`global pooling, ${keepDims ? 'keeping' : 'dropping'} the axes`, async () => {
      for (const op of ['globalAvgPool', 'globalMaxPool'] as const) {
        expect(await difference(single(op, [4, 5, 3], { keepDims }))).toBeLessThan(tolerance);
      }
    });

    for (const fn of ['mean', 'sum', 'max', 'min', 'prod'] as const) {
      it(`reduce ${fn}, ${keepDims ? 'keeping' : 'dropping'} the axes`, async () => {
        const graph = single('reduce', [3, 4, 5], { fn, axes: [0, -1], keepDims });
        expect(await difference(graph)).toBeLessThan(tolerance);
      });
    }
  }
});

describe('ops that move values', () => {
  it('concat and split, on channels and on rows', async () => {
    for (const axis of [-1, 0]) {
      const builder = new GraphBuilder('test', { rng });
      const x = builder.input('x', [6, 4, 6]);
      const parts = builder.applyAll('split', [x], { axis, sizes: [1, 3, 2] });
      builder.output(builder.concat([parts[2]!, parts[0]!, x, parts[1]!], { axis }), 'joined');
      builder.output(parts[1]!, 'part');
      expect(await difference(builder.build())).toBeLessThan(tolerance);
    }
  });

  it('slice with and without steps, gather, crop', async () => {
    const graphs = [
      single('slice', [6, 5, 4], { begin: [1, 0, 2], end: [5, 5, 4], strides: [1, 1, 1] }),
      single('slice', [6, 5, 4], { begin: [0, 1, 0], end: [6, 5, 4], strides: [2, 2, 1] }),
      single('gather', [3, 2, 6], { indices: [5, 0, 0, 3] }),
      single('crop', [6, 5, 4], {
        amounts: [
          [1, 2],
          [0, 3],
        ],
      }),
    ];
    for (const graph of graphs) expect(await difference(graph)).toBeLessThan(tolerance);
  });

  it('pad with zeros, another value, and mirrored', async () => {
    const paddings = [
      [1, 0],
      [2, 1],
      [0, 3],
    ] as const;
    const mirrored = [
      [1, 2],
      [2, 1],
      [0, 0],
    ] as const;
    const graphs = [
      single('pad', [3, 4, 5], { paddings, mode: 'constant', value: 0 }),
      single('pad', [3, 4, 5], { paddings, mode: 'constant', value: -1.5 }),
      single('pad', [3, 4, 5], { paddings: mirrored, mode: 'reflect', value: 0 }),
      single('pad', [3, 4, 5], { paddings: mirrored, mode: 'symmetric', value: 0 }),
    ];
    for (const graph of graphs) expect(await difference(graph)).toBeLessThan(tolerance);
  });

  it('flatten, reshape, permute, and a channel shuffle of five axes', async () => {
    const shuffle = graphOf([3, 2, 6], (b, x) => {
      const grouped = b.apply('reshape', [x], { shape: [3, 2, 2, 3] });
      const moved = b.apply('permute', [grouped], { perm: [0, 1, 3, 2] });
      return b.apply('reshape', [moved], { shape: [3, 2, 6] });
    });
    const graphs = [
      single('flatten', [3, 4, 5], {}),
      single('reshape', [3, 4, 5], { shape: [12, 5] }),
      single('permute', [3, 4, 5], { perm: [2, 0, 1] }),
      shuffle,
    ];
    for (const graph of graphs) expect(await difference(graph)).toBeLessThan(tolerance);
  });

  it('depth to space in both orders, and back', async () => {
    const graphs = [
      single('depthToSpace', [2, 3, 8], { block: 2, order: 'dcr' }),
      single('depthToSpace', [2, 3, 8], { block: 2, order: 'crd' }),
      single('spaceToDepth', [4, 6, 3], { block: 2 }),
    ];
    for (const graph of graphs) expect(await difference(graph)).toBeLessThan(tolerance);
  });

  for (const mode of ['nearest', 'bilinear'] as const) {
    for (const [alignCorners, halfPixel] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const) {
      it(`resize ${mode}, corners ${alignCorners}, half pixel ${halfPixel}`, async () => {
        const graph = single('resize', [3, 4, 2], {
          size: [7, 9],
          mode,
          alignCorners,
          halfPixel,
        });
        expect(await difference(graph)).toBeLessThan(tolerance);
      });
    }
  }
});

describe('the shape of the program', () => {
  it('writes dropout and linear as nothing, and still gives the output a tensor of its own', async () => {
    const graph = graphOf([4], (b, x) => b.apply('dropout', [x], { rate: 0.5 }));
    expect(lowerGraph(graph).operations.map(({ operator }) => operator)).toEqual(['RESHAPE']);
    expect(await difference(graph)).toBe(0);
  });

  it('stores equal constants once', () => {
    const kernel = random([1, 1, 3, 3]);
    const graph = graphOf([4, 4, 3], (b, x) => {
      const weights = { kernel, bias: null };
      const attrs = { filters: 3, kernelSize: 1, weights };
      return b.conv2d(b.conv2d(x, attrs), attrs);
    });
    // One kernel and one bias of zeros, although two layers have them.
    expect(lowerGraph(graph).buffers.length).toBe(2);
  });

  it('names the layer that TFLite cannot hold', () => {
    const graph = graphOf([4, 4, 3], (b, x) =>
      b.conv2dTranspose(x, { filters: 2, kernelSize: 3, dilations: 2, name: 'up' }),
    );
    expect(() => lowerGraph(graph)).toThrowError(
      expect.objectContaining({
        code: 'EXPORT_UNSUPPORTED',
        message: expect.stringContaining('"up"'),
      }),
    );
  });
});
