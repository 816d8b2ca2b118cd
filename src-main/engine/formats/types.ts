// Contract of a format: one folder with a reader and/or a writer, registered in `formats/table.ts`.

import type { EngineContext } from '../context';
import type { Model, Preprocessing } from '../graph/types';
import type { Usage, UsageFacts } from './usage';

export type ReadFormat = 'tfjs-layers' | 'keras' | 'keras-h5';
export type WriteFormat = 'tfjs-layers' | 'tflite';
export type Precision = 'fp32';

/** What an import found, shown before anything is kept. */
export interface ImportResult {
  readonly model: Model;
  readonly format: ReadFormat;
  /** True where the file stated preprocessing itself; else `model.preprocessing` is a guess. */
  readonly preprocessingKnown: boolean;
  /** Remarks for people: decomposed layers, ignored training configuration. */
  readonly notes: readonly string[];
}

export interface ModelReader {
  readonly format: ReadFormat;
  readonly title: string;
  /** File names offered in the open dialog, without dots. */
  readonly extensions: readonly string[];
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

/** A way to run a written file with its real runtime. Outputs: one flat array a graph output, per sample. */
export interface FileRunner {
  readonly runtime: string;
  run(input: Float32Array): Promise<readonly Float32Array[]>;
  close(): void;
}

export interface ModelWriter {
  readonly format: WriteFormat;
  readonly title: string;
  readonly precisions: readonly Precision[];
  /** The files, in memory: the caller writes them atomically. @throws AppError EXPORT_UNSUPPORTED naming the node */
  write(model: Model, options: WriteOptions): Promise<readonly WrittenFile[]>;
  /** How the files are used, with programs that do it. */
  usage(facts: UsageFacts): Promise<Usage>;
  /** Opens the written files with the real runtime. `folder` holds them. */
  openRunner(folder: string, files: readonly string[]): Promise<FileRunner>;
}

export type { Model, Preprocessing };
