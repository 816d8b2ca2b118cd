// Groups of channels that are ranked and cut together, made from the channel flow of a graph.

import type { Labels } from '../graph/ops/types';
import { graphCost } from '../graph/cost';
import { inferShapes } from '../graph/shapes';
import type { Cost, Model, NodeId } from '../graph/types';
import type { ChannelFlow, Freeze, Producer } from './channels';
import { followChannels } from './channels';
import type { Structure } from './trunk';
import { defaultStructure, selectingNorms } from './trunk';
import { DisjointSets } from './disjoint-sets';
import { indicesWhere } from './indices';
import type { Group, Tie } from './types';

/** Channels of a tensor that carries less than a whole group: a split, a slice, a narrower layer. */
export interface Part {
  readonly channels: Int32Array;
  /** Positions that one channel takes where this is a layer's output; null for any other tensor. */
  readonly slots: number | null;
}

/** What ranking and cutting need to know of the channels of one group. */
export interface GroupChannels {
  /** Id of the group. */
  readonly id: number;
  /** Number of channels. */
  readonly count: number;
  /** Class of each channel, ordered by first position in the first producer that has it. */
  readonly classes: Int32Array;
  /** By channel: 1 where nothing forbids to cut it. */
  readonly mayGo: Uint8Array;
  /**
   * Positions that one channel takes in the outputs of the producers that have the whole group, each number
   * once; a grouped convolution of 32 groups has 32.
   */
  readonly slots: readonly number[];
  /**
   * Outputs of producers in which some channels take more positions than others: the channel of each position.
   * Aligning them is not a matter of numbers of channels.
   */
  readonly uneven: readonly Int32Array[];
  /** What carries a part of the group. None of them may be emptied, and layers have limits of their own. */
  readonly parts: readonly Part[];
}

/** All that pruning knows of a model before a choice is made. Made once per model by `analyse`. */
export interface Analysis {
  readonly structure: Structure;
  readonly flow: ChannelFlow;
  readonly cost: Cost;
  /** By group id, for people: plain data that may cross process borders. */
  readonly groups: readonly Group[];
  /** By group id. */
  readonly channels: readonly GroupChannels[];
  /** By class: the group it belongs to, or -1 (it stays), and its channel index there. */
  readonly groupOf: Int32Array;
  readonly channelOf: Int32Array;
  /** Scores of weights by criterion, filled as they are asked for: weights of a model never change. */
  readonly scoreCache: Map<string, Float64Array>;
}

/** Kept channel indices, ascending, by group id; a group that is missing is kept whole. */
export type KeptChannels = ReadonlyMap<number, Int32Array>;

/**
 * Finds the groups of a model, with the choices that its structure leaves made. Pure, and cheap enough to call once per version (tens of milliseconds for
 * ResNet-50): keep the result while options change.
 * @throws AppError GRAPH_INVALID when shapes do not fit.
 */
export function analyse(model: Model, structure: Structure = defaultStructure): Analysis {
  const { graph } = model;
  const shapes = inferShapes(graph);
  const { trunk, grouped } = structure;
  let flow = followChannels(graph, shapes, { grouped, selecting: new Set() });
  if (trunk === 'select') {
    flow = selectingNorms(flow, (selecting) =>
      followChannels(graph, shapes, { grouped, selecting }),
    );
  }
  return {
    structure,
    flow,
    cost: graphCost(model.graph, shapes),
    ...groupChannels(flow),
    scoreCache: new Map(),
  };
}

/** By class: 1 where the choice drops it. */
export function droppedClasses({ flow, channels }: Analysis, kept: KeptChannels): Uint8Array {
  const dropped = new Uint8Array(flow.classCount);
  for (const { id, classes } of channels) {
    const stay = kept.get(id);
    if (stay === undefined) continue;
    for (const channel of classes) dropped[channel] = 1;
    for (const channel of stay) dropped[classes[channel]!] = 0;
  }
  return dropped;
}

/** The inverse of `droppedClasses`: what stays of every group. */
export function keptChannels({ channels }: Analysis, dropped: Uint8Array): KeptChannels {
  return new Map(
    channels.map(({ id, count, classes }) => [
      id,
      indicesWhere(count, (channel) => dropped[classes[channel]!] === 0),
    ]),
  );
}

function groupChannels(
  flow: ChannelFlow,
): Omit<Analysis, 'structure' | 'flow' | 'cost' | 'scoreCache'> {
  const groupOf = new Int32Array(flow.classCount).fill(-1);
  const channelOf = new Int32Array(flow.classCount).fill(-1);
  const producerSets = connectProducers(flow);
  const classes = Array.from({ length: producerSets.count }, (): number[] => []);
  const producersOf = classes.map((): Producer[] => []);
  flow.producers.forEach((producer, index) => {
    const group = producerSets.of[index]!;
    producersOf[group]!.push(producer);
    for (const channel of producer.classes) {
      if (channelOf[channel] !== -1) continue;
      groupOf[channel] = group;
      channelOf[channel] = classes[group]!.push(channel) - 1;
    }
  });
  const members = membersOf(flow, groupOf, classes.length);
  const sizes = classes.map((list) => list.length);
  const tensorParts = partsOfTensors(flow, groupOf, channelOf, sizes);
  const channels = classes.map((list, id): GroupChannels => {
    const mayGo = Uint8Array.from(list, (channel) => (flow.frozen[channel] === undefined ? 1 : 0));
    return {
      id,
      count: list.length,
      classes: Int32Array.from(list),
      mayGo,
      ...slotsAndParts(producersOf[id]!, tensorParts[id]!, channelOf, list.length),
    };
  });
  const groups = channels.map(({ id, count, mayGo, classes: [first] }): Group => {
    const producers = [...new Set(producersOf[id]!.map((producer) => producer.node))];
    const ties = tiesOf(flow, producers);
    const free = mayGo.reduce((sum, flag) => sum + flag, 0);
    return {
      id,
      producers,
      members: members[id]!,
      ties,
      channels: count,
      free,
      frozen: free > 0 ? null : explainFreeze(flow.frozen[first!]!, ties),
    };
  });
  return { groups, channels, groupOf, channelOf };
}

