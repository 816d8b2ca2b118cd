// What a graph looks like after a choice of channels: shapes, attributes and kept positions, without weights.

import type { CutContext, Labels, ShapeMap } from '../graph/ops/types';
import { opDef } from '../graph/ops/table';
import type { Node, Shape, TensorId, WeightId } from '../graph/types';
import type { Analysis } from './groups';
import { allIndices, indicesWhere } from './indices';
import { makeSelections, withOrigin } from './selection';
import type { Selection } from './selection';

/** The axes of one weight that lose positions, with the positions that stay, ascending. */
export type KeptAxes = ReadonlyMap<number, Int32Array>;

/** Answers questions about the cut graph; nothing is copied until asked. */
export class CutPreview {
  private readonly positions = new Map<Int32Array, Int32Array>();
  private readonly blocks = new Map<Labels, readonly Int32Array[]>();
  private made: readonly Selection[] | undefined;

  /** @param dropped by class: 1 where it goes (see `droppedClasses`). */
  constructor(
    private readonly analysis: Analysis,
    private readonly dropped: Uint8Array,
  ) {}

  /** Positions of a list of classes that stay. */
  kept(classes: Int32Array): Int32Array {
    let kept = this.positions.get(classes);
    if (kept === undefined) {
      kept = indicesWhere(classes.length, (i) => this.dropped[classes[i]!] === 0);
      this.positions.set(classes, kept);
    }
    return kept;
  }

  /** Positions of one axis of a tensor that stay. */
  keptAlong(tensor: TensorId, axis: number): Int32Array {
    const { flow } = this.analysis;
    const shape = flow.shapes.get(tensor)!;
    const labels = flow.labels.get(tensor)!;
    const block = axis - (shape.length - labels.shape.length);
    return block < 0 ? allIndices(shape[axis]!) : this.keptOfBlock(labels)[block]!;
  }

  /** Kept positions of the last axis of a node's first output, or null when all of them stay. */
  keptChannels(node: Node): Int32Array | null {
    const tensor = node.outputs[0];
    const shape = tensor === undefined ? [] : this.analysis.flow.shapes.get(tensor)!;
    if (shape.length === 0) return null;
    const kept = this.keptAlong(tensor!, shape.length - 1);
    return kept.length === shape.at(-1) ? null : kept;
  }

  /** Shape of a tensor after the cut. */
  shape(tensor: TensorId): Shape {
    const { flow } = this.analysis;
    const shape = flow.shapes.get(tensor)!;
    const labels = flow.labels.get(tensor)!;
    if (labels.shape.length === 0) return shape;
    const block = this.keptOfBlock(labels).map((positions) => positions.length);
    return [...shape.slice(0, shape.length - block.length), ...block];
  }

  shapes(): ShapeMap {
    const shapes = new Map<TensorId, Shape>();
    for (const tensor of this.analysis.flow.shapes.keys()) shapes.set(tensor, this.shape(tensor));
    for (const { gather, reader } of this.selections()) {
      shapes.set(gather.outputs[0]!, this.shape(reader.outputs[0]!));
    }
    return shapes;
  }

  /** All nodes after the cut, in topological order; weights are those of before. */
  nodes(): Node[] {
    const selections = this.selections();
    const gatherOf = new Map(selections.map(({ gather }) => [gather.id, gather]));
    const selectionOf = new Map(selections.map((selection) => [selection.reader.id, selection]));
    return this.analysis.flow.graph.nodes.flatMap((node) => {
      const inPlace = gatherOf.get(node.id);
      if (inPlace !== undefined) return [inPlace];
      const after = withOrigin(this.recut(node), node, this.keptChannels(node));
      const selection = selectionOf.get(node.id);
      if (selection === undefined) return [after];
      const { gather, replaces } = selection;
      const reader = { ...after, inputs: [gather.outputs[0]!] };
      return replaces ? [reader] : [gather, reader];
    });
  }

  /** The gathers before batch norms that select channels of a trunk. */
  private selections(): readonly Selection[] {
    return (this.made ??= makeSelections(this.analysis, this));
  }

  /** Axes of every weight on which positions go; weights that stay whole are missing. */
  weightAxes(): ReadonlyMap<WeightId, KeptAxes> {
    const result = new Map<WeightId, Map<number, Int32Array>>();
    for (const site of this.analysis.flow.sites) {
      const kept = this.kept(site.classes);
      if (kept.length === site.classes.length) continue;
      let axes = result.get(site.weight);
      if (axes === undefined) result.set(site.weight, (axes = new Map()));
      axes.set(site.axis, kept);
    }
    return result;
  }

  /** The node with its attributes (or its op) as they are after the cut. */
  recut(node: Node): Node {
    const result = opDef(node.op).recut?.(node, this.contextOf(node));
    return result === undefined ? node : ({ ...node, ...result } as Node);
  }

  private contextOf(node: Node): CutContext {
    const lastAxis = (tensor: TensorId): number =>
      this.analysis.flow.shapes.get(tensor)!.length - 1;
    return {
      inputShape: (index) => this.shape(node.inputs[index]!),
      outputShape: (index) => this.shape(node.outputs[index]!),
      keptIn: (index) => {
        const tensor = node.inputs[index]!;
        return this.keptAlong(tensor, lastAxis(tensor));
      },
      keptOut: (index) => {
        const tensor = node.outputs[index]!;
        return this.keptAlong(tensor, lastAxis(tensor));
      },
      keptInAxis: (index, axis) => this.keptAlong(node.inputs[index]!, axis),
    };
  }

  /** Kept positions of each axis of a labelled block: those where anything at all stays. */
  private keptOfBlock(labels: Labels): readonly Int32Array[] {
    if (labels.shape.length === 1) return [this.kept(labels.ids)];
    let kept = this.blocks.get(labels);
    if (kept === undefined) {
      const { shape } = labels;
      const alive = shape.map((size) => new Uint8Array(size));
      for (let rest of this.kept(labels.ids)) {
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          alive[axis]![rest % shape[axis]!] = 1;
          rest = Math.floor(rest / shape[axis]!);
        }
      }
      kept = alive.map((flags) => indicesWhere(flags.length, (i) => flags[i] === 1));
      this.blocks.set(labels, kept);
    }
    return kept;
  }
}
