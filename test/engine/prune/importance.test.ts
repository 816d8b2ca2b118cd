import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Weight } from '../../../src-main/engine/graph/types';
import {
  distanceSums,
  l1Norms,
  l2Norms,
  lampScores,
} from '../../../src-main/engine/prune/filter-scores';
import { analyse } from '../../../src-main/engine/prune/groups';
import { scoreChannels } from '../../../src-main/engine/prune/importance';
import type { Criterion } from '../../../src-main/engine/prune/types';
import { makeModel, weightOf } from './networks';

function randomWeight(shape: number[], seed = 1): Weight {
  const rng = createRng(seed);
  const data = Float32Array.from({ length: shape.reduce((n, size) => n * size, 1) }, () =>
    rng.normal(),
  );
  return { shape, dtype: 'float32', data };
}

/** The values of one filter of a four-axis kernel, read by coordinates. */
function filterOf({ shape, data }: Weight, axis: number, filter: number): number[] {
  const values: number[] = [];
  const [a, b, c, d] = shape as [number, number, number, number];
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let k = 0; k < c; k++)
        for (let l = 0; l < d; l++)
          if ([i, j, k, l][axis] === filter) values.push(data[((i * b + j) * c + k) * d + l]!);
  return values;
}

function distance(x: number[], y: number[]): number {
  return Math.sqrt(x.reduce((sum, value, i) => sum + (value - y[i]!) ** 2, 0));
}

// Output filters of conv2d are on axis 3, those of conv2dTranspose on axis 2.
describe.each([2, 3])('filters along axis %i', (axis) => {
  const weight = randomWeight([3, 2, 5, 7]);
  const filters = Array.from({ length: weight.shape[axis]! }, (_, f) => filterOf(weight, axis, f));

  const expectClose = (actual: Float64Array, expected: number[]): void => {
    expect(actual).toHaveLength(expected.length);
    expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 10));
  };

  it('have the L1 norm of Li et al.: the sum of absolute weights', () => {
    expectClose(
      l1Norms(weight, axis),
      filters.map((filter) => filter.reduce((sum, w) => sum + Math.abs(w), 0)),
    );
  });

  it('have the L2 norm', () => {
    expectClose(
      l2Norms(weight, axis),
      filters.map((filter) =>
        distance(
          filter,
          filter.map(() => 0),
        ),
      ),
    );
  });

  it('have the FPGM score of He et al.: the sum of distances to all filters', () => {
    expectClose(
      distanceSums(weight, axis),
      filters.map((x) => filters.reduce((sum, y) => sum + distance(x, y), 0)),
    );
  });

  it('have the LAMP score of Lee et al.: the share of the norms that are not smaller', () => {
    const squares = filters.map((filter) => filter.reduce((sum, w) => sum + w * w, 0));
    expectClose(
      lampScores(weight, axis),
      squares.map((own) => own / squares.filter((s) => s >= own).reduce((a, b) => a + b)),
    );
  });
});

describe('degenerate filters', () => {
  it('have finite scores', () => {
    const zeros = { ...randomWeight([1, 1, 2, 6]), data: new Float32Array(12) };
    for (const score of [l1Norms, l2Norms, distanceSums, lampScores]) {
      expect([...score(zeros, 3)]).toEqual([0, 0, 0, 0, 0, 0]);
    }
  });

  it('rank equal LAMP norms by index', () => {
    const equal = { ...randomWeight([1, 1, 1, 3]), data: Float32Array.of(1, 1, 1) };
    const scores = lampScores(equal, 3);
    expect([...scores]).toEqual([1 / 3, 1 / 2, 1]);
  });
});

/** A trunk of two convolutions with batch norms, and one convolution on its own. */
function trunk(b: GraphBuilder): void {
  const x = b.batchNorm(
    b.conv2d(b.input('image', [4, 4, 3]), { name: 'a', filters: 5, kernelSize: 3 }),
    { name: 'a_bn' },
  );
  const y = b.batchNorm(b.conv2d(x, { name: 'b', filters: 5, kernelSize: 3 }), { name: 'b_bn' });
  const z = b.conv2d(b.add([x, y]), { name: 'c', filters: 4, kernelSize: 1 });
  b.output(b.dense(b.globalAvgPool(z), { units: 2, name: 'head' }));
}

const options = { criterion: 'l1', reduction: 'mean', normalisation: 'none', seed: 0 } as const;

