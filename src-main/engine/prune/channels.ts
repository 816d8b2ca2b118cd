// Follows channels through a graph: gives every tensor its labels by asking each op for its channel rule.
//
// The result speaks of classes: a class is a set of channel positions, in any number of tensors and weights,
// that can only be cut together. Nothing here knows an op; see graph/ops for the rules.

import { AppError } from '../errors';
import type { FreezeCode, GroupedMode, Labels, ShapeMap, SiteKind } from '../graph/ops/types';
import { opDef } from '../graph/ops/table';
import type { Graph, Node, NodeId, Shape, TensorId, WeightId, WeightRole } from '../graph/types';
import { DisjointSets } from './disjoint-sets';
import { NodeContext, ruleError } from './node-context';
import type { Site, Tie } from './types';

/** A weight slice per position of one axis, with the class of each position. */
export interface FlowSite extends Site {
  readonly classes: Int32Array;
}

/** The output channels of a layer with filters of its own. */
export interface Producer {
  readonly node: NodeId;
  readonly classes: Int32Array;
}

/** Why a class stays, and the node that says so. */
export interface Freeze {
  readonly code: FreezeCode;
  readonly by: NodeId | null;
}

/** Where a graph leaves a choice of what moves together. */
export interface FlowChoices {
  readonly grouped: GroupedMode;
  /** Batch norms that select their own channels of the trunk they read; see `selectingNorms`. */
  readonly selecting: ReadonlySet<NodeId>;
}

/** What is known of the channels of a graph. All `classes` and `ids` hold class numbers. */
export interface ChannelFlow {
  readonly graph: Graph;
  readonly shapes: ShapeMap;
  readonly classCount: number;
  readonly labels: ReadonlyMap<TensorId, Labels>;
  readonly producers: readonly Producer[];
  readonly sites: readonly FlowSite[];
  /** By class; undefined where the class may be cut. */
  readonly frozen: readonly (Freeze | undefined)[];
  readonly ties: readonly Tie[];
  readonly selecting: ReadonlySet<NodeId>;
}

const noLabels: Labels = { shape: [], ids: new Int32Array(0) };

/** Owner of ids that belong to the model's input. */
const inputOwner = -1;

interface RawSite {
  readonly nodeIndex: number;
  readonly role: WeightRole;
  readonly weight: WeightId;
  readonly axis: number;
  readonly kind: SiteKind;
  readonly ids: Int32Array;
}

interface RawFreeze {
  readonly ids: Int32Array;
  readonly code: FreezeCode;
  readonly nodeIndex: number;
}

interface RawTie {
  readonly nodeIndex: number;
  readonly kind: Tie['kind'];
  readonly ownerA: number;
  readonly ownerB: number;
}

/**
 * Labels every tensor of a graph.
 * @param shapes of all tensors, from `inferShapes`.
 * @throws AppError INTERNAL when an op's channel rule contradicts the shapes.
 */
export function followChannels(graph: Graph, shapes: ShapeMap, choices: FlowChoices): ChannelFlow {
  const walk = new ChannelWalk(graph, shapes, choices);
  graph.nodes.forEach((node, index) => walk.visit(node, index));
  return walk.finish();
}

/** Collects what the rules of all nodes say, in raw ids. */
export class ChannelWalk {
  readonly sets = new DisjointSets();
  /** Runs of ids by the node that made them: start of each run, and its owner. */
  private readonly runStarts: number[] = [];
  private readonly runOwners: number[] = [];
  private readonly labels = new Map<TensorId, Labels>();
  private readonly producers: { nodeIndex: number; ids: Int32Array }[] = [];
  private readonly sites: RawSite[] = [];
  private readonly firstSite = new Map<string, RawSite>();
  private readonly freezes: RawFreeze[] = [];
  private readonly ties: RawTie[] = [];

  constructor(
    readonly graph: Graph,
    readonly shapes: ShapeMap,
    readonly choices: FlowChoices,
  ) {
    for (const input of graph.inputs) {
      const channels = input.shape.at(-1);
      if (channels === undefined) {
        this.labels.set(input.tensor, noLabels);
        continue;
      }
      const ids = this.newIds(channels, inputOwner);
      this.labels.set(input.tensor, { shape: [channels], ids });
      this.freezes.push({ ids, code: 'INPUT', nodeIndex: inputOwner });
    }
  }

