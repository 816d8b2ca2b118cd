// What the pruner offers to jobs, command line and window:
//
//   analyse          groups of channels that go together; once per model
//   planPrune        chooses channels for a target, with costs and a reason per layer; nothing is cut
//   prune            plans and cuts
//   checkEquivalence proves a cut against the masked original
//
// `cut` applies a plan made earlier, `explainLayers` reports on a model without a plan.

export { checkEquivalence } from './equivalence';
export type { EquivalenceOptions } from './equivalence';
export { analyse } from './groups';
export type { Analysis, KeptChannels } from './groups';
export type { ChannelStatistics } from './importance';
export { defaultNormalisation, defaultPruneOptions } from './options';
export { explainLayers, planPrune, prune } from './plan';
export { cut } from './surgery';
export { defaultStructure, structureOf } from './trunk';
export type { Structure } from './trunk';
