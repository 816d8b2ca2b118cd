// What an exporter is given: how a node of the graph becomes ONNX operators.

import type { NodeOf, Op, Shape, Weight, WeightRole } from '../../../graph/types';
import type { Group, Layout } from '../layout';
import type { Attributes, OnnxProgram } from './program';

/**
 * A tensor of the graph. Logical axes are the graph's (channels last), stored ones those of the ONNX tensor behind
 * its batch (channels first, where nothing speaks against it).
 */
export interface Tensor {
  readonly name: string;
  readonly layout: Layout;
  /** The numbers of a constant, as its logical axes have them: it is stored as whoever reads it wants it. */
  readonly constant: Float32Array | null;
}

export interface EmitOptions {
  /** Makes a helper's name of the layer's; the main operator has none. */
  readonly suffix?: string;
  readonly outputs?: number;
}

/** A tensor whose ONNX axes are the graph's in some order, each whole. */
export interface Aligned {
  readonly name: string;
  readonly logical: readonly Group[];
  /** order[i] is the graph's axis at ONNX axis i + 1. */
  readonly order: readonly number[];
}

export interface NodeExport<K extends Op> {
  readonly node: NodeOf<K>;
  readonly program: OnnxProgram;
  readonly inputs: readonly Tensor[];
  /** Per sample. */
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  weight(role: WeightRole): Weight | undefined;
  /** A weight as a stored tensor: `make` brings its numbers into ONNX's order; `variant` says how. */
  stored(
    role: WeightRole,
    variant: string,
    shape: Shape,
    make: (data: Float32Array) => Float32Array,
  ): string;

  /** The name of a tensor with just these axes behind the batch, after whatever moves are needed. */
  arranged(tensor: Tensor, groups: readonly Group[]): string;
  /** The tensor with each axis by itself, in an order that takes the fewest moves. */
  aligned(tensor: Tensor): Aligned;
  inOrder(tensor: Tensor, order: readonly number[]): Aligned;
  /** An image with its channels first. */
  image(tensor: Tensor): Aligned;

  /** Adds an operator on named tensors and returns its output. */
  emit(
    op: string,
    inputs: readonly string[],
    attributes?: Attributes,
    options?: EmitOptions,
  ): string;
  emitAll(
    op: string,
    inputs: readonly string[],
    attributes: Attributes,
    options: EmitOptions,
  ): readonly string[];
  /** The error for a node that the format cannot hold. */
  unsupported(why: string): Error;
}

/** Adds the operators of a node and returns its outputs. */
export type ExportNode<K extends Op> = (node: NodeExport<K>) => readonly Tensor[];

export function tensorOf(name: string, layout: Layout): Tensor {
  return { name, layout, constant: null };
}