describe('scores of groups', () => {
  const model = makeModel(trunk);
  const analysis = analyse(model);
  const norms = (name: string): number[] => [...l1Norms(weightOf(model, `${name}/kernel`), 3)];
  const [a, b] = [norms('a'), norms('b')];
  const closeTo = (expected: number[]): unknown[] => expected.map((v) => expect.closeTo(v, 9));

  it.each([
    ['mean', a.map((v, i) => (v + b[i]!) / 2)],
    ['sum', a.map((v, i) => v + b[i]!)],
    ['max', a.map((v, i) => Math.max(v, b[i]!))],
    ['first', a],
  ] as const)('are reduced over members by %s', (reduction, expected) => {
    const scores = scoreChannels(analysis, { ...options, reduction });
    expect([...scores[0]!]).toEqual(closeTo([...expected]));
    expect([...scores[1]!]).toEqual(closeTo(norms('c')));
  });

  it('are normalised within each group', () => {
    const c = norms('c');
    const mean = c.reduce((x, y) => x + y) / c.length;
    const deviation = Math.sqrt(c.reduce((sum, v) => sum + (v - mean) ** 2, 0) / c.length);
    const scored = (normalisation: 'mean' | 'max' | 'standardise'): number[] => [
      ...scoreChannels(analysis, { ...options, normalisation })[1]!,
    ];
    expect(scored('mean')).toEqual(closeTo(c.map((v) => v / mean)));
    expect(scored('max')).toEqual(closeTo(c.map((v) => v / Math.max(...c))));
    expect(scored('standardise')).toEqual(closeTo(c.map((v) => (v - mean) / deviation)));
  });

  it('are normalised by the mean for norms and not at all for gammas unless said otherwise', () => {
    const open = { reduction: 'mean', seed: 0 } as const;
    const given = (criterion: Criterion, normalisation: 'none' | 'mean'): Float64Array =>
      scoreChannels(analysis, { ...open, criterion, normalisation })[0]!;
    const free = (criterion: Criterion): Float64Array =>
      scoreChannels(analysis, { ...open, criterion })[0]!;
    expect(free('l1')).toEqual(given('l1', 'mean'));
    expect(free('bn')).toEqual(given('bn', 'none'));
  });

  it('take |gamma| of every batch norm, and say nothing where there is none', () => {
    const scores = scoreChannels(analysis, { ...options, criterion: 'bn' });
    const gamma = (name: string): Float32Array | Int32Array | Uint8Array =>
      weightOf(model, `${name}_bn/gamma`).data;
    expect([...scores[0]!]).toEqual(
      [0, 1, 2, 3, 4].map((i) => (Math.abs(gamma('a')[i]!) + Math.abs(gamma('b')[i]!)) / 2),
    );
    expect([...scores[1]!]).toEqual([NaN, NaN, NaN, NaN]);
  });

  it('repeat for a seed and differ between seeds', () => {
    const random = (seed: number): number[] => [
      ...scoreChannels(analysis, { ...options, criterion: 'random', seed })[0]!,
    ];
    expect(random(1)).toEqual(random(1));
    expect(random(1)).not.toEqual(random(2));
  });

  it('read data-driven statistics by producing layer', () => {
    const statistics = new Map([
      ['a', [1, 2, 3, 4, 5]],
      ['b', [5, 5, 5, 5, 5]],
      ['c', [1, 1, 1, 1]],
      ['head', [0, 0]],
    ]);
    const scores = scoreChannels(analysis, { ...options, criterion: 'taylor' }, statistics);
    expect([...scores[0]!]).toEqual([3, 3.5, 4, 4.5, 5]);
  });

  it.each(['taylor', 'activation', 'apoz'] as const)('ask for data for %s', (criterion) => {
    expect(() => scoreChannels(analysis, { ...options, criterion })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('divide only by the layers that have a channel', () => {
    // b's two channels are added to the first two of a's, c's one to the last.
    const partial = makeModel((builder) => {
      const conv = (x: string, name: string, filters: number): string =>
        builder.conv2d(x, { name, filters, kernelSize: 1 });
      const x = conv(builder.input('x', [2, 2, 1]), 'a', 4);
      const [p, q, r] = builder.applyAll('split', [x], { axis: -1, sizes: [2, 1, 1] });
      const sums = [builder.add([p!, conv(q!, 'b', 2)]), builder.add([r!, conv(q!, 'c', 1)])];
      builder.output(builder.dense(builder.globalAvgPool(builder.concat(sums)), { units: 1 }));
    });
    const kernel = (name: string): number[] => [...l1Norms(weightOf(partial, `${name}/kernel`), 3)];
    const [first, second, third] = [kernel('a'), kernel('b'), kernel('c')];
    const scores = scoreChannels(analyse(partial), options);
    expect([...scores[0]!]).toEqual(
      closeTo([
        (first[0]! + second[0]!) / 2,
        (first[1]! + second[1]!) / 2,
        first[2]!,
        (first[3]! + third[0]!) / 2,
      ]),
    );
  });

  it('average over the slots of a grouped convolution', () => {
    const grouped = makeModel((builder) => {
      const x = builder.conv2d(builder.input('x', [2, 2, 1]), {
        name: 'a',
        filters: 6,
        kernelSize: 1,
      });
      const y = builder.conv2d(x, { name: 'g', filters: 2, kernelSize: 1, groups: 2 });
      builder.output(builder.dense(builder.globalAvgPool(y), { units: 1 }));
    });
    const kernel = l1Norms(weightOf(grouped, 'a/kernel'), 3);
    expect([...scoreChannels(analyse(grouped), options)[0]!]).toEqual(
      closeTo([0, 1, 2].map((slot) => (kernel[slot]! + kernel[slot + 3]!) / 2)),
    );
  });

  it('name the layer whose weights are not numbers', () => {
    const broken = makeModel(trunk);
    weightOf(broken, 'b/kernel').data[7] = NaN;
    expect(() => scoreChannels(analyse(broken), options)).toThrow(
      expect.objectContaining({
        code: 'MODEL_NOT_FINITE',
        message: expect.stringContaining('"b"') as string,
      }),
    );
  });

  it('refuse the gamma criterion for a model without batch norm', () => {
    const bare = makeModel((builder) => {
      builder.output(builder.dense(builder.input('x', [3]), { units: 2 }));
    });
    expect(() => scoreChannels(analyse(bare), { ...options, criterion: 'bn' })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
