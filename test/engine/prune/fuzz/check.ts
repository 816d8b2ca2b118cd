// One case of the fuzz test: a network, and a seed that says how it is cut. Twice in a row, at random or by a plan
// with random options; masked and cut model must agree, and everything that the engine states of a cut must hold.

import { graphCost } from '../../../../src-main/engine/graph/cost';
import { createRng } from '../../../../src-main/engine/graph/rng';
import type { Rng } from '../../../../src-main/engine/graph/rng';
import type { Model } from '../../../../src-main/engine/graph/types';
import { AppError } from '../../../../src-main/engine/errors';
import type { Analysis, KeptChannels } from '../../../../src-main/engine/prune/groups';
import { analyse, droppedClasses } from '../../../../src-main/engine/prune/groups';
import { maskDropped } from '../../../../src-main/engine/prune/mask';
import { defaultPruneOptions } from '../../../../src-main/engine/prune/options';
import { planPrune } from '../../../../src-main/engine/prune/plan';
import { plannedCost } from '../../../../src-main/engine/prune/planned-cost';
import { cut } from '../../../../src-main/engine/prune/surgery';
import type { PruneOptions, PrunePlan } from '../../../../src-main/engine/prune/types';
import { difference, randomChoice, referenceTolerance } from '../models';

/** @throws Error saying what does not hold. */
export function checkCuts(model: Model, seed: number): void {
  const rng = createRng(seed);
  let current = model;
  for (let round = 0; round < 2; round++) {
    const options = randomOptions(rng);
    const analysis = analyse(current, { trunk: options.trunk!, grouped: options.grouped! });
    const kept =
      rng.int(2) === 0 ? randomChoice(analysis, rng) : planned(current, analysis, options);
    current = checkCut(current, analysis, kept);
  }
  checkProvenance(model, current);
}

function pick<T>(rng: Rng, items: readonly T[]): T {
  return items[rng.int(items.length)]!;
}

function randomOptions(rng: Rng): PruneOptions {
  return {
    ...defaultPruneOptions,
    criterion: pick(rng, ['l1', 'l2', 'fpgm', 'lamp', 'random'] as const),
    reduction: pick(rng, ['mean', 'sum', 'max', 'first'] as const),
    scope: pick(rng, ['global', 'layer'] as const),
    target: pick(rng, [
      { ratio: 0.3 },
      { ratio: 0.6 },
      { ratio: 1 },
      { macs: 0.6 },
      { params: 0.5 },
    ]),
    align: pick(rng, [1, 1, 2, 4]),
    minChannels: pick(rng, [1, 1, 2]),
    maxRatio: pick(rng, [1, 0.9, 0.5]),
    trunk: pick(rng, ['group', 'select'] as const),
    grouped: pick(rng, ['slots', 'groups'] as const),
    seed: 1,
  };
}

/** The choice of a plan, or nothing cut where its target is out of reach. */
function planned(model: Model, analysis: Analysis, options: PruneOptions): KeptChannels {
  let plan: PrunePlan;
  try {
    plan = planPrune(model, options, analysis);
  } catch (error) {
    if (error instanceof AppError && error.code === 'PRUNE_TARGET_UNREACHABLE') return new Map();
    throw error;
  }
  const producers = new Set(analysis.flow.producers.map(({ node }) => node));
  for (const { node, name, from, to, reason } of plan.layers) {
    if (to < 1) throw new Error(`layer ${name} is empty`);
    if (reason === '') throw new Error(`layer ${name} has no reason`);
    if (to === from || !producers.has(node)) continue;
    if (to % options.align !== 0)
      throw new Error(`${name} keeps ${to}: not in steps of ${options.align}`);
    if (to < options.minChannels) throw new Error(`${name} keeps ${to}: too few`);
  }
  return plan.kept;
}

function checkCut(model: Model, analysis: Analysis, kept: KeptChannels): Model {
  const slim = cut(model, analysis, kept);
  const apart = difference(maskDropped(model, analysis, kept), slim, 11);
  if (!(apart <= referenceTolerance)) throw new Error(`masked and cut model are ${apart} apart`);
  const expected = JSON.stringify(plannedCost(analysis, droppedClasses(analysis, kept)));
  const actual = JSON.stringify(graphCost(slim.graph));
  if (expected !== actual) throw new Error(`costs ${actual}, and ${expected} by the plan`);
  return slim;
}

/** Biases that one layer alone has must be those of the original at the channels that the origin names. */
function checkProvenance(original: Model, slim: Model): void {
  const uses = new Map<string, number>();
  for (const { weights } of original.graph.nodes) {
    for (const id of Object.values(weights)) uses.set(id, (uses.get(id) ?? 0) + 1);
  }
  for (const { name, weights, origin } of slim.graph.nodes) {
    const { bias } = weights;
    if (bias === undefined || uses.get(bias) !== 1 || origin === undefined) continue;
    const before = original.graph.weights.get(bias)!.data;
    const after = slim.graph.weights.get(bias)!.data;
    if (after.length !== origin.length || origin.some((from, i) => before[from] !== after[i])) {
      throw new Error(`the origin of ${name} is not where its biases come from`);
    }
  }
}
