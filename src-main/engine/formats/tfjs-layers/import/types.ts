// What an importer is given: how a call of a Keras layer becomes nodes of the graph.

import type { GraphBuilder } from '../../../graph/build';
import type { TensorId, WeightId, WeightRole } from '../../../graph/types';
import type { Config } from '../config';

/** Name of the weight in Keras, by the role that it has here. */
export type WeightNames = Readonly<Partial<Record<WeightRole, string>>>;

export interface WeightOptions {
  /** Name of the node, where it is not the call's. */
  readonly node?: string;
  /** How many weights of the layer come before these. */
  readonly skip?: number;
}

export interface LayerCall {
  /** The name that the layer's main node gets; further nodes take it as their beginning. */
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  readonly inputs: readonly TensorId[];
  /** The only input. @throws AppError MODEL_CORRUPT when there are several */
  readonly input: TensorId;
  readonly builder: GraphBuilder;
  /** Version of Keras that made the file, 0 when TensorFlow.js or nobody did. */
  readonly kerasMajor: number;
  /**
   * Weights of the layer: the name that Keras gives each role, in Keras's order. Calls of one layer share them.
   * @throws AppError MODEL_CORRUPT when one is not in the file
   */
  weights(names: WeightNames, options?: WeightOptions): Partial<Record<WeightRole, WeightId>>;
  /** Something that the user should know. */
  note(text: string): void;
  /** The error for a setting that cannot be run. */
  unsupported(why: string): Error;
}

/** Adds the nodes of a call and returns its output. */
export type ImportLayer = (call: LayerCall) => TensorId;
