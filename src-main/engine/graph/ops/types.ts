// What an op definition states: weight roles, shape inference, cost, and how channels flow through it.
//
// Channel flow is followed per channel, not per layer. Every tensor carries labels: one id for each position
// of its channel axis. An op says which ids its outputs carry, which ids move together (`couple`), which
// weight slices belong to an id (`site`), and which ids must stay (`freeze`). Pruning then needs no knowledge
// of any op: ids that were coupled are one channel, cut everywhere or nowhere.

import type {
  Graph,
  Node,
  NodeOf,
  Op,
  OpAttrs,
  Shape,
  Weight,
  WeightId,
  WeightRole,
} from '../types';

/**
 * Ids of the trailing axes of a tensor, row-major. An image [H, W, C] is labelled over [C]; flattened it is
 * labelled over [H*W*C] with the ids of C repeated; a channel shuffle is labelled over [groups, C/groups].
 * The axes before the labelled block carry no channel information.
 */
export interface Labels {
  readonly shape: readonly number[];
  readonly ids: Int32Array;
}

/** Why a channel may not be cut. Texts are made in `prune/reasons.ts`. */
export type FreezeCode =
  /** The channels are the model's input. */
  | 'INPUT'
  /** The channels are the model's output. */
  | 'OUTPUT'
  /** An op mixes or reorders the channels in a way that cannot be cut through. */
  | 'OP_MIXES_CHANNELS'
  /** The op has no channel rule for these attributes. */
  | 'OP_WITHOUT_RULE'
  /** Too many positions to follow. */
  | 'TOO_LARGE'
  /** A trunk that keeps its width, because its readers select their own channels of it (`TrunkMode`). */
  | 'TRUNK';

/**
 * What a weight slice does for its channel: 'out' is a filter of a producing layer, 'in' the slice that a
 * consumer reads with, 'depthwise' a depthwise filter, 'norm' a vector of a normalisation, 'param' any
 * other per-channel parameter (PReLU slope, constant operand).
 */
export type SiteKind = 'out' | 'in' | 'depthwise' | 'norm' | 'param';

/** What goes when a grouped convolution is cut: the same places of every group, or whole groups. */
export type GroupedMode = 'slots' | 'groups';

/** Given to a channel rule; implemented by `prune/channels.ts`. */
export interface ChannelContext<K extends Op> {
  readonly node: NodeOf<K>;
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  readonly grouped: GroupedMode;
  /** Shape of one of the node's weights; undefined when the node has none of that role. */
  weightShape(role: WeightRole): Shape | undefined;
  /** Labels of an input; [] when the tensor has no channel axis (a scalar). */
  in(index: number): Labels;
  /** Labels of an input brought to its last axis alone: ids that differ over other axes are coupled. */
  lastAxis(index: number): Int32Array;
  /** New ids for the output channels of a layer with filters of its own (a root that can be pruned). */
  produce(count: number): Int32Array;
  /**
   * Channels as this node goes on with them: those of its input, or, where it selects its own channels of a trunk,
   * new ids in their place, while the trunk's are frozen. A cut then puts a gather before the node.
   */
  select(ids: Int32Array): Int32Array;
  /** New ids for channels without filters (a stored constant, zero padding). */
  fresh(count: number): Int32Array;
  /** Makes ids one channel, pairwise: a[i] with b[i]. */
  couple(a: Int32Array, b: Int32Array): void;
  /** States that position i of `axis` of the weight belongs to ids[i]. The same weight used twice couples. */
  site(role: WeightRole, axis: number, ids: Int32Array, kind: SiteKind): void;
  /** Forbids cutting these ids, because of this node. */
  freeze(ids: Int32Array, code: FreezeCode): void;
  /**
   * Labels an output. A block of several axes is made rectangular: where ids differ over more than one axis,
   * they are coupled over all but the last (equal slots), so that a cut leaves a tensor.
   */
  out(index: number, labels: Labels): void;
}

/** Given to `recut`: positions that stay, per tensor, after a cut. */
export interface CutContext {
  /** Shape of an input or output after the cut. */
  inputShape(index: number): Shape;
  outputShape(index: number): Shape;
  /** Kept positions of the last axis, ascending. */
  keptIn(index: number): Int32Array;
  keptOut(index: number): Int32Array;
  /** Kept positions of one axis of a tensor (all of them where the axis is not labelled). */
  keptInAxis(index: number, axis: number): Int32Array;
}

/** Looks up a node's weight by role; undefined when the node has none. */
export type WeightOf = (role: WeightRole) => Weight | undefined;

/** What a node's weights must look like; a shape of null is the weight's own choice, checked by `infer`. */
export type WeightShapes = Readonly<
  Partial<Record<WeightRole, { readonly shape: Shape | null; readonly optional: boolean }>>
>;

export interface OpDef<K extends Op> {
  /** One line for people: what the op computes. */
  readonly summary: string;
  readonly inputs: { readonly min: number; readonly max: number };
  /** Required and optional weights with their shapes for given input shapes (validation, initialisation). */
  weightShapes(node: NodeOf<K>, inputs: readonly Shape[]): WeightShapes;
  /**
   * Output shapes, per sample. `weight` serves ops whose shape is that of a weight (constant).
   * @throws AppError GRAPH_INVALID when inputs and attributes do not fit.
   */
  infer(node: NodeOf<K>, inputs: readonly Shape[], weight: WeightOf): readonly Shape[];
  /** Multiply-accumulates per sample; absent means none. */
  macs?(node: NodeOf<K>, inputs: readonly Shape[], outputs: readonly Shape[]): number;
  /** How channels flow. */
  channels(context: ChannelContext<K>): void;
  /** New attributes (or another op) after a cut; absent means that attributes do not depend on channels. */
  recut?(node: NodeOf<K>, cut: CutContext): RecutResult;
}

/** Attributes after a cut, of the same op or of the op that takes its place. */
export type RecutResult = { [K in Op]: { readonly op: K; readonly attrs: OpAttrs[K] } }[Op];

export type OpTable = { readonly [K in Op]: OpDef<K> };

/** Shapes of every tensor of a graph, by tensor id. */
export type ShapeMap = ReadonlyMap<string, Shape>;

export type { Graph, Node, WeightId };
