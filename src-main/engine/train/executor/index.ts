// Running model graphs on tensors.

import { AppError } from '../../errors';
import type { Model } from '../../graph/types';
import { loadBackend, type Backend } from '../../runtime/backend';
import { compile } from './executable';

export { compile, inference, type Executable, type TrainableWeight } from './executable';
export type { RecordedPass } from './recorded-pass';
export type { PassOptions } from './types';

/**
 * Runs a model once at inference. `inputs` hold `batch` preprocessed samples each, one array a graph input,
 * NHWC; the result is one array a graph output.
 * @throws AppError INVALID_ARGUMENT when an input has not the length that the graph and the batch ask for,
 * RUNTIME_UNAVAILABLE
 */
export async function runForward(
  model: Pick<Model, 'graph'>,
  inputs: readonly Float32Array[],
  batch: number,
  backend?: Backend,
): Promise<readonly Float32Array[]> {
  const { graph } = model;
  const chosen = backend ?? (await loadBackend());
  const executable = compile(graph, chosen);
  const { tf } = chosen;
  try {
    return tf.tidy(() => {
      const tensors = graph.inputs.map(({ name, shape }, i) => {
        const size = shape.reduce((product, length) => product * length, batch);
        const values = inputs[i];
        if (values?.length !== size) throw wrongLength(name, size, values?.length ?? 0);
        return tf.tensor(values, [batch, ...shape]);
      });
      return executable.run(tensors).map((output) => output.dataSync<'float32'>());
    });
  } finally {
    executable.dispose();
  }
}

function wrongLength(input: string, expected: number, actual: number): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    `Input "${input}" needs ${expected} numbers, ${actual} were given.`,
    'Give one preprocessed sample after the other, each of the shape of the input.',
  );
}
