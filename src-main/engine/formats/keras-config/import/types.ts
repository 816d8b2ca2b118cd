// What an importer is given: how a call of a Keras layer becomes nodes of the graph.

import type { GraphBuilder } from '../../../graph/build';
import type { TensorId, Weight, WeightId, WeightRole } from '../../../graph/types';
import type { Config } from '../config';

/** Name of the weight in Keras, by the role that it has here. */
export type WeightNames = Readonly<Partial<Record<WeightRole, string>>>;

export interface WeightOptions {
  /** Name of the node, where it is not the call's. */
  readonly node?: string;
}

/** A tensor, or something else that a function is called with: a number, a list. */
export type CallArgument = TensorId | { readonly kind: 'value'; readonly value: unknown };

export interface LayerCall {
  /** The name that the layer's main node gets; further nodes take it as their beginning. */
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  readonly arguments: readonly CallArgument[];
  /** The tensors among the arguments. */
  readonly inputs: readonly TensorId[];
  /** The only input. @throws AppError MODEL_CORRUPT when there are several */
  readonly input: TensorId;
  readonly builder: GraphBuilder;
  /** Version of Keras that made the file, 0 when TensorFlow.js or nobody did. */
  readonly kerasMajor: number;
  /**
   * Weights of the layer, by the name that Keras gives each role. Calls of one layer share them.
   * @throws AppError MODEL_CORRUPT when one is not in the file
   */
  weights(names: WeightNames, options?: WeightOptions): Partial<Record<WeightRole, WeightId>>;
  /** The numbers of a variable that becomes no weight. @throws AppError MODEL_CORRUPT when it is not in the file */
  value(variable: string): Weight;
  /** Something that the user should know; said once. */
  note(text: string): void;
  /** The error for a setting that cannot be run. */
  unsupported(why: string, remedy?: string): Error;
}

/** Adds the nodes of a call and returns its output. */
export type ImportLayer = (call: LayerCall) => TensorId;

/** A variable of a layer. */
export interface Variable {
  /** As Keras calls it: "kernel". */
  readonly name: string;
  /** False for statistics, which no gradient changes. */
  readonly trainable: boolean;
}

export interface WeightedLayer {
  /** In the order in which Keras keeps them: those that are trained first. */
  variables(config: Config): readonly Variable[];
  readonly add: ImportLayer;
}
