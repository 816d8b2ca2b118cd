// Filters as integers: each output channel has a scale of its own, symmetric around 0, and biases have the scale of the
// products that they are added to (TFLite 8-bit quantisation specification).

import { roundAway } from './parameters';

/** Filters go from -127 to 127. */
const largest = 127;

/** Biases are int32; sums of products are added to them, so that half of it stays free. */
const largestBias = 2 ** 30;

/** Below this the channel holds nothing but zeros. */
const smallestScale = 2 ** -60;

/** Where the output channels of a kernel lie: position i belongs to channel floor(i / inner) mod channels. */
export interface ChannelLayout {
  readonly channels: number;
  readonly inner: number;
}

export interface QuantizedFilters {
  readonly values: Int8Array;
  /** One a channel. */
  readonly scales: Float32Array;
}

/** The largest magnitude of each channel's filter. */
function magnitudes(kernel: Float32Array, { channels, inner }: ChannelLayout): Float64Array {
  const result = new Float64Array(channels);
  for (let start = 0, block = 0; start < kernel.length; start += inner, block++) {
    const channel = block % channels;
    let magnitude = result[channel]!;
    for (let i = start; i < start + inner; i++) {
      const value = Math.abs(kernel[i]!);
      if (value > magnitude) magnitude = value;
    }
    result[channel] = magnitude;
  }
  return result;
}

/** @param atLeast smallest scale of each channel, where something else asks for one */
export function quantizeFilters(
  kernel: Float32Array,
  layout: ChannelLayout,
  atLeast?: Float64Array,
): QuantizedFilters {
  const { channels, inner } = layout;
  const scales = Float32Array.from(magnitudes(kernel, layout), (magnitude, channel) =>
    Math.max(magnitude / largest, atLeast?.[channel] ?? 0, smallestScale),
  );
  const values = new Int8Array(kernel.length);
  for (let start = 0, block = 0; start < kernel.length; start += inner, block++) {
    const scale = scales[block % channels]!;
    for (let i = start; i < start + inner; i++) {
      // The float32 scale can lie below the exact one by half a unit in the last place: 127.00001 is 127.
      values[i] = Math.min(Math.max(roundAway(kernel[i]! / scale), -largest), largest);
    }
  }
  return { values, scales };
}

export interface QuantizedLayer extends QuantizedFilters {
  readonly bias: Int32Array;
  readonly biasScales: Float32Array;
}

/**
 * Filters and bias of a layer whose input has the given scale. Where a bias would not fit, its channel's filter takes
 * larger steps: it is small beside the bias.
 */
export function quantizeLayer(
  kernel: Float32Array,
  layout: ChannelLayout,
  bias: Float32Array,
  inputScale: number,
): QuantizedLayer {
  const needed = Float64Array.from(bias, (value) => Math.abs(value) / (largestBias * inputScale));
  const filters = quantizeFilters(kernel, layout, needed);
  const biasScales = filters.scales.map((scale) => inputScale * scale);
  const stored = Int32Array.from(bias, (value, c) => {
    const rounded = roundAway(value / biasScales[c]!);
    return Math.min(Math.max(rounded, -largestBias), largestBias);
  });
  return { ...filters, bias: stored, biasScales };
}
