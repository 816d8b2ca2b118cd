import { beforeAll, describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import type { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';
import { evaluate } from '../../../src-main/engine/measure/accuracy';
import { analyse, defaultPruneOptions, planPrune, prune } from '../../../src-main/engine/prune';
import {
  defaultSensitivityOptions,
  dropAt,
  dropCurve,
  isComplete,
  monotoneFit,
  scanSensitivity,
  sensitivitySplit,
} from '../../../src-main/engine/prune/sensitivity';
import type {
  SensitivityHead,
  SensitivityMap,
  SensitivityOptions,
  SensitivityPoint,
} from '../../../src-main/engine/prune/sensitivity/types';
import type { PruneOptions, PrunePlan } from '../../../src-main/engine/prune/types';
import { fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import { recalibrateBatchNorm } from '../../../src-main/engine/train/recalibrate';
import { train } from '../../../src-main/engine/train/trainer';
import { toyDataset, toyModel } from '../train/toy';
import { makeModel } from './networks';
import { errorOf } from '../../main/support';

/** Three convolutions of 16, 16 and 8 filters in a row, then a layer of 4 classes: three groups. */
const chain = (b: GraphBuilder): void => {
  let x = b.input('image', [4, 4, 3]);
  for (const [name, filters] of [
    ['a', 16],
    ['b', 16],
    ['c', 8],
  ] as const) {
    x = b.activation(b.conv2d(x, { kernelSize: 3, filters, name }), 'relu');
  }
  b.output(b.dense(b.globalAvgPool(x), { units: 4, name: 'classes' }));
};

const layers = { a: 16, b: 16, c: 8 } as const;
type Layer = keyof typeof layers;

/** A map with given drops by layer: pairs of channels kept and the drop then. */
function mapOf(
  drops: Readonly<Record<Layer, readonly (readonly [number, number])[]>>,
): SensitivityMap {
  const names = Object.keys(layers) as Layer[];
  return {
    options: defaultSensitivityOptions,
    split: 'val',
    samples: 1000,
    baseline: { top1: 0.9, loss: 0.3 },
    groups: names.map((name, group) => ({
      group,
      layers: [name],
      channels: layers[name],
      widths: drops[name].map(([kept]) => kept),
    })),
    points: names.flatMap((name, group) =>
      drops[name].map(([kept, drop]) => ({ group, kept, top1: 0.9 - drop, loss: 0.3 + drop })),
    ),
  };
}

const keptOf = (plan: PrunePlan): Record<string, number> =>
  Object.fromEntries(plan.layers.map(({ name, to }) => [name, to]));

const bySensitivity = (changes: Partial<PruneOptions>): PruneOptions => ({
  ...defaultPruneOptions,
  scope: 'sensitivity',
  ...changes,
});

/** Multiply-accumulates of the chain at given widths, written out. */
const chainMacs = (a: number, b: number, c: number): number =>
  16 * 9 * (3 * a + a * b + b * c) + c * 4;

describe('the monotone fit', () => {
  it.each([
    [[], []],
    [[3], [3]],
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
    [
      [3, 2, 1],
      [2, 2, 2],
    ],
    [
      [1, 3, 2, 4],
      [1, 2.5, 2.5, 4],
    ],
    [
      [4, 1, 1, 6, 5, 5],
      [2, 2, 2, 16 / 3, 16 / 3, 16 / 3],
    ],
  ])('of %j is %j', (values, expected) => {
    expect(monotoneFit(values)).toEqual(expected);
  });

  it('is the largest lower mean over all stretches, as the min-max formula of isotonic regression says', () => {
    const rng = createRng(5);
    for (let round = 0; round < 50; round++) {
      const values = Array.from({ length: 1 + rng.int(9) }, () => rng.normal());
      const mean = (from: number, to: number): number =>
        values.slice(from, to + 1).reduce((sum, value) => sum + value, 0) / (to - from + 1);
      const expected = values.map((_, i) => {
        const lows = values.slice(0, i + 1).map((__, from) => {
          const means = values.slice(i).map((___, k) => mean(from, i + k));
          return Math.min(...means);
        });
        return Math.max(...lows);
      });
      monotoneFit(values).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12));
    }
  });
});

describe('a drop curve', () => {
  const map = mapOf({
    a: [
      [12, 0.04],
      [8, 0.02],
      [4, 0.43],
    ],
    b: [[8, -0.01]],
    c: [],
  });

  it('pools what falls, starts at nothing and is straight between the widths measured', () => {
    const curve = dropCurve(map, map.groups[0]!);
    expect(curve.gone).toEqual([0, 4, 8, 12]);
    [0, 0.03, 0.03, 0.43].forEach((drop, i) => expect(curve.drops[i]).toBeCloseTo(drop, 12));
    expect(dropAt(curve, 0)).toBe(0);
    expect(dropAt(curve, 1)).toBeCloseTo(0.0075, 12);
    expect(dropAt(curve, 6)).toBeCloseTo(0.03, 12);
    expect(dropAt(curve, 9)).toBeCloseTo(0.13, 12);
    expect(dropAt(curve, 12)).toBeCloseTo(0.43, 12);
    expect(dropAt(curve, 13)).toBeNull();
  });

  it('takes a gain for no drop, and says nothing of a group without points', () => {
    expect(dropCurve(map, map.groups[1]!)).toEqual({ gone: [0, 8], drops: [0, 0] });
    expect(dropAt(dropCurve(map, map.groups[2]!), 1)).toBeNull();
  });
});

describe('the budget search', () => {
  const model = makeModel(chain);
  const analysis = analyse(model);
  const whole = chainMacs(16, 16, 8);
  const plan = (options: PruneOptions, map?: SensitivityMap): PrunePlan =>
    planPrune(model, options, analysis, undefined, map);
  /** Drops in proportion to channels gone, ten times as steep in 'b' as in 'a', and 'c' in between. */
  const slopes = mapOf({ a: [[2, 0.14]], b: [[2, 1.4]], c: [[1, 0.35]] });

  it('gives every group the same allowed drop', () => {
    expect(analysis.cost.macs).toBe(whole);
    // A drop of 0.05 takes 5 channels of a, none of b (0.1 each), one of c (0.05 each).
    const macs = chainMacs(11, 16, 7);
    const found = plan(bySensitivity({ target: { macs: macs / whole } }), slopes);
    expect(keptOf(found)).toEqual({ a: 11, b: 16, c: 7, classes: 4 });
    expect(found.after.macs).toBe(macs);
    // One MAC less, and the next cheapest channel has to go: the sixth of a, at 0.06.
    const next = plan(bySensitivity({ target: { macs: (macs - 1) / whole } }), slopes);
    expect(keptOf(next)).toEqual({ a: 10, b: 16, c: 7, classes: 4 });
  });

  it('holds any budget, and would not with one step of one group less', () => {
    const noisy = createRng(3);
    for (let round = 0; round < 30; round++) {
      const random = (widths: readonly number[]): [number, number][] =>
        widths.map((kept) => [kept, noisy.uniform(-0.02, 0.5)]);
      const map = mapOf({
        a: random([14, 11, 8, 5, 2]),
        b: random([12, 8, 4, 2]),
        c: random([6, 4, 2, 1]),
      });
      const share = noisy.uniform(0.15, 0.95);
      const align = [1, 2, 4][round % 3]!;
      const found = plan(bySensitivity({ target: { macs: share }, align, maxRatio: 1 }), map);
      const kept = keptOf(found) as Record<Layer, number>;
      expect(found.after.macs).toBeLessThanOrEqual(share * whole);
      for (const name of ['a', 'b', 'c'] as const) expect(kept[name] % align).toBe(0);
      const oneStepLess = (['a', 'b', 'c'] as const)
        .filter((name) => kept[name] < layers[name])
        .map((name) => ({ ...kept, [name]: kept[name] + align }))
        .map(({ a, b, c }) => chainMacs(a, b, c));
      expect(Math.max(...oneStepLess)).toBeGreaterThan(share * whole);
    }
  });

  it('spreads what costs nothing over the groups by share', () => {
    const free = mapOf({ a: [[2, 0]], b: [[2, 0]], c: [[1, 0]] });
    const found = plan(bySensitivity({ target: { ratio: 0.5 } }), free);
    expect(keptOf(found)).toEqual({ a: 8, b: 8, c: 4, classes: 4 });
  });

  it('cuts the channels that the criterion ranks lowest', () => {
    const found = plan(bySensitivity({ target: { macs: chainMacs(11, 16, 7) / whole } }), slopes);
    const byTable = plan({ ...defaultPruneOptions, target: {}, table: { a: 11, b: 16, c: 7 } });
    expect(found.kept).toEqual(byTable.kept);
  });

  it('keeps limits, protected layers, and what a table fixes', () => {
    const options = bySensitivity({
      target: { macs: 0.5 },
      protect: ['c'],
      minChannels: 6,
      table: { b: 10 },
    });
    // 144 (3 a + 10 a + 80) + 32 is at most half of the whole for 10 channels, not for 11.
    expect(keptOf(plan(options, slopes))).toEqual({ a: 10, b: 10, c: 8, classes: 4 });
    expect(keptOf(plan({ ...options, minChannels: 10 }, slopes))['a']).toBe(10);
    expect(() => plan({ ...options, minChannels: 11 }, slopes)).toThrow(/can go down to/);
  });

  it('never goes below the narrowest width that was measured, and says what was not', () => {
    const map = mapOf({ a: [[12, 0]], b: [[8, 0]], c: [] });
    const found = plan(bySensitivity({ target: { ratio: 1 } }), map);
    expect(keptOf(found)).toEqual({ a: 12, b: 8, c: 8, classes: 4 });
    expect(found.layers.find(({ name }) => name === 'c')?.code).toBe('NOT_MEASURED');
    expect(() => plan(bySensitivity({ target: { macs: 0.2 } }), map)).toThrow(/can go down to/);
  });

  it('counts what an ancestor has lost since as gone', () => {
    const once = prune(model, { ...defaultPruneOptions, target: {}, table: { a: 13, c: 6 } });
    // Expected drops now: a starts behind 0.03, c behind 0.10.
    const target = { macs: chainMacs(8, 16, 6) / chainMacs(13, 16, 6) };
    const again = planPrune(
      once.model,
      bySensitivity({ target, maxRatio: 1 }),
      undefined,
      undefined,
      slopes,
    );
    expect(keptOf(again)).toEqual({ a: 8, b: 16, c: 6, classes: 4 });
  });

  it('refuses to go without a map, or with half of one', async () => {
    const options = bySensitivity({ target: { macs: 0.5 } });
    const half = { ...slopes, points: slopes.points.slice(1) };
    expect(isComplete(slopes)).toBe(true);
    for (const map of [undefined, half]) {
      const attempt = Promise.resolve().then(() => plan(options, map));
      await errorOf(attempt, 'INVALID_ARGUMENT');
    }
  });
});

describe('the split that sensitivity is measured on', () => {
  it.each([
    [{ train: 9, val: 1, test: 9 }, 'val'],
    [{ train: 9, val: 0, test: 9 }, 'train'],
    [{ train: 0, val: 0, test: 9 }, 'test'],
  ] as const)('of %j is %s', (counts, split) => {
    expect(sensitivitySplit({ counts })).toBe(split);
  });
});

/** A pre-activation block on a trunk of six channels, a last batch norm and a classifier. */
const preActivated = (b: GraphBuilder): void => {
  const stem = b.conv2d(b.input('image', [8, 8, 3]), { name: 'stem', filters: 6, kernelSize: 3 });
  let x = b.activation(b.batchNorm(stem, { name: 'bn' }), 'relu');
  x = b.conv2d(b.conv2d(x, { name: 'a', filters: 4, kernelSize: 3 }), {
    name: 'b',
    filters: 6,
    kernelSize: 3,
  });
  x = b.activation(b.batchNorm(b.add([stem, x]), { name: 'last' }), 'relu');
  b.output(b.dense(b.globalAvgPool(x), { units: 4, name: 'classes' }));
};

describe('a scan of a trunk', () => {
  const dataset = toyDataset({ train: 64, val: 60, test: 8 });
  const model: Model = { ...makeModel(preActivated), outputKind: 'logits' };
  const measure = async (changes: Partial<SensitivityOptions>): Promise<SensitivityMap> => {
    const heads: SensitivityHead[] = [];
    const points: SensitivityPoint[] = [];
    const sink = {
      head: async (head: SensitivityHead) => void heads.push(head),
      point: async (point: SensitivityPoint) => void points.push(point),
    };
    const grid = [0.67, 0.34];
    const options = { ...defaultSensitivityOptions, criterion: 'bn', grid, ...changes } as const;
    await scanSensitivity(model, dataset, options, sink, silentContext);
    return { ...heads[0]!, points };
  };
  const layersOf = ({ groups }: SensitivityMap): string[][] =>
    groups.map(({ layers }) => [...layers]);

  it('measures what each reader selects, and cuts by it', async () => {
    expect(layersOf(await measure({}))).toEqual([['stem', 'b']]);
    const map = await measure({ trunk: 'select' });
    expect(layersOf(map)).toEqual([['bn'], ['last']]);
    // The cut of the narrowest width of the first group, made by a table, scores the same.
    const { group, widths } = map.groups[0]!;
    const kept = widths.at(-1)!;
    const point = map.points.find(
      (candidate) => candidate.group === group && candidate.kept === kept,
    )!;
    const choice = {
      ...defaultPruneOptions,
      criterion: 'bn',
      trunk: 'select',
      maxRatio: 1,
    } as const;
    const byTable = prune(model, { ...choice, target: {}, table: { bn: kept } });
    const calibration = { batches: 4, batchSize: 128, seed: 0 };
    const recalibrated = await recalibrateBatchNorm(
      byTable.model,
      dataset.split('train'),
      calibration,
      silentContext,
    );
    const alone = await evaluate(recalibrated, dataset.split('val'), 'val', silentContext);
    expect(point).toMatchObject({ top1: alone.top1, loss: alone.loss });

    const options = { ...choice, scope: 'sensitivity', target: { ratio: 0.4 } } as const;
    const cut = prune(model, options, undefined, undefined, map);
    expect(cut.plan.layers.filter(({ code }) => code === 'CUT').length).toBeGreaterThan(1);
    expect(cut.plan.layers.find(({ name }) => name === 'stem')!.code).toBe('TRUNK');
  });
});

describe('a scan', () => {
  const dataset = toyDataset({ train: 256, val: 200, test: 8 });
  const options: SensitivityOptions = {
    ...defaultSensitivityOptions,
    grid: [0.9, 0.5, 0.52, 0.17],
    samples: 100,
  };
  let model: Model;
  beforeAll(async () => {
    const training = { ...fullTrainingDefaults(4), batchSize: 32 };
    const augment = { flip: false, padCrop: 0 };
    ({ model } = await train(toyModel(), dataset, { ...training, augment }, silentContext));
  }, 60_000);

  async function scan(
    changes: Partial<SensitivityOptions> = {},
    known: SensitivityMap | null = null,
    stopAfter = Infinity,
  ): Promise<{ heads: SensitivityHead[]; points: SensitivityPoint[]; labels: string[] }> {
    const heads: SensitivityHead[] = [];
    const points: SensitivityPoint[] = [];
    const labels: string[] = [];
    const abort = new AbortController();
    const scanned = scanSensitivity(
      model,
      dataset,
      { ...options, ...changes },
      {
        head: async (head) => void heads.push(head),
        point: async (point) => {
          points.push(point);
          if (points.length === stopAfter) abort.abort(new Error('stopped'));
        },
      },
      {
        ...silentContext,
        signal: abort.signal,
        progress: ({ label, done, total }) => labels.push(`${done}/${total} ${label}`),
      },
      { known },
    );
    if (stopAfter < Infinity) await expect(scanned).rejects.toThrow('stopped');
    else await scanned;
    return { heads, points, labels };
  }

  it('has each width of the grid once, as a whole number of channels', async () => {
    const { heads, labels } = await scan();
    // The toy's two convolutions meet in an addition: one group of 6. 0.9 of it rounds to 5, 0.5 and 0.52 to 3.
    expect(heads).toHaveLength(1);
    expect(heads[0]!.groups).toEqual([
      { group: 0, layers: ['stem', 'block'], channels: 6, widths: [5, 3, 1] },
    ]);
    expect(heads[0]).toMatchObject({ split: 'val', samples: 100 });
    expect(labels[0]).toBe('0/4 Scoring the whole network');
    expect(labels[1]).toBe('1/4 Scoring stem + block at 5 of 6 channels');
    expect(labels.at(-1)).toBe('4/4 All groups are scored');
  });

  it('scores what a cut by table scores on the same images', async () => {
    const { heads, points } = await scan({ recalibrate: false });
    const limit = { limit: 100 };
    const val = dataset.split('val');
    const intact = await evaluate(model, val, 'val', silentContext, limit);
    expect(heads[0]!.baseline).toEqual({ top1: intact.top1, loss: intact.loss });
    expect(intact.top1).toBeGreaterThan(0.8);
    for (const { kept, top1, loss } of points) {
      const table = { ...defaultPruneOptions, target: {}, table: { stem: kept }, maxRatio: 1 };
      const alone = await evaluate(prune(model, table).model, val, 'val', silentContext, limit);
      expect({ top1, loss }).toEqual({ top1: alone.top1, loss: alone.loss });
    }
    expect(points[2]!.loss).toBeGreaterThan(heads[0]!.baseline.loss);
  });

  it('recalibrates unless told not to', async () => {
    const [raw, recalibrated] = [await scan({ recalibrate: false }), await scan()];
    expect(recalibrated.points[2]!.loss).not.toBe(raw.points[2]!.loss);
  });

  it('repeats exactly, and goes on where a stopped run has left off', async () => {
    const unbroken = await scan();
    const first = await scan({}, null, 1);
    expect(first.points).toHaveLength(1);
    const known = { ...first.heads[0]!, points: first.points };
    const second = await scan({}, known);
    expect(second.heads).toEqual([]);
    expect([...first.points, ...second.points]).toEqual(unbroken.points);
    const finished = await scan({}, { ...known, points: unbroken.points });
    expect(finished.points).toEqual([]);
  });

  it('chooses by a criterion that is measured on images as well', async () => {
    const measured = await scan({ criterion: 'taylor', recalibrate: false });
    const weighed = await scan({ recalibrate: false });
    expect(measured.points).toHaveLength(3);
    expect(measured.points.map(({ loss }) => loss)).not.toEqual(
      weighed.points.map(({ loss }) => loss),
    );
  });

  it('gives a map by which the network can be cut to a budget', async () => {
    const { heads, points } = await scan();
    const map = { ...heads[0]!, points };
    const cut = prune(model, bySensitivity({ target: { macs: 0.5 } }), undefined, undefined, map);
    expect(cut.plan.after.macs).toBeLessThanOrEqual(cut.plan.before.macs / 2);
    // 1728 k + 576 k^2 + 16 k multiply-accumulates with k channels: half of those with 6 are too few for 4.
    expect(keptOf(cut.plan)['stem']).toBe(3);
  });

  it.each([
    ['an empty grid', { grid: [] }],
    ['a share of 1', { grid: [0.5, 1] }],
    ['a share of 0', { grid: [0] }],
    ['no samples', { samples: 0 }],
  ])('refuses %s', async (_, changes) => {
    await errorOf(scan(changes), 'INVALID_ARGUMENT');
  });
});
