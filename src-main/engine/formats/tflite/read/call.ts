// What the raising of one operator is given: its inputs as values, its options, and the graph that it adds layers to.

import type { AppError } from '../../../errors';
import type { GraphBuilder, LayerOptions } from '../../../graph/build';
import { float32Weight } from '../../../graph/initialise';
import { sizeOf } from '../../../graph/ops/check';
import type { ActivationFn, Op, OpAttrs, Shape, TensorId, Weight } from '../../../graph/types';
import { corrupt, unsupportedOperator } from '../errors';
import type { AllOptionsOf, OperatorName } from '../operators';
import { absent, type Operation, type ProgramData, type TensorIndex } from '../program';
import { fusedActivations } from '../schema';
import type { Activation, Constant, Value } from './values';

/** Turns an operator into layers and returns the values of its outputs. */
export type Raise<N extends OperatorName> = (call: Call<N>) => readonly Value[];

/** Where an operator stands. */
export interface CallSite {
  readonly builder: GraphBuilder;
  readonly program: ProgramData;
  readonly operation: Operation;
  /** Of all tensors so far. */
  readonly values: ReadonlyMap<TensorIndex, Value>;
  /** The operators that made them. */
  readonly makers: ReadonlyMap<TensorIndex, Operation>;
}

/** A tensor [H, W, C] beside the batch. */
export interface Image {
  readonly value: Activation;
  readonly shape: readonly [number, number, number];
}

export class Call<N extends OperatorName = OperatorName> {
  readonly options: AllOptionsOf<N>;
  readonly name: string;

  readonly builder: GraphBuilder;
  readonly operation: Operation;
  /** null stands for an input that is not given. */
  readonly inputs: readonly (Value | null)[];
  /** As the file states them, batch included. */
  readonly outputShapes: readonly Shape[];

  constructor(private readonly site: CallSite) {
    const { builder, operation, values, program } = site;
    this.builder = builder;
    this.operation = operation;
    // Parsing has filled in the options of this very operator.
    this.options = operation.options as AllOptionsOf<N>;
    this.name = operation.layer;
    this.inputs = operation.inputs.map((tensor) => values.get(tensor) ?? null);
    this.outputShapes = operation.outputs.map((tensor) => program.tensors[tensor]!.shape);
  }

  get outputIsFloat(): boolean {
    return this.site.program.tensors[this.operation.outputs[0]!]?.type === 'float32';
  }

  /** The operator that makes an input, with its own inputs; null for what no operator makes. */
  maker(index: number): Call | null {
    const operation = this.site.makers.get(this.operation.inputs[index] ?? absent);
    return operation === undefined ? null : new Call({ ...this.site, operation });
  }

  /** @throws AppError MODEL_CORRUPT where the operator lacks it */
  input(index: number): Value {
    const value = this.inputs[index];
    if (value) return value;
    throw this.corrupt(`input ${index} is missing`);
  }

  /** An input as a tensor of the graph: stored numbers become a layer. */
  tensor(index: number): Activation {
    return this.asTensor(this.input(index));
  }

  /** The same for any value; one that is stored is aligned with another operand, where there is one. */
  asTensor(value: Value, beside?: Value): Activation {
    if (value.kind === 'spread') throw this.unsupported('it reads an image spread over the batch');
    if (value.kind === 'activation') return value;
    return this.stored(value, beside?.kind === 'activation' ? beside : undefined);
  }

  /** A stored input. @throws AppError MODEL_UNSUPPORTED_OP where it is computed */
  constant(index: number): Constant {
    const value = this.input(index);
    if (value.kind === 'constant') return value;
    throw this.unsupported(`input ${index} is computed, not stored`);
  }

  floats(index: number): Constant & { readonly data: Float32Array } {
    const { shape, data } = this.constant(index);
    if (data instanceof Float32Array) return { kind: 'constant', shape, data };
    throw this.corrupt(`input ${index} holds integers`);
  }

  ints(index: number): readonly number[] {
    const { data } = this.constant(index);
    if (data instanceof Int32Array) return [...data];
    throw this.corrupt(`input ${index} holds no integers`);
  }

  /** A stored vector with one number a channel, or undefined where it is not given. */
  vector(index: number, length: number): Weight | undefined {
    if (!this.inputs[index]) return undefined;
    const { data } = this.floats(index);
    if (data.length === length) return float32Weight([length], data);
    throw this.corrupt(`input ${index} has ${data.length} numbers for ${length} channels`);
  }

  /** The shape of a value as the operator sees it, batch included. */
  shapeOf(value: Value): Shape {
    if (value.kind === 'constant') return value.shape;
    const { tensor, batched } = value.kind === 'spread' ? value.source : value;
    const sample = this.builder.shapeOf(tensor);
    return batched ? [1, ...sample] : sample;
  }

