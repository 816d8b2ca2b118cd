// The seed methods on CIFAR-10 with ResNet-20, each with its controls: the tables in docs/results.md.
//
// SECATEUR_CIFAR10 names the folder of images (train/<class>/, test/<class>/); without it nothing is run.
// SECATEUR_EPOCHS are those from random weights (40), SECATEUR_SEEDS how many times all is done (1). What was trained
// is kept in out/bench/cifar10 and not trained again.

import { writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { silentContext } from '../../src-main/engine/context';
import { decodeDataset, openDataset } from '../../src-main/engine/data/decode';
import { defaultDecodeOptions } from '../../src-main/engine/data/defaults';
import type { Dataset } from '../../src-main/engine/data/types';
import { graphCost, storedBytes } from '../../src-main/engine/graph/cost';
import type { Model } from '../../src-main/engine/graph/types';
import { evaluate } from '../../src-main/engine/measure/accuracy';
import { startStopwatch } from '../../src-main/engine/measure/stopwatch';
import { defaultPruneOptions, prune, stepOptions } from '../../src-main/engine/prune';
import type { PruneOptions } from '../../src-main/engine/prune/types';
import { loadBackend, type Backend } from '../../src-main/engine/runtime/backend';
import { recalibrateDefaults } from '../../src-main/engine/train/defaults';
import { recalibrateBatchNorm } from '../../src-main/engine/train/recalibrate';
import { reinitialise } from '../../src-main/engine/train/reinitialise';
import { train } from '../../src-main/engine/train/trainer';
import type { TrainOptions } from '../../src-main/engine/train/types';
import { buildZoo } from '../../src-main/engine/zoo';
import { distil, fineTune, fromScratch, recipe, sparse, type Recipe } from './results/recipe';
import { OutcomeStore, type Outcome } from './results/store';
import { resultTable, type ResultRow } from './results/table';
import type { BenchFigure, BenchResult } from './types';

export const name = 'cifar10';

const architecture = 'resnet20-cifar-b';
const folder = join(process.cwd(), 'out', 'bench', 'cifar10');
/** Where Network Slimming starts gamma (Liu et al. 2017, section 4.2). */
const slimmingGamma = 0.5;

/** The cuts: half the MACs by filter norm, at once and in three steps; half the channels by gamma. */
const byNorm: PruneOptions = { ...defaultPruneOptions, target: { macs: 0.5 } };
const byGamma: PruneOptions = { ...defaultPruneOptions, criterion: 'bn', target: { ratio: 0.5 } };
const normSteps = 3;

/** A cut network, and what it was cut from. */
interface Cut {
  readonly label: string;
  readonly raw: Model;
  readonly teacher: Outcome;
}

type Stages = ResultRow['stages'];

/** Trains and measures, each thing once. */
class Laboratory {
  constructor(
    private readonly dataset: Dataset,
    private readonly backend: Backend,
    private readonly store: OutcomeStore,
    readonly recipe: Recipe,
  ) {}

  get images(): number {
    return this.dataset.counts.train;
  }

  /** The model as it is, or as `make` makes it of it. */
  async outcome(label: string, make: () => Promise<Model>): Promise<Outcome> {
    const { epochs, seed } = this.recipe;
    const outcome = await this.store.keep(`${label}-${epochs}-${seed}`, async () => {
      const elapsed = startStopwatch();
      const model = await make();
      const seconds = elapsed();
      const split = this.dataset.split('test');
      const { top1 } = await evaluate(model, split, 'test', silentContext, {
        backend: this.backend,
      });
      return { model, top1, seconds };
    });
    console.error(
      `seed ${seed}, ${label}: ${(100 * outcome.top1).toFixed(2)} % after ${outcome.seconds.toFixed(0)} s`,
    );
    return outcome;
  }

  trained(
    label: string,
    start: Model,
    options: TrainOptions,
    teacher: Model | null = null,
  ): Promise<Outcome> {
    return this.outcome(label, async () => {
      const run = { backend: this.backend, teacher };
      return (await train(start, this.dataset, options, silentContext, {}, run)).model;
    });
  }

  /** A cut network by all ways of getting its accuracy back. */
  async recovered({ label, raw, teacher }: Cut): Promise<Stages> {
    const { recipe } = this;
    const { tuneEpochs } = recipe;
    return {
      raw: await this.outcome(`${label}-raw`, () => Promise.resolve(raw)),
      recalibrated: await this.outcome(`${label}-recalibrated`, () =>
        recalibrateBatchNorm(
          raw,
          this.dataset.split('train'),
          { ...recalibrateDefaults, backend: this.backend },
          silentContext,
        ),
      ),
      'fine-tuned': await this.trained(`${label}-tuned`, raw, fineTune(recipe, tuneEpochs)),
      distilled: await this.trained(
        `${label}-distilled`,
        raw,
        distil(recipe, tuneEpochs),
        teacher.model,
      ),
    };
  }

  /**
   * The same network from random weights (Rethinking the Value of Network Pruning): for the same epochs, or for
   * the same computation.
   */
  async control(stage: 'scratch-e' | 'scratch-b', cut: Cut): Promise<Stages> {
    const { recipe } = this;
    const { label, raw, teacher } = cut;
    const share = graphCost(teacher.model.graph).macs / graphCost(raw.graph).macs;
    const epochs = stage === 'scratch-e' ? recipe.epochs : Math.trunc(recipe.epochs * share);
    const fresh = reinitialise(raw, recipe.seed + 100);
    return {
      [stage]: await this.trained(`${label}-${stage}`, fresh, fromScratch(recipe, epochs)),
    };
  }
}

/** Steps of a cut with an equal part of the fine-tuning after each but the last. */
async function cutInSteps(lab: Laboratory, start: Model): Promise<Model> {
  const { recipe } = lab;
  const sourceBytes = storedBytes(start.graph, 'fp32');
  const source = graphCost(start.graph);
  let model = start;
  for (let step = 1; step <= normSteps; step++) {
    const before = graphCost(model.graph);
    const at = { step, steps: normSteps, schedule: 'linear' } as const;
    const { model: raw } = prune(model, stepOptions(byNorm, at, { source, before, sourceBytes }));
    if (step === normSteps) return raw;
    const options = fineTune(recipe, recipe.tuneEpochs);
    ({ model } = await lab.trained(`l1-step${step}-tuned`, raw, options));
  }
  return model;
}

/**
 * Every cut with all that brings its accuracy back, then the controls, the longest last: whenever the series is
 * broken off, the table of what there is compares all methods.
 * @param tell called with the table so far after each group of trainings
 */
async function measureSeed(
  lab: Laboratory,
  classes: number,
  tell: (rows: readonly ResultRow[]) => Promise<void>,
): Promise<readonly ResultRow[]> {
  const { recipe } = lab;
  const { epochs, seed } = recipe;
  const start = buildZoo(architecture, { seed, classes });
  const rows: ResultRow[] = [];
  /** By the method of their row. */
  const cuts = new Map<string, Cut>();
  const uncut = async (method: string, outcome: Outcome): Promise<void> => {
    rows.push({ method, ...graphCost(start.graph), stages: { 'scratch-e': outcome } });
    await tell(rows);
  };
  const recover = async (method: string, cut: Cut): Promise<void> => {
    cuts.set(method, cut);
    const stages = await lab.recovered(cut);
    rows.push({ method, ...graphCost(cut.raw.graph), stages });
    await tell(rows);
  };
  const baseline = await lab.trained('baseline', start, fromScratch(recipe, epochs));
  await uncut('uncut', baseline);
  const { model: once } = prune(baseline.model, byNorm);
  await recover('L1, 50 % of MACs, at once', { label: 'l1', raw: once, teacher: baseline });
  const stepwise = await cutInSteps(lab, baseline.model);
  await recover('L1, 50 % of MACs, 3 steps', {
    label: 'l1-steps',
    raw: stepwise,
    teacher: baseline,
  });
  const wide = reinitialise(start, seed, { gamma: slimmingGamma });
  const slim = await lab.trained('sparse', wide, sparse(recipe, lab.images));
  await uncut('uncut, L1 on gamma', slim);
  const { model: slimmed } = prune(slim.model, byGamma);
  await recover('Network Slimming, 50 % of channels', {
    label: 'slimming',
    raw: slimmed,
    teacher: slim,
  });
  for (const stage of ['scratch-e', 'scratch-b'] as const) {
    for (const [i, row] of rows.entries()) {
      const cut = cuts.get(row.method);
      if (cut === undefined) continue;
      rows[i] = { ...row, stages: { ...row.stages, ...(await lab.control(stage, cut)) } };
      await tell(rows);
    }
  }
  return rows;
}

function positive(variable: string, otherwise: number): number {
  const value = Number(process.env[variable] ?? otherwise);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${variable} is to be a whole number above 0.`);
}

export async function run(): Promise<BenchResult> {
  const images = process.env['SECATEUR_CIFAR10'];
  if (images === undefined) {
    const note = 'set SECATEUR_CIFAR10 to the folder of images';
    return { figures: [{ label: 'ResNet-20 on CIFAR-10', value: null, unit: '%', note }] };
  }
  const epochs = positive('SECATEUR_EPOCHS', 40);
  const backend = await loadBackend();
  const store = await OutcomeStore.open(folder);
  const cache = join(folder, 'images.cache');
  // The papers train on all 50,000 images: the last epoch counts, and no validation is held back.
  const options = { ...defaultDecodeOptions, valFraction: 0 };
  if (!existsSync(cache)) await decodeDataset(images, cache, options, silentContext);
  const dataset = openDataset(cache);
  try {
    const figures: BenchFigure[] = [];
    for (let seed = 1; seed <= positive('SECATEUR_SEEDS', 1); seed++) {
      const lab = new Laboratory(dataset, backend, store, recipe(epochs, seed));
      const table = join(folder, `results-${epochs}-${seed}.md`);
      const rows = await measureSeed(lab, dataset.classes.length, (soFar) =>
        writeFile(table, `${resultTable(soFar)}\n`),
      );
      for (const { method, stages } of rows) {
        for (const [stage, { top1 }] of Object.entries(stages)) {
          const label = `seed ${seed}, ${method}, ${stage}`;
          figures.push({ label, value: 100 * top1, unit: '%', note: `${epochs} epochs` });
        }
      }
    }
    return { figures };
  } finally {
    dataset.close();
  }
}