/** Producers that share a class belong to one group. */
function connectProducers({ producers, classCount }: ChannelFlow): {
  readonly of: Int32Array;
  readonly count: number;
} {
  const sets = new DisjointSets();
  sets.add(producers.length);
  const first = new Int32Array(classCount).fill(-1);
  producers.forEach((producer, index) => {
    for (const channel of producer.classes) {
      if (first[channel] === -1) first[channel] = index;
      else sets.union(first[channel]!, index);
    }
  });
  return sets.number();
}

/** The places where one of these layers meets another, each once. */
function tiesOf({ ties }: ChannelFlow, producers: readonly NodeId[]): Tie[] {
  const own = new Set<NodeId | null>(producers);
  const distinct = new Map<string, Tie>();
  for (const tie of ties) {
    if (!tie.between.some((node) => own.has(node))) continue;
    distinct.set([tie.node, ...tie.between].join('\n'), tie);
  }
  return [...distinct.values()];
}

/** The model's input has no node of its own: names the node that ties the layers to it instead. */
export function explainFreeze(freeze: Freeze, ties: readonly Tie[]): Freeze {
  if (freeze.code !== 'INPUT') return freeze;
  const tie = ties.find(({ between }) => between.includes(null));
  return { code: 'INPUT', by: tie?.node ?? null };
}

/** By group: every node that reads, makes or passes on one of its channels, in graph order. */
function membersOf(flow: ChannelFlow, groupOf: Int32Array, groupCount: number): NodeId[][] {
  const members = Array.from({ length: groupCount }, (): NodeId[] => []);
  const known = new Map<Int32Array, readonly number[]>();
  const groupsIn = (ids: Int32Array): readonly number[] => {
    let found = known.get(ids);
    if (found === undefined) {
      const distinct = new Set<number>();
      for (const channel of ids) distinct.add(groupOf[channel]!);
      distinct.delete(-1);
      known.set(ids, (found = [...distinct]));
    }
    return found;
  };
  for (const node of flow.graph.nodes) {
    const touched = new Set<number>();
    for (const tensor of [...node.inputs, ...node.outputs]) {
      const labels = flow.labels.get(tensor);
      if (labels !== undefined) for (const group of groupsIn(labels.ids)) touched.add(group);
    }
    for (const group of touched) members[group]!.push(node.id);
  }
  return members;
}

/** How many positions a channel takes in producers of the whole group, and what has only a part of it. */
function slotsAndParts(
  producers: readonly Producer[],
  tensorParts: readonly Int32Array[],
  channelOf: Int32Array,
  size: number,
): Pick<GroupChannels, 'slots' | 'uneven' | 'parts'> {
  const slots = new Set<number>();
  const uneven: Int32Array[] = [];
  const parts = new Map<string, Part>();
  for (const { classes } of producers) {
    const counts = new Map<number, number>();
    for (const channel of classes) {
      const index = channelOf[channel]!;
      counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    const positions = new Set(counts.values());
    if (positions.size > 1) uneven.push(classes.map((channel) => channelOf[channel]!));
    const perChannel = positions.size === 1 ? classes.length / counts.size : 1;
    if (counts.size === size) slots.add(perChannel);
    else addPart(parts, { channels: Int32Array.from(counts.keys()).sort(), slots: perChannel });
  }
  for (const channels of tensorParts) addPart(parts, { channels, slots: null });
  return { slots: slots.size === 0 ? [1] : [...slots], uneven, parts: [...parts.values()] };
}

function addPart(parts: Map<string, Part>, part: Part): void {
  // Layers of the same channels that give them different numbers of positions have limits of their own.
  const key = `${part.slots ?? 1} ${part.channels.join()}`;
  if (!parts.has(key)) parts.set(key, part);
}

/**
 * By group: the channels of tensors that hold nothing but parts of groups, and so could be emptied. Where
 * such a tensor joins parts of several groups, the first of them answers for it.
 */
function partsOfTensors(
  flow: ChannelFlow,
  groupOf: Int32Array,
  channelOf: Int32Array,
  sizes: readonly number[],
): Int32Array[][] {
  const result = sizes.map((): Int32Array[] => []);
  const blocks = new Set([...flow.labels.values()].map((labels: Labels) => labels.ids));
  for (const ids of blocks) {
    const byGroup = new Map<number, Set<number>>();
    for (const channel of ids) {
      const group = groupOf[channel]!;
      let channels = byGroup.get(group);
      if (channels === undefined) byGroup.set(group, (channels = new Set()));
      channels.add(channelOf[channel]!);
    }
    const first = byGroup.entries().next().value;
    const neverEmpty =
      byGroup.has(-1) || [...byGroup].some(([group, channels]) => channels.size === sizes[group]);
    if (first !== undefined && !neverEmpty) {
      result[first[0]]!.push(Int32Array.from(first[1]).sort());
    }
  }
  return result;
}
