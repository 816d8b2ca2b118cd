// The sample's network, cut to half its MACs and trained for a short while, in full int8: nothing in the file computes
// with real numbers, and it is as good as the cut network is.

import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { decodeDataset, openDataset } from '../../../../src-main/engine/data/decode';
import { defaultDecodeOptions } from '../../../../src-main/engine/data/defaults';
import type { Dataset, ImageSplit, SplitName } from '../../../../src-main/engine/data/types';
import { readModel } from '../../../../src-main/engine/formats/table';
import { parseFile } from '../../../../src-main/engine/formats/tflite/parse';
import { tfliteWriter } from '../../../../src-main/engine/formats/tflite/writer';
import { graphCost } from '../../../../src-main/engine/graph/cost';
import type { Model } from '../../../../src-main/engine/graph/types';
import { evaluate } from '../../../../src-main/engine/measure/accuracy';
import { prune } from '../../../../src-main/engine/prune';
import { defaultPruneOptions } from '../../../../src-main/engine/prune/options';
import type { CalibrationSamples } from '../../../../src-main/engine/quantize/types';
import { fineTuneDefaults } from '../../../../src-main/engine/train/defaults';
import { recalibrateBatchNorm } from '../../../../src-main/engine/train/recalibrate';
import { train } from '../../../../src-main/engine/train/trainer';
import { modelInputs } from '../../../../src-main/jobs/work/pictures';
import { tempFolder } from '../temp-folder';

const sample = resolve(import.meta.dirname, '../../../../resources/sample');
/** Test images: the file takes them one by one. */
const judged = 1000;

interface Slim {
  readonly model: Model;
  readonly dataset: Dataset;
  /** Share of its MACs that are left. */
  readonly macs: number;
}

/** Cut by L1; the batch norms see images again, and then all weights do. */
async function slimSample(): Promise<Slim> {
  const cache = join(await tempFolder(), 'cache');
  await decodeDataset(join(sample, 'images'), cache, defaultDecodeOptions, silentContext);
  const dataset = openDataset(cache);
  const { model: whole } = await readModel(join(sample, 'model', 'model.json'), silentContext);
  const options = { ...defaultPruneOptions, criterion: 'l1' as const, target: { macs: 0.5 } };
  const { model: cut } = prune(whole, options);
  const norms = { batches: 10, batchSize: 100, seed: 1 };
  const known = await recalibrateBatchNorm(cut, dataset.split('train'), norms, silentContext);
  const augment = { flip: false, padCrop: 0 };
  const short = { ...fineTuneDefaults(1), samplesPerEpoch: 4000, augment, seed: 1 };
  const { model } = await train(known, dataset, short, silentContext);
  return { model, dataset, macs: graphCost(model.graph).macs / graphCost(whole.graph).macs };
}

/** Every n-th image of a split. */
function imagesOf({ dataset, model }: Slim, name: SplitName, count: number): CalibrationSamples {
  const split: ImageSplit = dataset.split(name);
  const pixels = new Uint8Array(count * split.height * split.width * split.channels);
  split.read(placesOf(split, count), pixels);
  return { count, inputs: modelInputs(pixels, split, model.preprocessing) };
}

function placesOf(split: ImageSplit, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => Math.floor((i * split.count) / count));
}

/** Share of the judged test images that LiteRT with the file knows. */
async function accuracyOf(bytes: Uint8Array, slim: Slim): Promise<number> {
  const folder = await tempFolder();
  await writeFile(join(folder, 'net.tflite'), bytes);
  const runner = await tfliteWriter.openRunner(folder, ['net.tflite']);
  const { inputs } = imagesOf(slim, 'test', judged);
  const split = slim.dataset.split('test');
  const size = inputs.length / judged;
  let right = 0;
  try {
    for (const [i, place] of placesOf(split, judged).entries()) {
      const [scores] = await runner.run(inputs.slice(i * size, (i + 1) * size));
      if (scores!.indexOf(Math.max(...scores!)) === split.labels[place]) right++;
    }
  } finally {
    runner.close();
  }
  return right / judged;
}

describe('half of the sample in full int8', () => {
  let slim: Slim;
  let bytes: Uint8Array;
  let images = 0;

  beforeAll(async () => {
    slim = await slimSample();
    const { files, report } = await tfliteWriter.quantize!(
      slim.model,
      {
        name: 'net',
        calibration: imagesOf(slim, 'train', 100),
        trial: imagesOf(slim, 'val', 50),
        method: 'auto',
        io: 'int8',
        keepFloat: [],
      },
      silentContext,
    );
    bytes = files[0]!.bytes;
    images = report.images;
  }, 120_000);

  it('is a network of half the MACs that still knows its classes', async () => {
    expect(slim.macs).toBeLessThan(0.51);
    expect(slim.macs).toBeGreaterThan(0.45);
    const { top1 } = await evaluate(slim.model, slim.dataset.split('test'), 'test', silentContext);
    expect(top1).toBeGreaterThan(0.85);
    expect(images).toBe(100);
  });

  it('computes with integers alone, from its input to its output', () => {
    const { program } = parseFile(bytes);
    const operators = new Set(program.operations.map(({ operator }) => operator));
    expect([...operators].sort()).toEqual(['ADD', 'CONV_2D', 'FULLY_CONNECTED', 'MEAN']);
    const types = program.tensors.map(({ type }) => type);
    expect([...new Set(types)].sort()).toEqual(['int32', 'int8']);
    for (const { inputs, outputs } of program.operations) {
      for (const tensor of outputs) expect(types[tensor]).toBe('int8');
      expect(types[inputs[0]!]).toBe('int8');
    }
    // Filters have a scale for each output channel, activations one.
    for (const { name, type, shape, buffer, quantization } of program.tensors) {
      if (type !== 'int8') continue;
      const isFilter = buffer !== null;
      expect(quantization?.scales.length, name).toBe(isFilter ? shape[0] : 1);
      if (isFilter) expect(new Set(quantization?.zeroPoints), name).toEqual(new Set([0]));
    }
  });

  it('costs at most one point of accuracy', async () => {
    const [plain] = await tfliteWriter.write(slim.model, { precision: 'fp32', name: 'net' });
    const float = await accuracyOf(plain!.bytes, slim);
    const integer = await accuracyOf(bytes, slim);
    expect(float).toBeGreaterThan(0.85);
    expect(float - integer).toBeLessThanOrEqual(0.01);
    // And it is a quarter of the size.
    expect(bytes.length / plain!.bytes.length).toBeLessThan(0.35);
  }, 120_000);
});