  /** An image [H, W, C]. @throws AppError MODEL_UNSUPPORTED_OP for tensors of other ranks */
  image(index: number): Image {
    return this.imageOf(this.tensor(index));
  }

  imageOf(value: Activation): Image {
    const shape = this.builder.shapeOf(value.tensor);
    if (!value.batched || shape.length !== 3) {
      throw this.unsupported(
        `it works on a tensor of the shape [${this.shapeOf(value).join(', ')}]`,
      );
    }
    return { value, shape: shape as unknown as readonly [number, number, number] };
  }

  /** An axis of the operator as one of the sample. @throws AppError MODEL_UNSUPPORTED_OP for the batch */
  axis(value: Activation, axis: number): number {
    const rank = this.shapeOf(value).length;
    const positive = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(positive) || positive < 0 || positive >= rank) {
      throw this.corrupt(`there is no axis ${axis} in a tensor of ${rank}`);
    }
    if (value.batched && positive === 0)
      throw this.unsupported('it works on the axis of the batch');
    return value.batched ? positive - 1 : positive;
  }

  /** Adds a layer that takes its batch as `like` does, and returns its first output. */
  add<K extends Op>(
    op: K,
    inputs: readonly Activation[],
    attrs: OpAttrs[K],
    options: LayerOptions = {},
  ): Activation {
    const [first] = inputs;
    const tensor = this.builder.apply(
      op,
      inputs.map((input) => input.tensor),
      attrs,
      { name: this.name, ...options },
    );
    return { kind: 'activation', tensor, batched: first?.batched ?? true };
  }

  activation(
    x: Activation,
    fn: ActivationFn,
    alpha?: number,
    name: string = this.name,
  ): Activation {
    return this.add('activation', [x], alpha === undefined ? { fn } : { fn, alpha }, { name });
  }

  /** The activation that an operator computes beside its own result, as a layer. */
  fused(x: Activation, code: number): Activation {
    switch (code) {
      case fusedActivations.NONE:
        return x;
      case fusedActivations.RELU:
        return this.activation(x, 'relu', undefined, `${this.name}_relu`);
      case fusedActivations.RELU6:
        return this.activation(x, 'relu6', undefined, `${this.name}_relu6`);
      case fusedActivations.TANH:
        return this.activation(x, 'tanh', undefined, `${this.name}_tanh`);
      case fusedActivations.RELU_N1_TO_1:
        return this.clipped(x, -1, 1);
      default:
        throw this.unsupported(`its fused activation ${code} is not known`);
    }
  }

  /** min(max(x, low), high) */
  clipped(x: Activation, low: number, high: number): Activation {
    const number = (value: number): Activation => this.stored(scalar(value));
    const above = this.add('max', [x, number(low)], {}, { name: `${this.name}_max` });
    return this.add('min', [above, number(high)], {}, { name: `${this.name}_min` });
  }

  /** Stored numbers as a layer. Where they have as many axes as `beside`, the first is the batch. */
  stored({ shape, data }: Constant, beside?: Activation): Activation {
    if (!(data instanceof Float32Array)) throw this.unsupported('it computes with integers');
    const hasBatch = beside?.batched === true && shape.length === this.shapeOf(beside).length;
    if (hasBatch && shape[0] !== 1) throw this.unsupported('it has numbers for several images');
    const sample = hasBatch || (beside === undefined && shape[0] === 1) ? shape.slice(1) : shape;
    if (sizeOf(sample) === 0) throw this.corrupt('a stored operand is empty');
    const value = float32Weight(sample, data);
    const tensor = this.builder.constant(value, { name: `${this.name}_constant` });
    return { kind: 'activation', tensor, batched: true };
  }

  /** The same numbers in another shape, batch included as the operator sees it. */
  reshaped(x: Activation, shape: Shape): Activation {
    const current = this.shapeOf(x);
    if (shape.join() === current.join()) return x;
    const batched = shape[0] === 1;
    const sample = batched ? shape.slice(1) : shape;
    if (sizeOf(shape) !== sizeOf(current)) {
      throw this.corrupt(`[${current.join(', ')}] does not become [${shape.join(', ')}]`);
    }
    const own = this.builder.shapeOf(x.tensor);
    if (sample.join() === own.join()) return { ...x, batched };
    const tensor: TensorId =
      sample.length === 1
        ? this.builder.flatten(x.tensor, { name: this.name })
        : this.builder.apply('reshape', [x.tensor], { shape: sample }, { name: this.name });
    return { kind: 'activation', tensor, batched };
  }

  unsupported(why: string): AppError {
    return unsupportedOperator(this.name, this.operation.operator, why);
  }

  corrupt(why: string): AppError {
    const { operator } = this.operation;
    return corrupt(`layer "${this.name}" (${operator}): ${why}`, { layer: this.name, operator });
  }
}

export const scalar = (value: number): Constant => ({
  kind: 'constant',
  shape: [],
  data: Float32Array.of(value),
});
