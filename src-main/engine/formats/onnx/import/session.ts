// One import: the values of all names, the weights that were handed over, and the layer calls.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../../../context';
import type { GraphBuilder } from '../../../graph/build';
import { sizeOf } from '../../../graph/ops/check';
import type { Graph, TensorId, Weight, WeightId, WeightRole } from '../../../graph/types';
import { asCorrupt, corrupt, tooLarge, unsupportedOp } from '../errors';
import { foldNode } from '../fold/table';
import {
  firstAxisLast,
  groupsOf,
  layoutInOrder,
  range,
  sameGroups,
  shapeOf,
  stepsBetween,
  storedOrder,
  type Atom,
  type Group,
} from '../layout';
import { maxActivationSize } from '../limits';
import { describeNode, isStandard, type OnnxGraph, type OnnxNode } from '../model';
import { layerNames } from '../names';
import { channelsLastInputs } from './inputs';
import { foreignRemedy, remedies } from './remedies';
import { importers } from './table';
import {
  activationValue,
  type Activation,
  type Aligned,
  type NodeCall,
  type Value,
  type WeightSource,
} from './types';

/** Nodes between two looks at the clock and the signal. */
const nodesPerTurn = 20;

export class ImportSession {
  private readonly values = new Map<string, Value>();
  private readonly noted = new Set<string>();
  private readonly arranged = new Map<TensorId, { groups: readonly Group[]; tensor: TensorId }[]>();
  private readonly shared = new Map<string, Partial<Record<WeightRole, WeightId>>>();
  private readonly names: ReadonlyMap<OnnxNode, string>;
  private batch = 1;

  constructor(
    private readonly source: OnnxGraph,
    private readonly builder: GraphBuilder,
  ) {
    this.names = layerNames(source);
    for (const [name, constant] of source.constants) {
      this.values.set(name, { kind: 'constant', constant });
    }
  }

  get notes(): readonly string[] {
    return [...this.noted];
  }

  note(text: string): void {
    this.noted.add(text);
  }

  /** Adds everything to the builder. @throws AppError MODEL_*, CANCELLED */
  async run(context: EngineContext): Promise<Graph> {
    this.addInputs();
    for (const [i, node] of this.source.nodes.entries()) {
      if (i % nodesPerTurn === 0) {
        const total = this.source.nodes.length;
        context.progress({ phase: 'decoding', label: 'Building the graph', done: i, total });
        await setImmediate();
        context.signal.throwIfAborted();
      }
      try {
        this.addNode(node);
      } catch (error) {
        throw asCorrupt(error);
      }
    }
    try {
      this.addOutputs();
      return this.builder.build();
    } catch (error) {
      throw asCorrupt(error);
    }
  }

  private addInputs(): void {
    if (this.source.inputs.length === 0) throw corrupt('It has no input');
    const channelsLast = channelsLastInputs(this.source);
    const batches = new Set(this.source.inputs.map(({ dims }) => dims[0] ?? null));
    batches.delete(null);
    if (batches.size > 1) {
      throw unsupportedOp('model', 'inputs', 'its inputs have batches of different sizes');
    }
    this.batch = [...batches][0] ?? 1;
    for (const { name, dims } of this.source.inputs) {
      const sample = dims.slice(1);
      if (dims.length === 0 || sample.some((size) => size === null)) {
        const text = dims.map((size) => size ?? '?').join(', ');
        throw unsupportedOp(
          name,
          'input',
          `its shape [${text}] is not fixed`,
          'Export the model with a fixed input size: without dynamic axes but the batch.',
        );
      }
      const shape = sample as number[];
      requireReasonableSize(name, shape);
      const logical = groupsOf(shape);
      const isImage = shape.length === 3;
      if (isImage && !channelsLast.has(name)) {
        this.note(
          'The file holds images with channels first (NCHW). In Secateur they come last (NHWC), as on devices; an ' +
            'export to ONNX puts them first again.',
        );
      }
      const order =
        isImage && !channelsLast.has(name) ? firstAxisLast(shape.length) : range(shape.length);
      const layout = layoutInOrder(logical, order);
      const tensor = this.builder.input(name, shapeOf(layout.stored));
      this.values.set(name, activationValue(tensor, layout));
    }
  }

