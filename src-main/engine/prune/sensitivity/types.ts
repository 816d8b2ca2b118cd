// Sensitivity: what each group of channels costs in accuracy when it alone is cut to a number of widths.

import type { SplitName } from '../../data/types';
import type { PruneOptions } from '../types';

/** How a map is measured. Equal options on the same version and images give the same map. */
export interface SensitivityOptions extends Pick<PruneOptions, 'trunk' | 'grouped'> {
  /** Chooses the channels that go at each width. */
  readonly criterion: PruneOptions['criterion'];
  /** Shares of a group's channels to keep, each above 0 and below 1. */
  readonly grid: readonly number[];
  /** Number of images, evenly spaced over the split. */
  readonly samples: number;
  /** Recompute the batch norm statistics of each candidate before it is scored. */
  readonly recalibrate: boolean;
  readonly seed: number;
}

/** Of one network on the sample: top-1 accuracy from 0 to 1, and mean cross-entropy. */
export interface Score {
  readonly top1: number;
  readonly loss: number;
}

/** A group and the widths that it is measured at. */
export interface GroupWidths {
  /** Id of the group in the version that is measured. */
  readonly group: number;
  /** Names of its producing layers, which stand for the group: they stay when channels go. */
  readonly layers: readonly string[];
  /** Channels of the whole group. */
  readonly channels: number;
  /** Numbers of channels that are kept, wide to narrow, all below `channels`. */
  readonly widths: readonly number[];
}

/** The score with one group at one width and all others whole. */
export interface SensitivityPoint extends Score {
  readonly group: number;
  /** Channels that are kept. */
  readonly kept: number;
}

/** What is known before the first candidate: the scale of the whole. */
export interface SensitivityHead {
  readonly options: SensitivityOptions;
  readonly split: SplitName;
  /** Images that were there to be taken: `options.samples`, or all of a smaller split. */
  readonly samples: number;
  /** The whole network, recalibrated in the same way. */
  readonly baseline: Score;
  readonly groups: readonly GroupWidths[];
}

/** A map of measured drops; complete when it has a point for every width of every group. */
export interface SensitivityMap extends SensitivityHead {
  readonly points: readonly SensitivityPoint[];
}
