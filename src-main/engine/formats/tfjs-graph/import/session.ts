// What is known while a graph model becomes a graph, and what an operation that is being read can ask for.

import type { GraphBuilder } from '../../../graph/build';
import { formatShape } from '../../../graph/ops/check';
import type {
  ActivationFn,
  Op,
  OpAttrs,
  Shape,
  TensorId,
  Weight,
  WeightId,
  WeightRole,
} from '../../../graph/types';
import type { AppError } from '../../../errors';
import { corrupt } from '../../keras-config/errors';
import { unsupportedOp } from '../errors';
import type { GraphNode } from '../graph-def';
import { layerName, partName } from '../names';
import { activation, sampleInFile, type Activation, type Constant, type Value } from './values';

export interface Session {
  readonly builder: GraphBuilder;
  readonly notes: string[];
  /** Samples in a batch where the file fixes their number, else NaN. */
  readonly batch: number;
  /** Names that layers have. */
  readonly names: Set<string>;
  /** Weights already handed to the builder, by constant and use. */
  readonly stored: Map<Constant, Map<string, WeightId>>;
  /** Tensors turned to another order of axes, by what was turned. */
  readonly turned: Map<string, TensorId>;
}

/** An operation that is being read: its inputs are known, its outputs are wanted. */
export class Call {
  constructor(
    readonly session: Session,
    readonly node: GraphNode,
    readonly inputs: readonly Value[],
  ) {}

  get attrs(): GraphNode['attrs'] {
    return this.node.attrs;
  }

  input(index: number): Value {
    const value = this.inputs[index];
    if (value !== undefined) return value;
    throw this.corrupt(`it has ${this.inputs.length} inputs`);
  }

  activation(index: number): Activation {
    const value = this.input(index);
    if (value.kind === 'activation') return value;
    throw this.unsupported('it works on numbers that do not depend on the input of the model');
  }

  constant(index: number, what: string): Constant {
    const value = this.input(index);
    if (value.kind === 'constant') return value;
    throw this.unsupported(`its ${what} depends on the input of the model`);
  }

  /** Known whole numbers; those that depend on the size of a batch are NaN. */
  ints(index: number, what: string): readonly number[] {
    const { data } = this.constant(index, what);
    if (data.length > 1000) throw this.corrupt(`its ${what} has ${data.length} entries`);
    return Array.from(data, (value) => {
      if (Number.isNaN(value) || Number.isInteger(value)) return value;
      throw this.corrupt(`its ${what} holds ${value}`);
    });
  }

  int(index: number, what: string): number {
    const [value, ...others] = this.ints(index, what);
    if (value !== undefined && others.length === 0 && !Number.isNaN(value)) return value;
    throw this.corrupt(`its ${what} is not one number`);
  }

  shapeOf(tensor: TensorId): Shape {
    return this.session.builder.shapeOf(tensor);
  }

  /** Sizes of the axes as the file has them, NaN for those that grow with the batch. */
  shapeInFile({ tensor, layout }: Activation): readonly number[] {
    return [NaN, ...sampleInFile(this.shapeOf(tensor), layout)];
  }

  /** An axis of the file's tensor, which may count from the end. */
  axis(axis: number, rank: number): number {
    const resolved = axis < 0 ? axis + rank : axis;
    if (Number.isInteger(resolved) && resolved >= 0 && resolved < rank) return resolved;
    throw this.corrupt(`there is no axis ${axis} of ${rank}`);
  }

  /** An axis of the sample, where the file's tensor has the batch in front. */
  sampleAxis(axis: number, rank: number): number {
    const resolved = this.axis(axis, rank + 1);
    if (resolved > 0) return resolved - 1;
    throw this.unsupported('it works along the samples of a batch');
  }

  /** The tensor with its axes as the file has them. */
  plain(value: Activation): TensorId {
    if (value.layout === 'plain') return value.tensor;
    const last = this.shapeOf(value.tensor).length - 1;
    if (value.layout === 'rows') {
      if (last === 0) return value.tensor;
      throw this.unsupported('it mixes the places of an image with the samples of a batch');
    }
    return this.turn(value.tensor, [last, ...Array.from({ length: last }, (_, axis) => axis)]);
  }

  /** The tensor with the channels last, which the file has first. */
  channelsLast(value: Activation): TensorId {
    if (value.layout === 'channelsFirst') return value.tensor;
    const tensor = this.plain(value);
    const rank = this.shapeOf(tensor).length;
    if (rank < 2) return tensor;
    return this.turn(tensor, [...Array.from({ length: rank - 1 }, (_, axis) => axis + 1), 0]);
  }