  private addOutputs(): void {
    const taken = new Map<string, number>();
    for (const name of this.source.outputs) {
      const activation = this.activationOf(this.valueOf(name, 'The output'), name);
      const { logical } = activation.layout;
      // An image with its channels last, as the graph has them: moved there, or there in the file already. Everything
      // else as the file has it.
      const rank = logical.length;
      const isAsInFile = this.align(activation).order.every((axis, i) => axis === i);
      const aligned =
        rank === 3 && !isAsInFile
          ? this.alignImage(activation)
          : this.order(activation, range(rank));
      const times = taken.get(name) ?? 0;
      taken.set(name, times + 1);
      this.builder.output(aligned.tensor, times === 0 ? name : `${name}_${times}`);
    }
  }

  private addNode(node: OnnxNode): void {
    const inputs = node.inputs.map((name) =>
      name === '' ? null : this.valueOf(name, describeNode(node)),
    );
    const constants = inputs.map((value) => (value?.kind === 'constant' ? value.constant : null));
    const allKnown = inputs.every((value, i) => value === null || constants[i] !== null);
    if (allKnown && isStandard(node)) {
      const folded = foldNode(node, constants, this.source.opset);
      if (folded !== null) {
        node.outputs.forEach((name, i) => {
          const constant = folded[i];
          if (constant !== undefined) this.values.set(name, { kind: 'constant', constant });
        });
        return;
      }
    }
    const importer = isStandard(node) ? importers.get(node.op) : undefined;
    if (importer === undefined) throw this.unknownOp(node);
    const outputs = importer(this.callOf(node, inputs));
    for (const [i, value] of outputs.entries()) {
      const name = node.outputs[i];
      if (name === undefined || name === '') continue;
      if (value.kind === 'activation') {
        requireReasonableSize(name, shapeOf(value.activation.layout.logical));
      }
      this.values.set(name, value);
    }
  }

  private unknownOp(node: OnnxNode): Error {
    const op = isStandard(node) ? node.op : `${node.domain}.${node.op}`;
    const remedy = remedies[node.op] ?? (isStandard(node) ? undefined : foreignRemedy);
    return unsupportedOp(this.names.get(node)!, op, 'Secateur does not know this operator', remedy);
  }

  private valueOf(name: string, reader: string): Value {
    const value = this.values.get(name);
    if (value !== undefined) return value;
    throw corrupt(
      `${reader} reads the tensor "${name}", which the node that names it does not make`,
      {
        tensor: name,
      },
    );
  }

  private callOf(node: OnnxNode, inputs: readonly (Value | null)[]): NodeCall {
    const name = this.names.get(node)!;
    const owner = describeNode({ ...node, name });
    const unsupported = (why: string, remedy?: string): Error =>
      unsupportedOp(name, node.op, why, remedy);
    const value = (index: number): Value => {
      const found = inputs[index];
      if (found) return found;
      throw corrupt(`${owner} lacks its input ${index}`);
    };
    const { builder } = this;
    const addAll: NodeCall['addAll'] = (op, tensors, attrs, { suffix, weights = {} } = {}) =>
      builder.applyAll(op, tensors, attrs, {
        name: suffix === undefined ? name : `${name}_${suffix}`,
        weights,
      });
    return {
      node,
      name,
      opset: this.source.opset,
      batch: this.batch,
      builder,
      inputCount: inputs.length,
      outputCount: node.outputs.length,
      value,
      activation: (index) => this.activationOf(value(index), name),
      constant(index) {
        const found = value(index);
        if (found.kind === 'constant') return found.constant;
        throw unsupported(`its input ${index} is computed by the network instead of stored`);
      },
      optional(index) {
        const found = inputs[index];
        if (!found) return null;
        if (found.kind === 'constant') return found.constant;
        throw unsupported(`its input ${index} is computed by the network instead of stored`);
      },
      hasInput: (index) => Boolean(inputs[index]),
      shapeOf: ({ layout }) => [this.batch, ...shapeOf(layout.logical)],
      sampleAxis(axis, { layout }) {
        const rank = layout.logical.length + 1;
        const resolved = axis < 0 ? axis + rank : axis;
        if (!Number.isInteger(resolved) || resolved < 0 || resolved >= rank) {
          throw corrupt(`${owner}: axis ${axis} is outside rank ${rank}`);
        }
        if (resolved === 0) throw unsupported('it works along the batch axis');
        return resolved - 1;
      },
      stored: (activation, groups) => this.arrange(activation, groups, name),
      aligned: (activation) => this.align(activation),
      inOrder: (activation, order) => this.order(activation, order),
      image: (activation) => {
        const rank = activation.layout.logical.length;
        if (rank === 3) return this.alignImage(activation);
        throw unsupported(`it works on tensors of ${rank + 1} axes, images have 4`);
      },
      addAll,
      add: (op, tensors, attrs, options) => addAll(op, tensors, attrs, options)[0]!,
      weights: (sources) => this.storeWeights(node.op, name, sources),
      note: (text) => this.note(text),
      unsupported,
      corrupt: (problem) => corrupt(`${owner}: ${problem}`, { layer: name }),
    };
  }

