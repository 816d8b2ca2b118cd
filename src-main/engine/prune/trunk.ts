// Trunks: tensors that several layers read. By default their channels go everywhere or nowhere; a batch norm before
// the convolutions of a block can instead select channels of its own (channel selection in Liu et al. 2017, "Learning
// Efficient Convolutional Networks through Network Slimming", section 3.4), and the trunk keeps its width.

import type { GroupedMode } from '../graph/ops/types';
import type { Graph, Node, NodeId, TensorId } from '../graph/types';
import type { ChannelFlow } from './channels';
import type { PruneOptions, TrunkMode } from './types';

/** The choices that the structure of a model leaves to its user. */
export interface Structure {
  readonly trunk: TrunkMode;
  readonly grouped: GroupedMode;
}

export const defaultStructure: Structure = { trunk: 'group', grouped: 'slots' };

/** The structure that options ask for. */
export function structureOf({
  trunk,
  grouped,
}: Pick<PruneOptions, 'trunk' | 'grouped'>): Structure {
  return {
    trunk: trunk ?? defaultStructure.trunk,
    grouped: grouped ?? defaultStructure.grouped,
  };
}

/**
 * The channel flow in which batch norms select their own channels of a trunk. Norms of which no channel could go
 * (what they give is tied to the trunk again, or is the output) leave the trunk as it is.
 * @param flow of the same graph without selection.
 * @param follow makes the flow for a set of selecting norms.
 */
export function selectingNorms(
  flow: ChannelFlow,
  follow: (selecting: ReadonlySet<NodeId>) => ChannelFlow,
): ChannelFlow {
  let result = flow;
  let selecting = trunkReaders(flow);
  while (selecting.size > 0) {
    result = follow(selecting);
    const useful = new Set([...selecting].filter((id) => canSelect(result, id)));
    if (useful.size === selecting.size) return result;
    selecting = useful;
  }
  return flow;
}

function canSelect({ graph, labels, frozen }: ChannelFlow, id: NodeId): boolean {
  const node = graph.nodes.find((candidate) => candidate.id === id)!;
  return labels.get(node.outputs[0]!)!.ids.some((channel) => frozen[channel] === undefined);
}

/**
 * Batch norms that read a trunk: a tensor that something else reads too, or one with channels of such a tensor (the
 * end of the last block, which the last batch norm reads alone).
 */
function trunkReaders({ graph, labels }: ChannelFlow): ReadonlySet<NodeId> {
  const reads = new TrunkReads(graph);
  const norms = graph.nodes.filter((node) => node.op === 'batchNorm');
  const channelsOf = (node: Node): Int32Array => labels.get(node.inputs[0]!)!.ids;
  const onTrunk = new Set<number>();
  for (const norm of norms.filter((node) => reads.isShared(node))) {
    for (const channel of channelsOf(norm)) onTrunk.add(channel);
  }
  return new Set(
    norms.filter((norm) => channelsOf(norm).some((c) => onTrunk.has(c))).map(({ id }) => id),
  );
}

/** Who reads the tensors of a graph, seen through the gathers that earlier selections left. */
export class TrunkReads {
  private readonly readers = new Map<TensorId, number>();
  private readonly gathers = new Map<TensorId, Node & { readonly op: 'gather' }>();

  constructor(graph: Graph) {
    const count = (tensor: TensorId): void => {
      this.readers.set(tensor, (this.readers.get(tensor) ?? 0) + 1);
    };
    for (const node of graph.nodes) {
      node.inputs.forEach(count);
      if (node.op === 'gather') this.gathers.set(node.outputs[0]!, node);
    }
    for (const { tensor } of graph.outputs) count(tensor);
  }

  /** The gather before a node, where no other node reads it. */
  ownGather(node: Node): (Node & { readonly op: 'gather' }) | undefined {
    const tensor = node.inputs[0]!;
    return this.readers.get(tensor) === 1 ? this.gathers.get(tensor) : undefined;
  }

  /** Whether others read what the node reads. */
  isShared(node: Node): boolean {
    const tensor = this.ownGather(node)?.inputs[0] ?? node.inputs[0]!;
    return this.readers.get(tensor)! > 1;
  }
}
