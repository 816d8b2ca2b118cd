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

/** The scale of each channel, from its largest magnitude. */
function scalesOf(magnitudes: Float64Array, atLeast?: Float64Array): Float32Array {
  return Float32Array.from(magnitudes, (magnitude, channel) =>
    Math.max(magnitude / largest, atLeast?.[channel] ?? 0, smallestScale),
  );
}

function rounded(
  kernel: Float32Array,
  { channels, inner }: ChannelLayout,
  scales: Float32Array,
): Int8Array {
  const values = new Int8Array(kernel.length);
  for (let start = 0, block = 0; start < kernel.length; start += inner, block++) {
    const scale = scales[block % channels]!;
    for (let i = start; i < start + inner; i++) {
      // The float32 scale can lie below the exact one by half a unit in the last place: 127.00001 is 127.
      values[i] = Math.min(Math.max(roundAway(kernel[i]! / scale), -largest), largest);
    }
  }
  return values;
}

export function quantizeFilters(kernel: Float32Array, layout: ChannelLayout): QuantizedFilters {
  const scales = scalesOf(magnitudes(kernel, layout));
  return { values: rounded(kernel, layout, scales), scales };
}

export interface QuantizedLayer extends QuantizedFilters {
  readonly bias: Int32Array;
  readonly biasScales: Float32Array;
}

/** The filters of a layer, to be quantised for several inputs: they hardly ever depend on what these hold. */
export class LayerFilters {
  private readonly magnitudes: Float64Array;
  private last: QuantizedFilters | null = null;

  constructor(
    private readonly kernel: Float32Array,
    private readonly layout: ChannelLayout,
  ) {
    this.magnitudes = magnitudes(kernel, layout);
  }

  /** The largest magnitude of all. */
  get magnitude(): number {
    return this.magnitudes.reduce((a, b) => Math.max(a, b), 0);
  }

  /**
   * Filters and bias where the input has the given scale. Where a bias would not fit, its channel's filter takes larger
   * steps: it is small beside the bias.
   */
  quantize(bias: Float32Array, inputScale: number): QuantizedLayer {
    const needed = Float64Array.from(bias, (value) => Math.abs(value) / (largestBias * inputScale));
    const { values, scales } = this.withScales(scalesOf(this.magnitudes, needed));
    const biasScales = scales.map((scale) => inputScale * scale);
    const stored = Int32Array.from(bias, (value, c) => {
      const whole = roundAway(value / biasScales[c]!);
      return Math.min(Math.max(whole, -largestBias), largestBias);
    });
    return { values, scales, bias: stored, biasScales };
  }

  private withScales(scales: Float32Array): QuantizedFilters {
    const isLast = this.last?.scales.every((scale, channel) => scale === scales[channel]) ?? false;
    if (!isLast) this.last = { values: rounded(this.kernel, this.layout, scales), scales };
    return this.last!;
  }
}