  /** A stored tensor stands for the same values in each sample; its batch axis is 1. */
  private activationOf(value: Value, reader: string): Activation {
    if (value.kind === 'activation') return value.activation;
    if (value.kind === 'sequence') {
      throw unsupportedOp(reader, 'sequence', 'it takes a list of tensors as one');
    }
    const { constant } = value;
    const [batch = 1, ...shape] = constant.shape;
    if (batch !== 1 || shape.length === 0) {
      throw unsupportedOp(reader, 'constant', 'a stored tensor takes the place of an activation');
    }
    const layout = layoutInOrder(groupsOf(shape), range(shape.length));
    const data = Float32Array.from(constant.numbers());
    const tensor = this.builder.constant(
      { shape, dtype: 'float32', data },
      { name: constant.name || `${reader}_constant` },
    );
    return { tensor, layout, pending: null };
  }

  private order(activation: Activation, order: readonly number[]): Aligned {
    const { logical } = activation.layout;
    const groups = order.map((axis) => logical[axis]!);
    return { tensor: this.arrange(activation, groups), logical, order };
  }

  private alignImage(activation: Activation): Aligned {
    return this.order(activation, firstAxisLast(3));
  }

  private align(activation: Activation): Aligned {
    const { layout, tensor } = activation;
    const { logical } = layout;
    const order = storedOrder(layout);
    if (order !== null) return { tensor, logical, order };
    // Axes in the order in which they lie, where each lies in one piece: then nothing has to move.
    const places = new Map<Atom, number>(layout.stored.flat().map((atom, i) => [atom, i]));
    const first = (axis: number): number => places.get(logical[axis]![0]!) ?? -1;
    const preferred = logical.length === 3 ? firstAxisLast(3) : range(logical.length);
    const asTheyLie = [...preferred].sort((a, b) => first(a) - first(b));
    const flat = asTheyLie.flatMap((axis) => logical[axis]!);
    const lies = flat.every((atom, i) => places.get(atom) === i);
    return this.order(
      activation,
      lies && !logical.some((group) => group.length === 0) ? asTheyLie : preferred,
    );
  }

  /** Moves numbers where that is needed, once for all readers that want them so. */
  private arrange(
    { tensor, layout, pending }: Activation,
    groups: readonly Group[],
    reader: string = tensor,
  ): TensorId {
    if (sameGroups(layout.stored, groups)) return tensor;
    const known = this.arranged.get(tensor) ?? [];
    const found = known.find((candidate) => sameGroups(candidate.groups, groups));
    if (found !== undefined) return found.tensor;
    const name = pending ?? `${reader}_layout`;
    let current = tensor;
    for (const step of stepsBetween(layout.stored, groups)) {
      if (step.kind === 'permute') {
        current = this.builder.apply('permute', [current], { perm: step.perm }, { name });
      } else if (step.shape.length === 1) {
        current = this.builder.apply('flatten', [current], {}, { name });
      } else {
        current = this.builder.apply('reshape', [current], { shape: step.shape }, { name });
      }
    }
    this.arranged.set(tensor, [...known, { groups, tensor: current }]);
    return current;
  }

  /**
   * The layer's weights. Exporters merge initialisers of equal content, so sharing one says nothing by itself: layers
   * share their weights where all of them are the same constants, and not just a single number repeated.
   */
  private storeWeights(
    op: string,
    layer: string,
    sources: Readonly<Partial<Record<WeightRole, WeightSource>>>,
  ): Partial<Record<WeightRole, WeightId>> {
    const entries = Object.entries(sources) as [WeightRole, WeightSource][];
    const key = JSON.stringify([
      op,
      entries.map(([role, { constant, variant }]) => [role, constant.name, variant]),
    ]);
    const known = this.shared.get(key);
    if (known !== undefined) return known;
    const ids: Partial<Record<WeightRole, WeightId>> = {};
    let varied = false;
    for (const [role, source] of entries) {
      const weight: Weight = source.make();
      varied ||= weight.data.some((value) => value !== weight.data[0]);
      ids[role] = this.builder.addWeight(`${layer}/${role}`, weight);
    }
    if (varied) this.shared.set(key, ids);
    return ids;
  }
}

export function requireReasonableSize(name: string, shape: readonly number[]): void {
  const size = sizeOf(shape);
  if (size > maxActivationSize) {
    throw tooLarge(`Numbers in the tensor "${name}", per sample`, size, maxActivationSize);
  }
}
