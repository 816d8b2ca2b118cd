// What is degenerate but happens: layers of zeros, of equals, of one channel, and options that ask for too much.

import { describe, expect, it } from 'vitest';
import { analyse, checkEquivalence, planPrune, prune } from '../../../src-main/engine/prune';
import { defaultPruneOptions } from '../../../src-main/engine/prune/options';
import type { PruneOptions } from '../../../src-main/engine/prune/types';
import type { Model } from '../../../src-main/engine/graph/types';
import { makeModel, weightOf } from './networks';

/** Two normalised convolutions of 6 and 4 channels, one of a single channel, and a head. */
function chain(): Model {
  return makeModel((b) => {
    let x = b.input('image', [4, 4, 3]);
    for (const [name, filters] of [
      ['a', 6],
      ['b', 4],
      ['one', 1],
    ] as const) {
      const y = b.conv2d(x, { name, filters, kernelSize: 1 });
      x = b.activation(b.batchNorm(y, { name: `${name}.bn` }), 'relu');
    }
    b.output(b.dense(b.globalAvgPool(x), { units: 2, name: 'head' }));
  });
}

/** A pre-activation block, of which the batch norms select. */
function block(): Model {
  return makeModel((b) => {
    const x = b.conv2d(b.input('image', [4, 4, 3]), { name: 'stem', filters: 4, kernelSize: 1 });
    const y = b.activation(b.batchNorm(x, { name: 'bn' }), 'relu');
    const sum = b.add([x, b.conv2d(y, { name: 'inner', filters: 4, kernelSize: 1 })]);
    b.output(b.dense(b.globalAvgPool(sum), { units: 2, name: 'head' }));
  });
}

const all: PruneOptions = {
  ...defaultPruneOptions,
  target: { ratio: 1 },
  maxRatio: 1,
  scope: 'layer',
};
const widths = (model: Model, options: PruneOptions): Record<string, number> =>
  Object.fromEntries(planPrune(model, options).layers.map(({ name, to }) => [name, to]));

describe('degenerate models', () => {
  it.each(['layer', 'global'] as const)('keep one channel at ratio 1 (%s)', (scope) => {
    expect(widths(chain(), { ...all, scope })).toEqual({ a: 1, b: 1, one: 1, head: 2 });
  });

  it('say of a layer of one channel that it is one', () => {
    const { layers } = planPrune(chain(), all);
    expect(layers.find(({ name }) => name === 'one')).toMatchObject({ code: 'ONE_CHANNEL' });
  });

  it.each(['l1', 'l2', 'fpgm', 'lamp', 'bn'] as const)(
    'with gammas and filters of zeros lose the first channels by %s, exactly',
    async (criterion) => {
      const model = chain();
      for (const id of ['a.bn/gamma', 'a/kernel', 'b.bn/gamma', 'b/kernel']) {
        weightOf(model, id).data.fill(0);
      }
      for (const id of ['a.bn/beta', 'b.bn/beta']) weightOf(model, id).data.fill(0.5);
      const options = { ...all, criterion, target: { ratio: 0.5 } };
      const analysis = analyse(model);
      const { model: slim, plan } = prune(model, options, analysis);
      const origin = (name: string): unknown =>
        slim.graph.nodes.find((node) => node.name === name)!.origin;
      expect([origin('a'), origin('b')]).toEqual([
        [3, 4, 5],
        [2, 3],
      ]);
      expect(plan.folds.map(({ node, result }) => [node, result])).toEqual([
        ['b', 'exact'],
        ['one', 'exact'],
      ]);
      const check = { samples: 3, seed: 1 };
      expect((await checkEquivalence(model, slim, analysis, plan.kept, check)).passed).toBe(true);
    },
  );

  it('cut of ties what was asked and no more, in one list too', () => {
    const model = chain();
    for (const name of ['a', 'b', 'one']) weightOf(model, `${name}.bn/gamma`).data.fill(1);
    const options: PruneOptions = { ...all, criterion: 'bn', scope: 'global' };
    // 10 channels can go: the 3 of them that come first are of the first layer.
    expect(widths(model, { ...options, target: { ratio: 0.3 } })).toMatchObject({ a: 3, b: 4 });
    expect(widths(model, { ...options, target: { ratio: 0 } })).toMatchObject({ a: 6, b: 4 });
  });

  it('stay whole where the alignment is above their width', () => {
    const { layers } = planPrune(chain(), { ...all, align: 16 });
    expect(layers.slice(0, 2).map(({ to, code }) => [to, code])).toEqual([
      [6, 'ALIGNMENT'],
      [4, 'ALIGNMENT'],
    ]);
  });

  it.each([
    ['bn', 'bn/gamma', 'bn'],
    ['l1', 'inner/kernel', 'inner'],
  ] as const)('are refused by %s where %s is not a number', (criterion, weight, layer) => {
    const model = block();
    weightOf(model, weight).data[1] = NaN;
    expect(() => planPrune(model, { ...all, criterion, trunk: 'select' })).toThrowError(
      expect.objectContaining({
        code: 'MODEL_NOT_FINITE',
        details: expect.objectContaining({ layer }) as unknown,
      }) as Error,
    );
  });

  it('say how far one can go with a trunk that keeps its width, and what stops it', () => {
    const options: PruneOptions = { ...all, trunk: 'select', target: { macs: 0.1 } };
    expect(() => planPrune(block(), options)).toThrowError(
      expect.objectContaining({
        code: 'PRUNE_TARGET_UNREACHABLE',
        // 16 places: 3 x 4 of the stem and 1 x 4 of the inner layer stay, and the 8 of the head.
        details: expect.objectContaining({ reachable: 16 * (12 + 4) + 8 }) as unknown,
        message: expect.stringContaining('"stem" (Its channels are a trunk') as string,
      }) as Error,
    );
  });
});
