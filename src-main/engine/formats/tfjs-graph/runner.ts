// Runs written files with TensorFlow.js's own loader of graph models: the judge of what the writer wrote.

import { loadBackend } from '../../runtime/backend';
import { readArtifacts } from '../tfjs-weights/artifacts';
import type { FileRunner } from '../types';
import type { SignatureJson } from './export/model';

/**
 * Opens a model.json that this program wrote (foreign ones go through the reader).
 * @throws AppError RUNTIME_UNAVAILABLE
 */
export async function openGraphRunner(folder: string): Promise<FileRunner> {
  const { tf, detail } = await loadBackend();
  const converter = await import('@tensorflow/tfjs-converter');
  const { json, weights } = await readArtifacts(folder);
  const model = await converter.loadGraphModel(
    tf.io.fromMemory({
      modelTopology: json.modelTopology,
      signature: json.signature as object,
      ...weights,
    }),
  );
  const { inputs, outputs } = json.signature as SignatureJson;
  const [input] = Object.values(inputs);
  const shape = model.inputs[0]!.shape!.slice(1);
  // A JSON object does not keep the order of all names.
  const { secateur } = json.userDefinedMetadata as { readonly secateur: { outputs: string[] } };
  const names = secateur.outputs.map((name) => outputs[name]!.name);
  return {
    runtime: `TensorFlow.js ${converter.version_converter} (${detail})`,
    async run(values) {
      const results = tf.tidy(() => {
        const x = tf.tensor(values, [1, ...shape]);
        const computed = model.execute({ [input!.name]: x }, names);
        return Array.isArray(computed) ? computed : [computed];
      });
      const data = await Promise.all(results.map((result) => result.data<'float32'>()));
      tf.dispose(results);
      return data;
    },
    close() {
      model.dispose();
    },
  };
}
