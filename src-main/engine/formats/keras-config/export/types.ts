// What an exporter is given: how a node of the graph becomes Keras layers.

import type { NodeOf, Op, Shape, Weight, WeightRole } from '../../../graph/types';

/** Who runs the layers. They have most layers in common, and Keras has some more. */
export type Target = 'tfjs' | 'keras';

export const targetTitles: Readonly<Record<Target, string>> = {
  tfjs: 'TensorFlow.js Layers',
  keras: 'Keras',
};

/** An output of a call of a layer. */
export interface Port {
  readonly layer: string;
  readonly call: number;
}

export interface LayerOptions {
  /** Makes a helper's name of the node's; the main layer has none. */
  readonly suffix?: string;
  /** By the name that Keras gives them; undefined ones are left out. */
  readonly weights?: Readonly<Record<string, Weight | undefined>>;
}

export interface NodeExport<K extends Op> {
  readonly target: Target;
  readonly node: NodeOf<K>;
  readonly inputs: readonly Port[];
  /** Per sample. */
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  weight(role: WeightRole): Weight | undefined;
  /** Adds a layer that is called on the given ports. */
  layer(
    className: string,
    config: Readonly<Record<string, unknown>>,
    inputs: readonly Port[],
    options?: LayerOptions,
  ): Port;
  /** The first input of the model, for layers that need any. */
  readonly anchor: { readonly port: Port; readonly shape: Shape };
  /** Whether the first input is never negative, as behind a ReLU. */
  readonly isNeverNegative: boolean;
  /** The error for a node that the target cannot hold. */
  unsupported(why: string): Error;
}

export interface Exported {
  readonly outputs: readonly Port[];
  /** Whether reading the layers gives the node by itself; else the metadata says that they are it. */
  readonly exact: boolean;
}

export type ExportNode<K extends Op> = (node: NodeExport<K>) => Exported;

/** Layers that mean just this node. */
export function exact(output: Port): Exported {
  return { outputs: [output], exact: true };
}

/** Layers that compute this node but, by themselves, mean something else. */
export function composite(...outputs: readonly Port[]): Exported {
  return { outputs, exact: false };
}

/** An axis of the sample as one of the batch; negative ones count from the end in both. */
export function layerAxis(axis: number): number {
  return axis < 0 ? axis : axis + 1;
}
