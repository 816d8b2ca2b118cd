// Words of quantisation: ranges of numbers, how integers stand for them, and how ranges are found.

/** Smallest and largest number of a tensor. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** real = (stored - zeroPoint) * scale, stored from -128 to 127. */
export interface Affine {
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * How the range of an activation is found from what it holds on images: all of it; without the outermost share at each
 * end; or the one whose rounding and clipping errors have the smallest mean square.
 */
export const calibrationMethods = ['minmax', 'percentile', 'mse'] as const;
export type CalibrationMethod = (typeof calibrationMethods)[number];

/** Preprocessed inputs of a model, one sample after the other. */
export interface CalibrationSamples {
  readonly count: number;
  readonly inputs: Float32Array;
}

/** What was found about a quantised file while it was made. */
export interface QuantizationReport {
  /** The method that was taken, and the images that it looked at. */
  readonly method: CalibrationMethod;
  readonly images: number;
  /** What each method gave where there was a choice: signal to noise of the outputs on other images. */
  readonly trials: readonly { readonly method: CalibrationMethod; readonly decibels: Decibels }[];
  /** Noise that each quantised layer adds to what it gives on exact input, the worst first. */
  readonly layers: readonly LayerNoise[];
  /** Layers that compute with real numbers. */
  readonly floatLayers: readonly { readonly layer: string; readonly reason: string }[];
}

/** Signal to noise; null without any noise. */
export type Decibels = number | null;

export interface LayerNoise {
  readonly layer: string;
  /** The operator of the layer that adds most noise. */
  readonly operator: string;
  readonly decibels: Decibels;
}
