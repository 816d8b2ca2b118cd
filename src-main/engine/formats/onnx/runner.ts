// Runs written files with ONNX Runtime: the judge of what the writer wrote.

import { join } from 'node:path';
import type * as onnxRuntime from 'onnxruntime-node';
import { AppError } from '../../errors';
import { transposed } from '../transpose';
import type { FileRunner } from '../types';

/** Opens a file that this program wrote. @throws AppError RUNTIME_UNAVAILABLE */
export async function openOnnxRunner(
  folder: string,
  files: readonly string[],
): Promise<FileRunner> {
  const file = files.find((name) => name.endsWith('.onnx')) ?? 'model.onnx';
  const { InferenceSession, Tensor, env } = await loadRuntime();
  const session = await InferenceSession.create(join(folder, file));
  const inputName = session.inputNames[0]!;
  const input = session.inputMetadata[0]!;
  const shape = input.isTensor ? input.shape.map(Number) : [];
  return {
    runtime: `ONNX Runtime ${env.versions.node ?? ''}`.trim(),
    async run(values) {
      const image = shape.length === 4 ? channelsFirst(values, shape) : values;
      const results = await session.run({ [inputName]: new Tensor('float32', image, shape) });
      return session.outputNames.map((name) => {
        const { dims, data } = results[name]!;
        return channelsLast(data as Float32Array, dims);
      });
    },
    close() {
      void session.release();
    },
  };
}

async function loadRuntime(): Promise<typeof onnxRuntime> {
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    throw new AppError(
      'RUNTIME_UNAVAILABLE',
      `ONNX Runtime does not load: ${error instanceof Error ? error.message : String(error)}`,
      'Run "npm run setup" again; without it, export to another format.',
      { cause: error },
    );
  }
}

/** [H, W, C] as [1, C, H, W]; `shape` is that of the result. */
function channelsFirst(values: Float32Array, shape: readonly number[]): Float32Array {
  const [, channels, height, width] = shape as readonly [number, number, number, number];
  return transposed(values, [height * width, channels], [1, 0]);
}

/** [1, C, H, W] as [H, W, C]; what is no image stays as it is. */
function channelsLast(values: Float32Array, dims: readonly number[]): Float32Array {
  if (dims.length !== 4) return values;
  const [, channels, height, width] = dims as readonly [number, number, number, number];
  return transposed(values, [channels, height * width], [1, 0]);
}
