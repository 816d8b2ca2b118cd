// What the pruner offers to jobs, command line and window:
//
//   analyse           groups of channels that go together; once per model
//   planPrune         chooses channels for a target, with costs and a reason per layer; nothing is cut
//   planForLatency    the same for a latency, which is measured on the way
//   collectStatistics what a criterion needs that is measured on images
//   stepOptions       a cut in several steps: what each of them asks for
//   prune             plans and cuts
//   checkEquivalence  proves a cut against the masked original
//
// `cut` applies a plan made earlier, `explainLayers` reports on a model without a plan.

export { checkEquivalence } from './equivalence';
export type { EquivalenceOptions } from './equivalence';
export { analyse } from './groups';
export type { Analysis, KeptChannels } from './groups';
export type { ChannelStatistics } from './importance';
export { asksForLatency, planForLatency } from './latency-target';
export { defaultImages, defaultNormalisation, defaultPruneOptions, isMeasured } from './options';
export { explainLayers, planLargestCut, planPrune, prune } from './plan';
export { convolutionsWithoutNorm, reinsertBatchNorms } from './reinsert';
export { sharesAfterSteps, stepOptions } from './schedule';
export type { PruneSchedule } from './schedule';
export { collectStatistics } from './statistics';
export { cut } from './surgery';
export { planTable } from './table';
export { structureChoices, structureCosts } from './choices';
export type { StructureChoices, StructureCosts } from './choices';
export { defaultStructure, structureOf } from './trunk';
export type { Structure } from './trunk';