  visit(node: Node, nodeIndex: number): void {
    opDef(node.op).channels(new NodeContext(this, node, nodeIndex));
    for (const tensor of node.outputs) {
      if (!this.labels.has(tensor)) {
        throw ruleError(node, `its channel rule leaves the output "${tensor}" without labels`);
      }
    }
  }

  shapeOf(tensor: TensorId): Shape {
    const shape = this.shapes.get(tensor);
    if (shape === undefined) {
      throw new AppError('INTERNAL', `Tensor "${tensor}" has no shape.`, 'This is a bug.');
    }
    return shape;
  }

  labelsOf(tensor: TensorId): Labels {
    return this.labels.get(tensor) ?? noLabels;
  }

  newIds(count: number, owner: number): Int32Array {
    if (count > 0) {
      this.runStarts.push(this.sets.size);
      this.runOwners.push(owner);
    }
    return this.sets.add(count);
  }

  produce(count: number, nodeIndex: number): Int32Array {
    const ids = this.newIds(count, nodeIndex);
    this.producers.push({ nodeIndex, ids });
    return ids;
  }

  couple(a: number, b: number, nodeIndex: number, kind: Tie['kind'] = 'op'): void {
    const { sets } = this;
    const rootA = sets.find(a);
    const rootB = sets.find(b);
    if (!sets.union(rootA, rootB)) return;
    const ownerA = this.ownerOf(rootA);
    const ownerB = this.ownerOf(rootB);
    const last = this.ties.at(-1);
    const repeats =
      last?.nodeIndex === nodeIndex && last.ownerA === ownerA && last.ownerB === ownerB;
    if (ownerA !== ownerB && !repeats) this.ties.push({ nodeIndex, kind, ownerA, ownerB });
  }

  addSite(site: RawSite): void {
    const key = siteKey(site.weight, site.axis);
    const first = this.firstSite.get(key);
    if (first === undefined) this.firstSite.set(key, site);
    else {
      for (let i = 0; i < site.ids.length; i++) {
        this.couple(first.ids[i]!, site.ids[i]!, site.nodeIndex, 'sharedWeight');
      }
    }
    this.sites.push(site);
  }

  freeze(ids: Int32Array, code: FreezeCode, nodeIndex: number): void {
    this.freezes.push({ ids, code, nodeIndex });
  }

  setLabels(tensor: TensorId, labels: Labels, nodeIndex: number): void {
    this.makeRectangular(labels, nodeIndex);
    this.labels.set(tensor, labels);
  }

  /** Couples ids over all but the last of the axes over which they differ. */
  private makeRectangular({ shape, ids }: Labels, nodeIndex: number): void {
    if (shape.length < 2) return;
    const differing: { size: number; stride: number }[] = [];
    let stride = ids.length;
    for (const size of shape) {
      stride /= size;
      if (this.differsOver(ids, size, stride)) differing.push({ size, stride });
    }
    differing.pop();
    for (const axis of differing) {
      for (let i = 0; i < ids.length; i++) {
        this.couple(ids[axisStart(i, axis.size, axis.stride)]!, ids[i]!, nodeIndex);
      }
    }
  }

  private differsOver(ids: Int32Array, size: number, stride: number): boolean {
    const { sets } = this;
    for (let i = 0; i < ids.length; i++) {
      if (sets.find(ids[i]!) !== sets.find(ids[axisStart(i, size, stride)]!)) return true;
    }
    return false;
  }

