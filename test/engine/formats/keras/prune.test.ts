// Networks of Keras, cut to 60 % of their multiply-accumulates: proved against the masked original, and run from the
// files that are exported of them.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { formatWriter, readModel } from '../../../../src-main/engine/formats/table';
import { verifyExport } from '../../../../src-main/engine/measure/verify';
import {
  analyse,
  checkEquivalence,
  defaultPruneOptions,
  prune,
} from '../../../../src-main/engine/prune';
import { save } from '../keras-graphs';
import { fixtures, inputsOf } from './fixtures';

const networks = [
  'mobilenet.keras',
  'mobilenetv2.keras',
  'resnet.h5',
  'densenet.keras',
  'efficientnet.h5',
  'xception.keras',
  'vgg.h5',
] as const;

describe.each(networks)('%s', (name) => {
  it('cut to 60 %, proved, and exported', async () => {
    const { model } = await readModel(join(fixtures, name), silentContext);
    const analysis = analyse(model);
    const options = { ...defaultPruneOptions, target: { macs: 0.6 } };
    const { model: slim, plan } = prune(model, options, analysis);
    expect(plan.after.macs).toBeLessThanOrEqual(0.6 * plan.before.macs);
    expect(plan.after.macs).toBeGreaterThan(0.3 * plan.before.macs);
    const verdict = await checkEquivalence(model, slim, analysis, plan.kept, {
      samples: 4,
      seed: 3,
    });
    expect(verdict.passed).toBe(true);

    const inputs = inputsOf(slim.graph, name)[0]!;
    for (const format of ['tflite', 'keras', 'keras-h5'] as const) {
      const writer = formatWriter(format);
      const files = await writer.write(slim, { precision: 'fp32', name: 'slim' });
      const runner = await writer.openRunner(
        await save(files),
        files.map(({ path }) => path),
      );
      const samples = { count: 1, inputs, labels: null };
      const result = await verifyExport(slim, runner, samples, 1e-4, silentContext);
      runner.close();
      expect(result).toMatchObject({ passed: true, samples: 1 });
    }
  });
});

it('says with what a written file was run', async () => {
  const runtimes = {
    // All of its layers mean the same to TensorFlow.js.
    'vgg.keras': /^TensorFlow\.js Layers .* read back from the file$/,
    // It keeps the axes of a pooled image, which TensorFlow.js cannot.
    'mobilenet.keras': /^Secateur's own reader of Keras files/,
  };
  for (const [name, runtime] of Object.entries(runtimes)) {
    const { model } = await readModel(join(fixtures, name), silentContext);
    const writer = formatWriter('keras');
    const files = await writer.write(model, { precision: 'fp32', name: 'net' });
    const runner = await writer.openRunner(await save(files), ['model.keras']);
    expect(runner.runtime).toMatch(runtime);
    runner.close();
  }
});
