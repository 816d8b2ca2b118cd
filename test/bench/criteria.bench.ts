// What each criterion leaves of the sample's accuracy: cut to half the MACs, with batch norm recalibrated, and
// fine-tuned for two epochs. The table in docs/criteria.md.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentContext } from '../../src-main/engine/context';
import { decodeDataset, openDataset } from '../../src-main/engine/data/decode';
import { defaultDecodeOptions } from '../../src-main/engine/data/defaults';
import type { Dataset } from '../../src-main/engine/data/types';
import { readModel } from '../../src-main/engine/formats/table';
import type { Model } from '../../src-main/engine/graph/types';
import { evaluate } from '../../src-main/engine/measure/accuracy';
import {
  analyse,
  collectStatistics,
  defaultPruneOptions,
  isMeasured,
  prune,
} from '../../src-main/engine/prune';
import type { Criterion } from '../../src-main/engine/prune/types';
import { loadBackend, type Backend } from '../../src-main/engine/runtime/backend';
import { fineTuneDefaults } from '../../src-main/engine/train/defaults';
import { recalibrateBatchNorm } from '../../src-main/engine/train/recalibrate';
import { localCompute } from '../../src-main/engine/train/step';
import { train } from '../../src-main/engine/train/trainer';
import type { BenchFigure, BenchResult } from './types';

export const name = 'criteria';

const criteria: readonly Criterion[] = [
  'l1',
  'l2',
  'bn',
  'fpgm',
  'lamp',
  'taylor',
  'activation',
  'apoz',
  'random',
];
const seed = 0;
const epochs = 2;
/** As the prune job recalibrates. */
const recalibration = { batches: 20, batchSize: 128, seed };

/** From the sample folder, as the app opens it. */
async function openSample(folder: string): Promise<{ model: Model; dataset: Dataset }> {
  const sample = join(process.cwd(), 'resources', 'sample');
  const cache = join(folder, 'cache');
  await decodeDataset(join(sample, 'images'), cache, defaultDecodeOptions, silentContext);
  const { model } = await readModel(join(sample, 'model', 'model.json'), silentContext);
  return { model, dataset: openDataset(cache) };
}

/** Accuracy on the test split after each stage, in per cent. */
async function measureCriterion(
  criterion: Criterion,
  model: Model,
  dataset: Dataset,
  backend: Backend,
): Promise<readonly BenchFigure[]> {
  const split = dataset.split('train');
  const analysis = analyse(model);
  const statistics = isMeasured(criterion)
    ? await collectStatistics(model, analysis, split, { criterion, seed, backend }, silentContext)
    : undefined;
  const options = { ...defaultPruneOptions, criterion, seed, target: { macs: 0.5 } };
  const { model: raw } = prune(model, options, analysis, statistics);
  const figures: BenchFigure[] = [];
  const note = async (stage: string, result: Model): Promise<void> => {
    const { top1 } = await evaluate(result, dataset.split('test'), 'test', silentContext, {
      backend,
    });
    figures.push({ label: `${criterion}, ${stage}`, value: 100 * top1, unit: '%' });
    console.error(`${criterion}, ${stage}: ${(100 * top1).toFixed(2)} %`);
  };
  await note('raw', raw);
  await note(
    'recalibrated',
    await recalibrateBatchNorm(raw, split, { ...recalibration, backend }, silentContext),
  );
  const training = { ...fineTuneDefaults(epochs), seed };
  const tuned = await train(
    raw,
    dataset,
    training,
    silentContext,
    {},
    {
      compute: localCompute(backend),
    },
  );
  await note(`after ${epochs} epochs`, tuned.model);
  return figures;
}

export async function run(): Promise<BenchResult> {
  const backend = await loadBackend();
  const folder = await mkdtemp(join(tmpdir(), 'secateur-criteria-'));
  try {
    const { model, dataset } = await openSample(folder);
    try {
      const whole = await evaluate(model, dataset.split('test'), 'test', silentContext, {
        backend,
      });
      const figures: BenchFigure[] = [
        {
          label: 'uncut',
          value: 100 * whole.top1,
          unit: '%',
          note: `${whole.samples} test images, ${backend.detail}, seed ${seed}`,
        },
      ];
      for (const criterion of criteria) {
        figures.push(...(await measureCriterion(criterion, model, dataset, backend)));
      }
      return { figures };
    } finally {
      dataset.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
