// The gathers by which batch norms select their channels of a trunk when a cut leaves them less than all.

import { unusedName } from '../graph/build';
import type { Node, NodeOf } from '../graph/types';
import type { Analysis } from './groups';
import { TrunkReads } from './trunk';

/** A gather, and the node that reads it. */
export interface Selection {
  readonly gather: NodeOf<'gather'>;
  readonly reader: Node;
  /** Whether it stands in for the gather of an earlier selection, which it has become one with. */
  readonly replaces: boolean;
}

/** What a cut makes of a node. */
interface CutNodes {
  /** Positions of its first output that stay, or null for all. */
  keptChannels(node: Node): Int32Array | null;
  recut(node: Node): Node;
}

export function makeSelections({ flow }: Analysis, after: CutNodes): readonly Selection[] {
  if (flow.selecting.size === 0) return [];
  const { nodes, inputs } = flow.graph;
  const reads = new TrunkReads(flow.graph);
  const names = new Set([
    ...inputs.map(({ tensor }) => tensor),
    ...nodes.flatMap((node) => [node.id, node.name, ...node.outputs]),
  ]);
  return nodes.flatMap((reader): Selection[] => {
    const kept = flow.selecting.has(reader.id) ? after.keptChannels(reader) : null;
    if (kept === null) return [];
    const earlier = reads.ownGather(reader);
    if (earlier !== undefined) {
      // Channels of the trunk that nothing selects any more may go themselves.
      const { attrs } = after.recut(earlier) as NodeOf<'gather'>;
      const indices = Array.from(kept, (position) => attrs.indices[position]!);
      const gather = withOrigin({ ...earlier, attrs: { indices } }, earlier, kept);
      return [{ gather, reader, replaces: true }];
    }
    const name = unusedName(`${reader.name}.select`, names);
    names.add(name);
    const gather: NodeOf<'gather'> = {
      id: name,
      name,
      op: 'gather',
      inputs: reader.inputs,
      outputs: [name],
      attrs: { indices: Array.from(kept) },
      weights: {},
    };
    return [{ gather, reader, replaces: false }];
  });
}

/** Composes the provenance of a node's channels with a cut. */
export function withOrigin<T extends Node>(after: T, before: Node, kept: Int32Array | null): T {
  if (kept === null) return after;
  const origin = Array.from(kept, (position) => before.origin?.[position] ?? position);
  return { ...after, origin };
}
