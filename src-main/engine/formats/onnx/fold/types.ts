// What a fold is given: a node whose inputs are all known when the file is read.

import type { OnnxNode } from '../model';
import type { Constant, Numbers } from '../tensor';
import type { Shape } from '../../../graph/types';

export interface FoldCall {
  readonly node: OnnxNode;
  /** How the node is spoken of. */
  readonly owner: string;
  readonly opset: number;
  /** An input that must be there. @throws AppError MODEL_CORRUPT */
  input(index: number): Constant;
  /** An input that may be left out. */
  optional(index: number): Constant | null;
  readonly inputCount: number;
  readonly outputCount: number;
  /** Checks the size of a result before it is made. @throws AppError MODEL_TOO_LARGE */
  requireSize(shape: Shape): number;
  corrupt(problem: string): Error;
}

export interface Folded {
  readonly shape: Shape;
  readonly kind: Constant['kind'];
  readonly data: Numbers;
}

/** Computes a node's outputs. */
export type Fold = (call: FoldCall) => readonly Folded[];
