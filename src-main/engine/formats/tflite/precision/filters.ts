// Which operators have filters that are stored as integers, and where.

import { sizeOf } from '../../../graph/ops/check';
import type { ChannelLayout } from '../../../quantize/filters';
import type { Shape } from '../../../graph/types';
import type { WrittenOperator } from '../operators';

export interface FilterOperands {
  /** Places among the inputs. */
  readonly data: number;
  readonly kernel: number;
  readonly bias: number;
  /** Axis of the kernel that counts output channels. */
  readonly axis: number;
}

export const filterOperands = {
  CONV_2D: { data: 0, kernel: 1, bias: 2, axis: 0 },
  DEPTHWISE_CONV_2D: { data: 0, kernel: 1, bias: 2, axis: 3 },
  FULLY_CONNECTED: { data: 0, kernel: 1, bias: 2, axis: 0 },
  TRANSPOSE_CONV: { data: 2, kernel: 1, bias: 3, axis: 0 },
} as const satisfies Partial<Record<WrittenOperator, FilterOperands>>;

export function operandsOf(operator: string): FilterOperands | null {
  const table: Readonly<Record<string, FilterOperands>> = filterOperands;
  return table[operator] ?? null;
}

export function channelLayout(shape: Shape, axis: number): ChannelLayout {
  return { channels: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}
