// The masked original: the uncut model with everything that belongs to dropped channels set to zero.

import type { Model, Weight, WeightId, WeightRole } from '../graph/types';
import type { FlowSite } from './channels';
import { foldConstants } from './fold';
import type { Analysis, KeptChannels } from './groups';
import { droppedClasses } from './groups';

/** Statistics and slopes stay: a variance of zero would divide, and slopes act on zeros alone. */
const untouchedRoles: ReadonlySet<WeightRole> = new Set<WeightRole>([
  'mean',
  'variance',
  'alpha',
  'value',
]);

/** A site that a mask sets to zero. */
export type MaskedSites = (site: FlowSite) => boolean;

/**
 * A copy of the model with the dropped channels' filters, biases, gammas and betas at zero, and the slices with
 * which later layers read them. What it computes is what the cut model must compute. Only sites that `masks`
 * accepts are touched.
 */
export function maskDropped(
  model: Model,
  analysis: Analysis,
  kept: KeptChannels,
  masks: MaskedSites = () => true,
): Model {
  const dropped = droppedClasses(analysis, kept);
  const weights = new Map<WeightId, Weight>(foldConstants(analysis, dropped).weights);
  const copied = new Set<WeightId>();
  for (const site of analysis.flow.sites) {
    if (untouchedRoles.has(site.role) || !masks(site)) continue;
    if (!site.classes.some((channel) => dropped[channel] === 1)) continue;
    let weight = weights.get(site.weight)!;
    if (!copied.has(site.weight)) {
      weight = { ...weight, data: weight.data.slice() };
      weights.set(site.weight, weight);
      copied.add(site.weight);
    }
    const goes = Uint8Array.from(site.classes, (channel) => dropped[channel]!);
    zeroAlong(weight, site.axis, goes);
  }
  return { ...model, graph: { ...model.graph, weights } };
}

function zeroAlong({ shape, data }: Weight, axis: number, goes: Uint8Array): void {
  const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  for (let start = 0; start < data.length; start += goes.length * inner) {
    for (let position = 0; position < goes.length; position++) {
      if (goes[position] === 0) continue;
      const first = start + position * inner;
      for (let i = first; i < first + inner; i++) data[i] = 0;
    }
  }
}
