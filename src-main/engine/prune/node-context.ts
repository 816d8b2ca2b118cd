// What the channel rule of one node is given: see `ChannelContext`.

import { AppError } from '../errors';
import type { ChannelContext, FreezeCode, GroupedMode, Labels, SiteKind } from '../graph/ops/types';
import type { Node, Op, Shape, WeightRole } from '../graph/types';
import type { ChannelWalk } from './channels';

/** What the rule of one node sees and says; it all goes to the walk. */
export class NodeContext implements ChannelContext<Op> {
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  readonly grouped: GroupedMode;

  constructor(
    private readonly walk: ChannelWalk,
    readonly node: Node,
    private readonly nodeIndex: number,
  ) {
    this.inputShapes = node.inputs.map((tensor) => walk.shapeOf(tensor));
    this.grouped = walk.choices.grouped;
    this.outputShapes = node.outputs.map((tensor) => walk.shapeOf(tensor));
  }

  weightShape(role: WeightRole): Shape | undefined {
    const id = this.node.weights[role];
    return id === undefined ? undefined : this.walk.graph.weights.get(id)?.shape;
  }

  in(index: number): Labels {
    return this.walk.labelsOf(this.node.inputs[index]!);
  }

  lastAxis(index: number): Int32Array {
    const { shape, ids } = this.in(index);
    const length = shape.at(-1) ?? 0;
    for (let i = length; i < ids.length; i++) {
      this.walk.couple(ids[i % length]!, ids[i]!, this.nodeIndex);
    }
    return ids.length === length ? ids : ids.subarray(0, length);
  }

  produce(count: number): Int32Array {
    return this.walk.produce(count, this.nodeIndex);
  }

  select(ids: Int32Array): Int32Array {
    if (!this.walk.choices.selecting.has(this.node.id)) return ids;
    this.freeze(ids, 'TRUNK');
    return this.produce(ids.length);
  }

  fresh(count: number): Int32Array {
    return this.walk.newIds(count, this.nodeIndex);
  }

  couple(a: Int32Array, b: Int32Array): void {
    if (a.length !== b.length) {
      throw ruleError(this.node, `its channel rule couples ${a.length} with ${b.length} channels`);
    }
    for (let i = 0; i < a.length; i++) this.walk.couple(a[i]!, b[i]!, this.nodeIndex);
  }

  site(role: WeightRole, axis: number, ids: Int32Array, kind: SiteKind): void {
    const weight = this.node.weights[role];
    const size = this.weightShape(role)?.[axis];
    if (weight === undefined || size !== ids.length) {
      throw ruleError(
        this.node,
        `its channel rule has ${ids.length} channels for ${size ?? 'no'} positions of ${role}`,
      );
    }
    this.walk.addSite({ nodeIndex: this.nodeIndex, role, weight, axis, kind, ids });
  }

  freeze(ids: Int32Array, code: FreezeCode): void {
    this.walk.freeze(ids, code, this.nodeIndex);
  }

  out(index: number, labels: Labels): void {
    const tensor = this.node.outputs[index]!;
    const shape = this.outputShapes[index]!;
    const block = shape.slice(shape.length - labels.shape.length);
    const positions = labels.shape.length === 0 ? 0 : block.reduce((n, size) => n * size, 1);
    if (block.join() !== labels.shape.join() || positions !== labels.ids.length) {
      throw ruleError(
        this.node,
        `its channel rule labels [${labels.shape.join(', ')}] of an output [${shape.join(', ')}]`,
      );
    }
    this.walk.setLabels(tensor, labels, this.nodeIndex);
  }
}

/** A rule and the shapes contradict each other. */
export function ruleError(node: Node, problem: string): AppError {
  return new AppError(
    'INTERNAL',
    `Layer "${node.name}" (${node.op}): ${problem}.`,
    'This is a bug in Secateur; protect the layers before it or leave the model uncut.',
    { details: { layer: node.name, op: node.op } },
  );
}
