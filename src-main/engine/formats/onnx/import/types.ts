// What an importer is given: how a node of an ONNX graph becomes nodes of ours.

import type { GraphBuilder } from '../../../graph/build';
import type {
  Op,
  OpAttrs,
  Shape,
  TensorId,
  Weight,
  WeightId,
  WeightRole,
} from '../../../graph/types';
import type { Group, Layout } from '../layout';
import type { OnnxNode } from '../model';
import type { ParameterCall } from '../parameters';
import type { Constant } from '../tensor';

/**
 * A tensor that depends on the model's input. Logical axes are ONNX's without the batch, stored ones those of the
 * graph's tensor.
 */
export interface Activation {
  readonly tensor: TensorId;
  readonly layout: Layout;
  /** The reshapes and transpositions that are still to be carried out, by the name of the last one. */
  readonly pending: string | null;
}

/** What a name stands for while a graph is imported. */
export type Value =
  | { readonly kind: 'activation'; readonly activation: Activation }
  | { readonly kind: 'constant'; readonly constant: Constant }
  /** Parts of a split that are picked by number. */
  | { readonly kind: 'sequence'; readonly items: readonly Activation[] };

export interface AddOptions {
  /** Makes a helper's name of the layer's; the main node has none. */
  readonly suffix?: string;
  readonly weights?: Readonly<Partial<Record<WeightRole, Weight | WeightId>>>;
}

/** A weight of a layer: the constant that it is made of, and how. */
export interface WeightSource {
  readonly constant: Constant;
  /** What `make` depends on beside the constant. */
  readonly variant: string;
  make(): Weight;
}

export interface NodeCall extends ParameterCall {
  readonly node: OnnxNode;
  /** The name that the layer's main node gets. */
  readonly name: string;
  readonly opset: number;
  /** Size of the batch axis in the file's own arithmetic. */
  readonly batch: number;
  readonly builder: GraphBuilder;
  readonly inputCount: number;

  /** An input by index. @throws AppError MODEL_CORRUPT when it is left out */
  value(index: number): Value;
  /** An input that is an activation; a stored tensor becomes one. */
  activation(index: number): Activation;
  /** A stored input. @throws AppError MODEL_UNSUPPORTED_OP when it is computed */
  constant(index: number): Constant;
  hasInput(index: number): boolean;

  /** Size of each axis, the batch first. */
  shapeOf(activation: Activation): Shape;
  /** An axis of the tensor as one of the sample. @throws AppError MODEL_UNSUPPORTED_OP when it is the batch */
  sampleAxis(axis: number, activation: Activation): number;

  /** The graph's tensor with just these axes stored, after whatever moves are needed. */
  stored(activation: Activation, groups: readonly Group[]): TensorId;
  /** The activation with each axis stored by itself, in an order that takes the fewest moves. */
  aligned(activation: Activation): Aligned;
  /** The activation with its axes stored in the given order. */
  inOrder(activation: Activation, order: readonly number[]): Aligned;
  /** An image with its channels last. @throws AppError MODEL_UNSUPPORTED_OP when it is no image */
  image(activation: Activation): Aligned;

  add<K extends Op>(
    op: K,
    inputs: readonly TensorId[],
    attrs: OpAttrs[K],
    options?: AddOptions,
  ): TensorId;
  addAll<K extends Op>(
    op: K,
    inputs: readonly TensorId[],
    attrs: OpAttrs[K],
    options?: AddOptions,
  ): readonly TensorId[];
  /** Weights of the layer. Layers that are made of the same constants share them. */
  weights(
    sources: Readonly<Partial<Record<WeightRole, WeightSource>>>,
  ): Partial<Record<WeightRole, WeightId>>;

  /** Something that the user should know; the same remark once. */
  note(text: string): void;
  unsupported(why: string, remedy?: string): Error;
}

/** An activation whose stored axes are its logical ones in some order. */
export interface Aligned {
  readonly tensor: TensorId;
  readonly logical: readonly Group[];
  /** order[i] is the logical axis stored as axis i. */
  readonly order: readonly number[];
}

/** Adds the nodes of a call and returns its outputs; those that are left out need not be there. */
export type ImportNode = (call: NodeCall) => readonly Value[];

export function activationValue(tensor: TensorId, layout: Layout): Value {
  return { kind: 'activation', activation: { tensor, layout, pending: null } };
}
