// What the networks of these tests are made of, and the arithmetic of the costs of the numbered ones.

import type { GraphBuilder } from '../../../../src-main/engine/graph/build';
import type { FreezeCode } from '../../../../src-main/engine/graph/ops/types';
import type { TensorId } from '../../../../src-main/engine/graph/types';
import type { Structure } from '../../../../src-main/engine/prune/trunk';

export interface Topology {
  readonly number: number;
  readonly name: string;
  build(b: GraphBuilder): void;
  /** Kept channels by group; groups that are missing stay whole. */
  readonly kept: readonly (readonly [number, readonly number[]])[];
  readonly params: number;
  readonly macs: number;
  /** By layer, why it may not be cut. */
  readonly frozen?: Readonly<Record<string, FreezeCode>>;
  readonly structure?: Structure;
  /** Formats that cannot express it. */
  readonly refusedBy?: readonly RunFormat[];
}

/** Formats whose files are run by a runtime that is not ours. */
export const runFormats = ['tflite', 'tfjs-layers', 'tfjs-graph', 'onnx'] as const;
export type RunFormat = (typeof runFormats)[number];

/** Parameters of a convolution with bias: a window of k x k, i inputs, o outputs. */
export const conv = (k: number, i: number, o: number): number => k * k * i * o + o;
/** Its multiply-accumulates at so many output positions. */
export const macs = (k: number, i: number, o: number, positions: number): number =>
  k * k * i * o * positions;
/** Gamma and beta. */
export const norm = (channels: number): number => 2 * channels;
/** A depthwise convolution of 3 x 3 with bias. */
export const depthwise = (outputs: number): number => 9 * outputs + outputs;
export const dense = (i: number, o: number): number => i * o + o;

export const layer = (
  b: GraphBuilder,
  x: TensorId,
  name: string,
  filters: number,
  kernelSize = 3,
): TensorId => b.conv2d(x, { name, filters, kernelSize });
export const normed = (
  b: GraphBuilder,
  x: TensorId,
  name: string,
  filters: number,
  kernelSize = 3,
): TensorId => b.activation(b.batchNorm(layer(b, x, name, filters, kernelSize)), 'relu');
export const head = (b: GraphBuilder, x: TensorId, units = 3): void =>
  b.output(b.dense(b.globalAvgPool(x), { units, name: 'head' }));
export const image = (b: GraphBuilder, height = 4, width = height): TensorId =>
  b.input('image', [height, width, 3]);
