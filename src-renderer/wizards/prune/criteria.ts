// The ways to rank channels that the wizard offers.
import type { Criterion, MeasuredCriterion } from '../../../src-main/engine/prune/types';

export interface CriterionWords {
  readonly title: string;
  readonly does: string;
  readonly needsBatchNorm?: boolean;
  /** Measured on training images, before the first preview. */
  readonly needsData?: boolean;
}

export const criteria: Readonly<Record<Criterion, CriterionWords>> = {
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
  taylor: {
    title: 'Taylor, first order',
    does: 'Cuts the filters whose removal changes the loss least, by their gradients on training images.',
    needsData: true,
  },
  activation: {
    title: 'Mean activation',
    does: 'Cuts the channels that are closest to zero on training images, behind the activation of their layer.',
    needsData: true,
  },
  apoz: {
    title: 'Share of zeros (APoZ)',
    does: 'Cuts the channels that ReLU sets to zero most often on training images.',
    needsData: true,
  },
  random: {
    title: 'Random',
    does: 'Cuts channels by lot, repeatable by seed. The control that any other method has to beat.',
  },
};

/** What people call a criterion. */
export function criterionTitle(criterion: Criterion): string {
  return criteria[criterion].title;
}

export const allCriteria = Object.keys(criteria) as readonly Criterion[];

/** Those that read the weights alone. */
export type OfferedCriterion = Exclude<Criterion, MeasuredCriterion>;
export const offeredCriteria = allCriteria.filter(
  (criterion): criterion is OfferedCriterion => !isMeasured(criterion),
);

export function isMeasured(criterion: Criterion): criterion is MeasuredCriterion {
  return criteria[criterion].needsData === true;
}
