// Random networks, cut at random, twice: whatever meets whatever, the cut model computes what the masked one does.
// SECATEUR_RANDOM_GRAPHS sets how many; a failure names its seed.

import { expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';
import { analyse } from '../../../src-main/engine/prune/groups';
import { expectCutEquivalent, randomChoice, weightOf } from './networks';
import { randomModel } from './random-graph';

const graphs = Number(process.env['SECATEUR_RANDOM_GRAPHS'] ?? 300);

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

it(`holds for ${graphs} random networks`, { timeout: 60_000 + graphs * 200 }, () => {
  let cuts = 0;
  for (let seed = 1; seed <= graphs; seed++) {
    const rng = createRng(seed);
    const model = randomModel(seed, 4 + rng.int(12));
    try {
      const analysis = analyse(model);
      const first = expectCutEquivalent(model, analysis, randomChoice(analysis, rng));
      const again = analyse(first);
      const second = expectCutEquivalent(first, again, randomChoice(again, rng));
      expectProvenance(model, second);
      cuts += analysis.groups.filter(({ free }) => free > 0).length;
    } catch (error) {
      const layers = model.graph.nodes.map(
        ({ name, op, inputs }) => `${name}: ${op}(${inputs.join()})`,
      );
      throw new Error(`seed ${seed}\n${layers.join('\n')}`, { cause: error });
    }
  }
  // Most networks must have something to cut, or the test says little.
  expect(cuts).toBeGreaterThan(graphs);
});
