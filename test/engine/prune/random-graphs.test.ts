// Random networks, cut at random, twice: whatever meets whatever, the cut model computes what the masked one does.
// SECATEUR_RANDOM_GRAPHS sets how many; a failure names its seed.

import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Rng } from '../../../src-main/engine/graph/rng';
import type { Model, Op } from '../../../src-main/engine/graph/types';
import { analyse } from '../../../src-main/engine/prune/groups';
import { expectCutEquivalent, randomChoice, weightOf } from './networks';
import { randomModel } from './random-graph';

const networks = Number(process.env['SECATEUR_RANDOM_GRAPHS'] ?? 200);

/** Biases that one layer alone has must be those of the original at the channels that the origin names. */
function expectProvenance(original: Model, slim: Model): void {
  const uses = new Map<string, number>();
  for (const { weights } of original.graph.nodes) {
    for (const id of Object.values(weights)) uses.set(id, (uses.get(id) ?? 0) + 1);
  }
  for (const node of slim.graph.nodes) {
    const { bias } = node.weights;
    if (bias === undefined || uses.get(bias) !== 1 || node.origin === undefined) continue;
    const before = weightOf(original, bias).data;
    expect([...weightOf(slim, bias).data]).toEqual(node.origin.map((i) => before[i]));
  }
}

/** Cuts twice in a row; the second cut must not know that there was a first. */
function expectCutTwice(model: Model, rng: Rng): void {
  const analysis = analyse(model);
  const first = expectCutEquivalent(model, analysis, randomChoice(analysis, rng));
  const again = analyse(first);
  expectProvenance(model, expectCutEquivalent(first, again, randomChoice(again, rng)));
}

describe('random networks', () => {
  it('use most ops and leave something to cut', () => {
    const ops = new Set<Op>();
    let free = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const model = randomModel(seed);
      for (const { op } of model.graph.nodes) ops.add(op);
      if (analyse(model).groups.some((group) => group.free > 1)) free++;
    }
    expect(ops.size).toBeGreaterThan(30);
    expect(free).toBeGreaterThan(0.9 * 60);
  });

  it(`are cut without a trace, ${networks} of them`, { timeout: 60_000 + networks * 300 }, () => {
    for (let seed = 1; seed <= networks; seed++) {
      const model = randomModel(seed);
      try {
        expectCutTwice(model, createRng(seed));
      } catch (error) {
        const layers = model.graph.nodes.map(
          ({ name, op, inputs }) => `${name}: ${op}(${inputs.join()})`,
        );
        throw new Error(`seed ${seed}\n${layers.join('\n')}`, { cause: error });
      }
    }
  });
});
