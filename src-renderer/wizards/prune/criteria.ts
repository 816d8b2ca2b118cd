// The ways to rank channels that the wizard offers: those that need no images.
import type { Criterion } from '../../../src-main/engine/prune/types';

export type OfferedCriterion = Extract<Criterion, 'l1' | 'l2' | 'fpgm' | 'lamp' | 'bn' | 'random'>;

export interface CriterionWords {
  readonly title: string;
  readonly does: string;
  readonly needsBatchNorm?: boolean;
}

export const criteria: Readonly<Record<OfferedCriterion, CriterionWords>> = {
  l1: {
    title: 'L1 norm',
    does: 'Cuts the filters with the smallest sum of absolute weights. Fast and hard to beat; the place to start.',
  },
  l2: {
    title: 'L2 norm',
    does: 'Cuts the filters of the smallest Euclidean length. A few large weights count for more than with L1.',
  },
  fpgm: {
    title: 'Geometric median',
    does: 'Cuts the filters closest to all others of their layer: the ones that the rest can stand in for.',
  },
  lamp: {
    title: 'LAMP',
    does: 'Weighs each filter against the larger ones of its layer, so that layers compare fairly.',
  },
  bn: {
    title: 'BN gamma',
    does: 'Cuts the channels that batch norm scales down most. At its best after training with gamma sparsity.',
    needsBatchNorm: true,
  },
  random: {
    title: 'Random',
    does: 'Cuts channels by lot, repeatable by seed. The control that any other method has to beat.',
  },
};

/** What people call a criterion; its id where the wizard does not offer it. */
export function criterionTitle(criterion: Criterion): string {
  return criterion in criteria ? criteria[criterion as OfferedCriterion].title : criterion;
}

export const offeredCriteria = Object.keys(criteria) as readonly OfferedCriterion[];
