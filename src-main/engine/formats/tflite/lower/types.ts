// What a lowering is given: how one layer of the graph becomes TFLite operators.

import type { NodeOf, Op, Shape, Weight, WeightRole } from '../../../graph/types';
import type { ChannelAffine } from '../../fusion';
import type { Program, TensorIndex } from '../program';
import type { FusedActivation } from '../schema';

export interface Lowering<K extends Op> {
  readonly node: NodeOf<K>;
  readonly program: Program;
  readonly inputs: readonly TensorIndex[];
  /** Shapes of the graph, without batch. */
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  weight(role: WeightRole): Weight | undefined;
  /** Numbers of a float32 weight that must be there. */
  floats(role: WeightRole): Float32Array;
  /** Where a batch norm after this layer was folded. */
  readonly affine: ChannelAffine | null;
  /** Activation that the last operator computes. */
  readonly activation: FusedActivation;
  readonly target: LoweringTarget;
}

export type LoweringTarget = 'float' | 'int8';

/** Adds the operators of a layer and returns the tensors of its outputs. */
export type Lower<K extends Op> = (layer: Lowering<K>) => readonly TensorIndex[];

/** A per-sample shape with the batch in front. */
export function batched(shape: Shape): Shape {
  return [1, ...shape];
}
