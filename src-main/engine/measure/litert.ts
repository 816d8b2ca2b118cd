// Runs .tflite files with the real LiteRT runtime (XNNPACK on the processor).

import { readFile } from 'node:fs/promises';
import { AppError } from '../errors';
import type { FileRunner } from '../formats/types';
import { dequantized, quantized } from '../quantize/parameters';
import type { Affine } from '../quantize/types';
import { loadLiteRtRuntime, type LiteRtRuntime } from './litert-loader';
import { LiteRtModel, type LiteRtBuffer } from './litert-model';

export interface LiteRtOptions {
  /** Threads to run with, 1 by default; more than the runtime has is an error. */
  readonly threads?: number;
  /** What the integers of inputs and outputs stand for, where the file has such; null for real numbers. */
  readonly scales?: { readonly input: Affine | null; readonly outputs: readonly (Affine | null)[] };
}

/** A .tflite file, compiled and ready to run. Real numbers go in and come out, whatever the file computes with. */
export interface LiteRtRunner extends FileRunner {
  readonly threads: number;
  /** Shape of the input as the file states it, batch included. */
  readonly inputShape: readonly number[];
  readonly outputShapes: readonly (readonly number[])[];
  /** Copies a sample into the runtime once, to run it many times. */
  prepare(input: Float32Array): PreparedSample;
}

export interface PreparedSample {
  /** One inference; outputs are computed and dropped. */
  invoke(): Promise<void>;
  close(): void;
}

/**
 * Opens a .tflite file, given as its bytes or as a path, whose inputs have a fixed shape.
 * @throws AppError RUNTIME_UNAVAILABLE, INVALID_ARGUMENT (too many threads), MODEL_CORRUPT (LiteRT refuses it)
 */
export async function openLiteRt(
  file: Uint8Array | string,
  options: LiteRtOptions = {},
): Promise<LiteRtRunner> {
  const runtime = await loadLiteRtRuntime();
  const threads = options.threads ?? 1;
  if (!Number.isInteger(threads) || threads < 1 || threads > runtime.maxThreads) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `LiteRT runs with 1 to ${runtime.maxThreads} threads here, not with ${threads}.`,
      'Choose a number of threads within this range.',
    );
  }
  const bytes = typeof file === 'string' ? new Uint8Array(await readFile(file)) : file;
  return new Runner(await compile(bytes, threads), runtime, threads, options.scales);
}

async function compile(bytes: Uint8Array, threads: number): Promise<LiteRtModel> {
  // LiteRT reads offsets without checking them: what is no .tflite file at all must not reach it.
  const identifier = new TextDecoder().decode(bytes.subarray(4, 8));
  if (identifier !== 'TFL3') throw refused('it has no TFL3 identifier');
  try {
    return await LiteRtModel.open(bytes, threads);
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error), error);
  }
}

function refused(why: string, cause?: unknown): AppError {
  return new AppError(
    'MODEL_CORRUPT',
    `LiteRT cannot open the .tflite file: ${why}.`,
    'The file is damaged, or it needs ops that this build of LiteRT does not have.',
    { cause },
  );
}

class Runner implements LiteRtRunner {
  readonly runtime: string;

  constructor(
    private readonly model: LiteRtModel,
    runtime: LiteRtRuntime,
    readonly threads: number,
    private readonly scales: LiteRtOptions['scales'],
  ) {
    this.runtime = `LiteRT.js ${runtime.version} (WebAssembly, ${runtime.build}, XNNPACK)`;
  }

  get inputShape(): readonly number[] {
    return this.model.input.shape;
  }

  get outputShapes(): readonly (readonly number[])[] {
    return this.model.outputs.map(({ shape }) => shape);
  }

  async run(input: Float32Array): Promise<readonly Float32Array[]> {
    const buffer = this.write(input);
    try {
      const outputs = await this.model.invoke(buffer);
      return outputs.map((output, i) => {
        const values = this.model.read(output, this.model.outputs[i]!);
        output.delete();
        if (values instanceof Float32Array) return values;
        return dequantized(values, required(this.scales?.outputs[i]));
      });
    } finally {
      buffer.delete();
    }
  }

  prepare(input: Float32Array): PreparedSample {
    const buffer = this.write(input);
    return {
      invoke: async () => {
        for (const output of await this.model.invoke(buffer)) output.delete();
      },
      close: () => {
        buffer.delete();
      },
    };
  }

  close(): void {
    this.model.close();
  }

  private write(input: Float32Array): LiteRtBuffer {
    if (this.model.input.type === 'float32') return this.model.write(input);
    return this.model.write(quantized(input, required(this.scales?.input)));
  }
}

function required(affine: Affine | null | undefined): Affine {
  if (affine) return affine;
  throw new AppError(
    'INVALID_ARGUMENT',
    'The file takes or gives integers, and what they stand for was not said.',
    'This is a bug: open the file with its scales.',
  );
}