  /** The tensor in the order that the operation's data format speaks of, and the layout of its result. */
  image(index: number): {
    readonly tensor: TensorId;
    readonly layout: 'plain' | 'channelsFirst';
    /** Places of height and width in the operation's lists of four. */
    readonly axes: readonly [number, number];
  } {
    const value = this.activation(index);
    const format = this.attrs.text('data_format', 'NHWC');
    if (format !== 'NHWC' && format !== 'NCHW') {
      throw this.unsupported(`its data format is ${JSON.stringify(format.slice(0, 20))}`);
    }
    const first = format === 'NCHW';
    const tensor = first ? this.channelsLast(value) : this.plain(value);
    const shape = this.shapeOf(tensor);
    if (shape.length !== 3) {
      throw this.unsupported(`it works on ${formatShape(shape)}, which is no image`);
    }
    return first
      ? { tensor, layout: 'channelsFirst', axes: [2, 3] }
      : { tensor, layout: 'plain', axes: [1, 2] };
  }

  /** Adds a layer under the name of this node. */
  add<K extends Op>(
    op: K,
    inputs: readonly TensorId[],
    attrs: OpAttrs[K],
    options: {
      readonly name?: string;
      readonly weights?: Readonly<Partial<Record<WeightRole, Weight | WeightId | null>>>;
    } = {},
  ): TensorId {
    return this.addAll(op, inputs, attrs, options)[0]!;
  }

  addAll<K extends Op>(
    op: K,
    inputs: readonly TensorId[],
    attrs: OpAttrs[K],
    options: Parameters<Call['add']>[3] = {},
  ): readonly TensorId[] {
    const name = options.name ?? this.name(op);
    this.session.names.add(name);
    return this.session.builder.applyAll(op, inputs, attrs, { ...options, name });
  }

  activate(tensor: TensorId, fn: ActivationFn, alpha?: number): TensorId {
    const attrs = alpha === undefined ? { fn } : { fn, alpha };
    return this.add('activation', [tensor], attrs, { name: this.name(fn.toLowerCase()) });
  }

  /** A free name: the layer's, else with the node's own part or a word behind it. */
  name(word: string, path: string = this.node.name): string {
    const { names } = this.session;
    const layer = layerName(path) ?? layerName(this.node.name);
    if (layer === null) return word;
    const part = path === this.node.name ? partName(path) : '';
    const candidates = [layer, `${layer}_${part || word}`, `${layer}_${word}`];
    return candidates.find((name) => !names.has(name)) ?? candidates[2]!;
  }

  /** A weight made of a constant, shared by all who use the constant alike. */
  weight(constant: Constant, use: string, make: () => Weight): WeightId {
    const { stored, builder } = this.session;
    const uses = stored.get(constant) ?? new Map<string, WeightId>();
    stored.set(constant, uses);
    let id = uses.get(use);
    if (id === undefined) {
      id = builder.addWeight(constant.name, make());
      uses.set(use, id);
    }
    return id;
  }

  /** Numbers as float32. */
  floats({ data, name }: Constant): Float32Array {
    if (data instanceof Float32Array) return data;
    if (!data.some(Number.isNaN)) return Float32Array.from(data);
    throw this.unsupported(`it calculates with "${name}", the number of samples of a batch`);
  }

  result(tensor: TensorId, like: Activation): Activation {
    return activation(tensor, like.layout);
  }

  note(text: string): void {
    if (!this.session.notes.includes(text)) this.session.notes.push(text);
  }

  unsupported(why: string, remedy?: string): AppError {
    return unsupportedOp(this.node.name, this.node.op, why, remedy);
  }

  corrupt(problem: string): AppError {
    return corrupt(`Node "${this.node.name}" (${this.node.op}): ${problem}`, {
      layer: this.node.name,
    });
  }

  private turn(tensor: TensorId, perm: readonly number[]): TensorId {
    const { turned } = this.session;
    const key = `${tensor}\0${perm.join()}`;
    let result = turned.get(key);
    if (result === undefined) {
      result = this.add('permute', [tensor], { perm }, { name: this.name('permute') });
      turned.set(key, result);
    }
    return result;
  }
}

/** Adds what a node computes; one result unless it has several outputs. */
export type Importer = (call: Call) => Value | readonly Value[];