  /** The node that made an id: the last run that starts at or before it. */
  private ownerOf(id: number): number {
    let low = 0;
    let high = this.runStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.runStarts[middle]! <= id) low = middle;
      else high = middle - 1;
    }
    return this.runOwners[low]!;
  }

  finish(): ChannelFlow {
    this.freezeHalfSharedWeights();
    const { of: classOf, count } = this.sets.number();
    const toClasses = memoised((ids) => ids.map((id) => classOf[id]!));
    const nodeId = (index: number): NodeId => this.graph.nodes[index]!.id;
    const ties = this.ties.map((tie): Tie => {
      const owner = (index: number): NodeId | null => (index === inputOwner ? null : nodeId(index));
      return {
        node: nodeId(tie.nodeIndex),
        kind: tie.kind,
        between: [owner(tie.ownerA), owner(tie.ownerB)],
      };
    });
    const labels = new Map<TensorId, Labels>();
    for (const [tensor, { shape, ids }] of this.labels) {
      labels.set(tensor, { shape, ids: toClasses(ids) });
    }
    return {
      graph: this.graph,
      shapes: this.shapes,
      classCount: count,
      labels,
      producers: this.producers.map(({ nodeIndex, ids }) => ({
        node: nodeId(nodeIndex),
        classes: toClasses(ids),
      })),
      sites: this.sites.map(({ nodeIndex, role, weight, axis, kind, ids }) => ({
        node: nodeId(nodeIndex),
        role,
        weight,
        axis,
        kind,
        classes: toClasses(ids),
      })),
      frozen: this.frozenClasses(classOf, count, nodeId),
      ties,
      selecting: this.choices.selecting,
    };
  }

  /**
   * A weight that two nodes use must be cut alike for both. Where only one of them has a site on an axis,
   * the other could not follow a cut there.
   */
  private freezeHalfSharedWeights(): void {
    const uses = new Map<WeightId, number[]>();
    this.graph.nodes.forEach((node, index) => {
      for (const weight of Object.values(node.weights)) {
        const users = uses.get(weight);
        if (users === undefined) uses.set(weight, [index]);
        else users.push(index);
      }
    });
    const shared = this.sites.filter((site) => uses.get(site.weight)!.length > 1);
    const sited = new Set(shared.map((s) => `${s.nodeIndex} ${siteKey(s.weight, s.axis)}`));
    for (const { weight, axis, ids } of shared) {
      const other = uses
        .get(weight)!
        .find((index) => !sited.has(`${index} ${siteKey(weight, axis)}`));
      if (other !== undefined) this.freeze(ids, 'OP_WITHOUT_RULE', other);
    }
  }

  /** The first reason of each class; the model's borders come before ops, as no op could lift them. */
  private frozenClasses(
    classOf: Int32Array,
    count: number,
    nodeId: (index: number) => NodeId,
  ): (Freeze | undefined)[] {
    const frozen = new Array<Freeze | undefined>(count);
    const mark = (ids: Int32Array, freeze: Freeze): void => {
      for (const id of ids) frozen[classOf[id]!] ??= freeze;
    };
    const [atInput, inside] = partition(this.freezes, (freeze) => freeze.code === 'INPUT');
    for (const { ids } of atInput) mark(ids, { code: 'INPUT', by: null });
    const producerOf = new Map<TensorId, NodeId>();
    for (const node of this.graph.nodes) {
      for (const tensor of node.outputs) producerOf.set(tensor, node.id);
    }
    for (const { tensor } of this.graph.outputs) {
      const by = producerOf.get(tensor) ?? null;
      mark(this.labelsOf(tensor).ids, { code: 'OUTPUT', by });
    }
    for (const { ids, code, nodeIndex } of inside) mark(ids, { code, by: nodeId(nodeIndex) });
    return frozen;
  }
}

/** Index of the position that shares all coordinates with `i` but is 0 on the given axis. */
function axisStart(i: number, size: number, stride: number): number {
  return i - (Math.floor(i / stride) % size) * stride;
}

function siteKey(weight: WeightId, axis: number): string {
  return `${axis} ${weight}`;
}

function partition<T>(list: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of list) (test(item) ? yes : no).push(item);
  return [yes, no];
}

/** Ops pass arrays on unchanged, so most of them are met many times. */
function memoised(compute: (ids: Int32Array) => Int32Array): (ids: Int32Array) => Int32Array {
  const known = new Map<Int32Array, Int32Array>();
  return (ids) => {
    let result = known.get(ids);
    if (result === undefined) known.set(ids, (result = compute(ids)));
    return result;
  };
}
