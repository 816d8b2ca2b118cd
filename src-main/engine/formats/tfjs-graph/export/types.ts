// What a lowering is given: how one layer of the graph becomes TensorFlow's operations.

import type { ChannelAffine } from '../../fusion';
import type { Node, NodeOf, Op, Shape, Weight, WeightRole } from '../../../graph/types';
import type { GraphDefBuilder, Ref } from './graph-def';

export interface Lowering<K extends Op> {
  readonly node: NodeOf<K>;
  readonly builder: GraphDefBuilder;
  readonly inputs: readonly Ref[];
  /** Shapes of the graph, without batch. */
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  weight(role: WeightRole): Weight | undefined;
  /** Numbers of a float32 weight that must be there. */
  floats(role: WeightRole): Float32Array;
  /** Where a batch norm after this layer was folded. */
  readonly affine: ChannelAffine | null;
  /** An activation after this layer that it is to compute, and the weights of it. */
  readonly follower: {
    readonly node: Node;
    weight(role: WeightRole): Weight | undefined;
  } | null;
}

/** Adds the operations of a layer and returns the tensors of its outputs. */
export type Lower<K extends Op> = (layer: Lowering<K>) => readonly Ref[];
