// Runs .tflite files with the real LiteRT runtime (XNNPACK on the processor).

import { readFile } from 'node:fs/promises';
import { type CompiledModel, loadAndCompile, Tensor } from '@litertjs/core';
import { AppError } from '../errors';
import type { FileRunner } from '../formats/types';
import { loadLiteRtRuntime, type LiteRtRuntime } from './litert-loader';

export interface LiteRtOptions {
  /** Threads to run with, 1 by default; more than the runtime has is an error. */
  readonly threads?: number;
}

/** A .tflite file, compiled and ready to run. */
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
  return new Runner(await compile(bytes, threads), runtime, threads);
}

async function compile(bytes: Uint8Array, threads: number): Promise<CompiledModel> {
  // LiteRT reads offsets without checking them: what is no .tflite file at all must not reach it.
  const identifier = new TextDecoder().decode(bytes.subarray(4, 8));
  if (identifier !== 'TFL3') throw refused('it has no TFL3 identifier');
  try {
    return await loadAndCompile(bytes, {
      accelerator: 'wasm',
      cpuOptions: { numThreads: threads },
    });
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
  readonly inputShape: readonly number[];
  readonly outputShapes: readonly (readonly number[])[];

  constructor(
    private readonly model: CompiledModel,
    runtime: LiteRtRuntime,
    readonly threads: number,
  ) {
    this.runtime = `LiteRT.js ${runtime.version} (WebAssembly, ${runtime.build}, XNNPACK)`;
    this.inputShape = Array.from(model.getInputDetails()[0]!.shape);
    this.outputShapes = model.getOutputDetails().map((output) => Array.from(output.shape));
  }

  async run(input: Float32Array): Promise<readonly Float32Array[]> {
    const tensor = new Tensor(input, [...this.inputShape]);
    try {
      const outputs = await this.model.run(tensor);
      return outputs.map((output) => {
        const data = Float32Array.from(output.toTypedArray());
        output.delete();
        return data;
      });
    } finally {
      tensor.delete();
    }
  }

  prepare(input: Float32Array): PreparedSample {
    const tensor = new Tensor(input, [...this.inputShape]);
    return {
      invoke: async () => {
        for (const output of await this.model.run(tensor)) output.delete();
      },
      close: () => {
        tensor.delete();
      },
    };
  }

  close(): void {
    this.model.delete();
  }
}
