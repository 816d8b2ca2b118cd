// What the budget search by sensitivity is worth: the sample at half its MACs, beside the plain global percentile
// and the same share of every layer, all by L1. Accuracy right after the cut, with fresh batch norm statistics, and
// after two epochs of fine-tuning, on test images that none of the three has seen.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentContext } from '../../src-main/engine/context';
import { decodeDataset, openDataset } from '../../src-main/engine/data/decode';
import { defaultDecodeOptions } from '../../src-main/engine/data/defaults';
import type { Dataset } from '../../src-main/engine/data/types';
import { readModel } from '../../src-main/engine/formats/table';
import type { Model } from '../../src-main/engine/graph/types';
import { evaluate } from '../../src-main/engine/measure/accuracy';
import { startStopwatch } from '../../src-main/engine/measure/stopwatch';
import { defaultPruneOptions, prune } from '../../src-main/engine/prune';
import {
  defaultSensitivityOptions,
  scanSensitivity,
} from '../../src-main/engine/prune/sensitivity';
import type {
  SensitivityHead,
  SensitivityMap,
  SensitivityPoint,
} from '../../src-main/engine/prune/sensitivity/types';
import type { Scope } from '../../src-main/engine/prune/types';
import { fineTuneDefaults } from '../../src-main/engine/train/defaults';
import { recalibrateBatchNorm } from '../../src-main/engine/train/recalibrate';
import { train } from '../../src-main/engine/train/trainer';
import type { BenchFigure, BenchResult } from './types';

export const name = 'sensitivity';

const seed = 0;
const target = { macs: 0.5 } as const;
const epochs = 2;
const scopes: Readonly<Record<Scope, string>> = {
  sensitivity: 'by sensitivity',
  global: 'global percentile',
  layer: 'same share in each layer',
};

const sample = join('resources', 'sample');

async function measureMap(model: Model, dataset: Dataset): Promise<SensitivityMap> {
  let head: SensitivityHead | null = null;
  const points: SensitivityPoint[] = [];
  const sink = {
    head: async (measured: SensitivityHead): Promise<void> => {
      head = measured;
    },
    point: async (point: SensitivityPoint): Promise<void> => {
      points.push(point);
    },
  };
  const options = { ...defaultSensitivityOptions, seed };
  await scanSensitivity(model, dataset, options, sink, silentContext);
  if (head === null) throw new Error('The scan gave no head.');
  return { ...(head as SensitivityHead), points };
}

/** Accuracy of one way to choose, in per cent. */
async function measureScope(
  scope: Scope,
  model: Model,
  dataset: Dataset,
  map: SensitivityMap,
): Promise<readonly BenchFigure[]> {
  const options = { ...defaultPruneOptions, scope, target, seed };
  const cut = prune(model, options, undefined, undefined, map);
  const training = dataset.split('train');
  const test = async (candidate: Model): Promise<number> =>
    100 * (await evaluate(candidate, dataset.split('test'), 'test', silentContext)).top1;
  const calibration = { batches: 20, batchSize: 128, seed };
  const fresh = await recalibrateBatchNorm(cut.model, training, calibration, silentContext);
  const tuning = { ...fineTuneDefaults(epochs), seed };
  const tuned = await train(fresh, dataset, tuning, silentContext);
  const macs = `${((100 * cut.plan.after.macs) / cut.plan.before.macs).toFixed(1)} % of the MACs`;
  const label = `L1, ${scopes[scope]}`;
  return [
    { label: `${label}: raw`, value: await test(cut.model), unit: '%', note: macs },
    { label: `${label}: BN recalibrated`, value: await test(fresh), unit: '%' },
    { label: `${label}: ${epochs} epochs`, value: await test(tuned.model), unit: '%' },
  ];
}

/** Needs TensorFlow's native library to end in minutes. */
export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'secateur-bench-'));
  const cache = join(folder, 'cache');
  try {
    await decodeDataset(join(sample, 'images'), cache, defaultDecodeOptions, silentContext);
    const dataset = openDataset(cache);
    const { model } = await readModel(join(sample, 'model', 'model.json'), silentContext);
    const whole = await evaluate(model, dataset.split('test'), 'test', silentContext);
    const elapsed = startStopwatch();
    const map = await measureMap(model, dataset);
    const figures: BenchFigure[] = [
      { label: 'whole network', value: 100 * whole.top1, unit: '%', note: `seed ${seed}` },
      {
        label: 'measuring the map',
        value: elapsed(),
        unit: 's',
        note: `${map.points.length} candidates, ${map.samples} images of ${map.split}`,
      },
    ];
    for (const scope of ['sensitivity', 'global', 'layer'] as const) {
      figures.push(...(await measureScope(scope, model, dataset, map)));
    }
    dataset.close();
    return { figures };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
