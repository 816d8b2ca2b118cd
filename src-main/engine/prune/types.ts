// Options and results of pruning.

import type { FreezeCode, GroupedMode, SiteKind } from '../graph/ops/types';
import type { StoredPrecision } from '../graph/cost';
import type { Cost, Model, NodeId, WeightId, WeightRole } from '../graph/types';

/** A weight slice that goes when a channel goes. */
export interface Site {
  readonly node: NodeId;
  readonly role: WeightRole;
  readonly weight: WeightId;
  readonly axis: number;
  readonly kind: SiteKind;
}

/** What makes two layers' channels one; null stands for the model's input. */
export interface Tie {
  /** The node where they meet: an addition, a shared layer, a grouped convolution ... */
  readonly node: NodeId;
  readonly kind: 'op' | 'sharedWeight';
  readonly between: readonly [NodeId | null, NodeId | null];
}

/** Channels that are ranked and cut together: one or more layers' outputs and all that follows from them. */
export interface Group {
  readonly id: number;
  /** Producing layers (conv, dense ...) whose filters go. */
  readonly producers: readonly NodeId[];
  /** Every node touched, producers, followers and consumers. */
  readonly members: readonly NodeId[];
  /** Why its layers move together; empty for a layer on its own. */
  readonly ties: readonly Tie[];
  /** Number of channels that can be chosen (coupled ones count once), and how many of them are free. */
  readonly channels: number;
  readonly free: number;
  /** Present when no channel is free: why, and which node causes it. */
  readonly frozen: { readonly code: FreezeCode; readonly by: NodeId | null } | null;
}

/** Criteria that are measured on images; the others read the weights alone. */
export type MeasuredCriterion = 'taylor' | 'activation' | 'apoz';
export type Criterion = 'l1' | 'l2' | 'bn' | 'fpgm' | 'lamp' | MeasuredCriterion | 'random';
/** Over the layers of a group: how their scores of one channel become one score. */
export type GroupReduction = 'mean' | 'sum' | 'max' | 'first';
/** Over the channels of a group, so that groups can be ranked against each other. */
export type Normalisation = 'none' | 'mean' | 'max' | 'standardise';
/**
 * 'layer' cuts the same share of every group; 'global' ranks all channels in one list; 'sensitivity' ranks them by
 * the drop that a map of measured drops expects once they are gone, see prune/sensitivity.
 */
export type Scope = 'layer' | 'global' | 'sensitivity';

/**
 * A tensor that several layers read, as between residual blocks. 'group': its channels go everywhere or nowhere.
 * 'select': it keeps its width, and every batch norm that reads it picks channels of its own by a gather.
 */
export type TrunkMode = 'group' | 'select';

/** At most the given share of the parent's figure (0 to 1), or an absolute number of bytes or milliseconds. */
export interface PruneTarget {
  /** Share of channels to cut, 0 to 1. */
  readonly ratio?: number;
  /** Result has at most this share of MACs / parameters. */
  readonly macs?: number;
  readonly params?: number;
  /** Result's weights take at most this many bytes, */
  readonly bytes?: number;
  /** in this precision; float32 unless given. */
  readonly precision?: StoredPrecision;
  /** Result runs in at most this share of the parent's time on LiteRT, or in this many milliseconds: measured. */
  readonly latency?: number;
  readonly latencyMs?: number;
}

export interface PruneOptions {
  readonly criterion: Criterion;
  /** How many training images a measured criterion looks at; absent: `defaultImages`. */
  readonly images?: number;
  readonly reduction: GroupReduction;
  /** Absent: what suits the criterion, see `defaultNormalisation`. */
  readonly normalisation?: Normalisation;
  readonly scope: Scope;
  readonly target: PruneTarget;
  /** Kept channels of a layer are a multiple of this, or all it has. */
  readonly align: number;
  readonly minChannels: number;
  /** Largest share of one layer's channels that may go. */
  readonly maxRatio: number;
  /** By layer name: the largest share of its own channels that may go, beside `maxRatio`. */
  readonly ceilings?: Readonly<Record<string, number>>;
  /** Names of layers whose output channels stay. */
  readonly protect: readonly string[];
  /**
   * By layer name: below 1 the share of its channels to cut, from 1 on the number of channels to keep. Layers
   * that move with it follow. Layers of the table take no part in reaching the target; limits hold for both.
   */
  readonly table?: Readonly<Record<string, number>>;
  /** 'group' unless given. */
  readonly trunk?: TrunkMode;
  /** Of grouped convolutions, 'slots' unless given: the same places of each group, or whole groups. */
  readonly grouped?: GroupedMode;
  readonly seed: number;
}

export type LayerReasonCode =
  | 'CUT'
  /** Nothing forbids to cut it; said of a model for which no cut is planned. */
  | 'PRUNABLE'
  | FreezeCode
  | 'PROTECTED'
  | 'ALIGNMENT'
  | 'MIN_CHANNELS'
  | 'MAX_RATIO'
  /** A ceiling of this layer or of one that moves with it. */
  | 'CEILING'
  | 'ABOVE_THRESHOLD'
  | 'RATIO_ROUNDS_TO_ZERO'
  | 'ONE_CHANNEL'
  | 'GROUPED'
  /** The sensitivity map has no smaller width of it. */
  | 'NOT_MEASURED'
  /** The criterion says nothing about it: no batch norm for 'bn'. */
  | 'NO_SCORE';

/** What happened to one layer, and why. */
export interface LayerReport {
  readonly node: NodeId;
  readonly name: string;
  readonly op: string;
  readonly group: number | null;
  /** Output channels before and after. */
  readonly from: number;
  readonly to: number;
  readonly paramsFrom: number;
  readonly paramsTo: number;
  readonly macsFrom: number;
  readonly macsTo: number;
  readonly code: LayerReasonCode;
  /** A sentence for people. */
  readonly reason: string;
  /** The layer that causes it, where there is one. */
  readonly cause: string | null;
}

/**
 * Channels that are cut although they are not zero but constant (gamma 0 and beta not), and what became of their
 * constants in a layer that reads them.
 */
export interface ConstantFold {
  /** The reading layer. */
  readonly node: NodeId;
  /** How many such channels it reads. */
  readonly channels: number;
  /**
   * 'exact': its bias, or the mean of its batch norm, holds them now. 'approximate': the same, but padding with
   * zeros makes borders differ. 'lost': neither is there or it is shared.
   */
  readonly result: 'exact' | 'approximate' | 'lost';
}

/** A choice of channels, before anything is cut. */
export interface PrunePlan {
  readonly options: PruneOptions;
  /** Per group id: kept channel indices within the group, ascending. */
  readonly kept: ReadonlyMap<number, Int32Array>;
  readonly before: Cost;
  readonly after: Cost;
  readonly layers: readonly LayerReport[];
  /** Empty in most models. */
  readonly folds: readonly ConstantFold[];
}

export interface Equivalence {
  /** Largest |masked original - cut model| over all outputs and samples. */
  readonly maxAbsDiff: number;
  readonly samples: number;
  readonly tolerance: number;
  readonly passed: boolean;
}

export interface PruneResult {
  readonly model: Model;
  readonly plan: PrunePlan;
}
