// Contract of a format: one folder with a reader and a writer, named in `formats/catalogue.ts`, registered in
// `formats/table.ts`.

import type { EngineContext } from '../context';
import type { Model, Preprocessing, Shape } from '../graph/types';
import type { CalibrationMethod, CalibrationSamples, QuantizationReport } from '../quantize/types';
import type { Format, Precision } from './catalogue';
import type { Usage, UsageFacts } from './usage';

/** All formats are read and written. */
export type ReadFormat = Format;
export type WriteFormat = Format;

/** What an import found, shown before anything is kept. */
export interface ImportResult {
  readonly model: Model;
  readonly format: ReadFormat;
  /** True where the file stated preprocessing itself; else `model.preprocessing` is a guess. */
  readonly preprocessingKnown: boolean;
  /** Remarks for people: decomposed layers, ignored training configuration. */
  readonly notes: readonly string[];
  /** Present where the file computes with integers: it can be looked at, not imported. */
  readonly quantized?: readonly QuantizedTensor[];
}

/** A tensor of integers that stand for real numbers: real = (stored - zeroPoint) * scale. */
export interface QuantizedTensor {
  readonly name: string;
  readonly type: string;
  readonly shape: Shape;
  /** False for the output of an operator. */
  readonly isStored: boolean;
  /** One pair for the tensor, or one for each position of `axis`. */
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number | null;
}

export interface ModelReader {
  readonly format: ReadFormat;
  /** Looks at content (the first bytes and the neighbours), not at the extension. */
  detect(path: string, head: Uint8Array): Promise<boolean>;
  /** @throws AppError MODEL_CORRUPT, MODEL_UNSAFE_PATH, MODEL_UNSUPPORTED_OP, MODEL_TOO_LARGE, MODEL_NOT_FINITE */
  read(path: string, context: EngineContext): Promise<ImportResult>;
}

export interface WrittenFile {
  /** Relative to the output folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface WriteOptions {
  readonly precision: Precision;
  readonly name: string;
}

/** How activations become integers. */
export interface QuantizeOptions {
  readonly name: string;
  /** Images that ranges are found on, and others that tell which method is best. */
  readonly calibration: CalibrationSamples;
  readonly trial: CalibrationSamples;
  readonly method: CalibrationMethod | 'auto';
  /** Numbers of the model's inputs and outputs. */
  readonly io: 'int8' | 'float';
  /** Names of layers that keep computing with real numbers. */
  readonly keepFloat: readonly string[];
}

export interface QuantizedFiles {
  readonly files: readonly WrittenFile[];
  readonly report: QuantizationReport;
}

/** A way to run a written file with its real runtime. Outputs: one flat array a graph output, per sample. */
export interface FileRunner {
  readonly runtime: string;
  run(input: Float32Array): Promise<readonly Float32Array[]>;
  close(): void;
}

export interface ModelWriter {
  readonly format: WriteFormat;
  /** The files, in memory: the caller writes them atomically. @throws AppError EXPORT_UNSUPPORTED naming the node */
  write(model: Model, options: WriteOptions): Promise<readonly WrittenFile[]>;
  /**
   * The files at precision 'int8', for which images are looked at; absent where the format has no such precision.
   * @throws AppError EXPORT_UNSUPPORTED, INVALID_ARGUMENT (a layer that is not there), or the reason of the signal
   */
  quantize?(
    model: Model,
    options: QuantizeOptions,
    context: EngineContext,
  ): Promise<QuantizedFiles>;
  /** How the files are used, with programs that do it. */
  usage(facts: UsageFacts): Promise<Usage>;
  /** Opens the written files with the real runtime. `folder` holds them. */
  openRunner(folder: string, files: readonly string[]): Promise<FileRunner>;
}

export type { Model, Precision, Preprocessing };
