// What the choices that a model's structure leaves come to: the cost of the cut under each, side by side.

import { AppError } from '../errors';
import type { GroupedMode } from '../graph/ops/types';
import type { Cost, Graph } from '../graph/types';
import { inferShapes } from '../graph/shapes';
import type { Analysis } from './groups';
import { structureOf } from './trunk';
import type { Structure } from './trunk';
import type { PruneOptions, TrunkMode } from './types';

/** By choice, the cost after the cut; null where the target cannot be reached or nothing ranks the channels. */
export interface StructureCosts {
  /** Null for a model without a trunk that batch norms read. */
  readonly trunk: Readonly<Record<TrunkMode, Cost | null>> | null;
  /** Null for a model without grouped convolutions. */
  readonly grouped: Readonly<Record<GroupedMode, Cost | null>> | null;
}

/**
 * @param analysis of the model, for a structure.
 * @param costOf the cost after the cut that options ask for; may throw what `planPrune` throws.
 */
export function structureCosts(
  options: PruneOptions,
  analysis: (structure: Structure) => Analysis,
  costOf: (options: PruneOptions) => Cost,
): StructureCosts {
  const structure = structureOf(options);
  const cost = (choice: Partial<Structure>): Cost | null => {
    try {
      return costOf({ ...options, ...choice });
    } catch (error) {
      if (error instanceof AppError && expected.has(error.code)) return null;
      throw error;
    }
  };
  const offered = structureChoices(analysis({ ...structure, trunk: 'select' }));
  return {
    trunk: offered.trunk
      ? { group: cost({ trunk: 'group' }), select: cost({ trunk: 'select' }) }
      : null,
    grouped: offered.grouped
      ? { slots: cost({ grouped: 'slots' }), groups: cost({ grouped: 'groups' }) }
      : null,
  };
}

/** Which choices a model leaves. */
export interface StructureChoices {
  /** Batch norms read a trunk. */
  readonly trunk: boolean;
  /** There are grouped convolutions. */
  readonly grouped: boolean;
}

/** @param selecting analysis of the model with trunks that batch norms select from. */
export function structureChoices({ flow }: Analysis): StructureChoices {
  return { trunk: flow.selecting.size > 0, grouped: hasGrouped(flow.graph) };
}

const expected: ReadonlySet<string> = new Set(['PRUNE_TARGET_UNREACHABLE', 'INVALID_ARGUMENT']);

/** Whether a graph has grouped convolutions with several channels a group: others are depthwise. */
function hasGrouped(graph: Graph): boolean {
  const shapes = inferShapes(graph);
  return graph.nodes.some(
    (node) =>
      node.op === 'conv2d' &&
      node.attrs.groups > 1 &&
      node.attrs.groups < shapes.get(node.inputs[0]!)!.at(-1)!,
  );
}
