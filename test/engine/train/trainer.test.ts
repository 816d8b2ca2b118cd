// Whole training runs on a toy problem.

import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentContext, type EngineContext, type Metric } from '../../../src-main/engine/context';
import type { Dataset } from '../../../src-main/engine/data/types';
import { AppError } from '../../../src-main/engine/errors';
import type { Model } from '../../../src-main/engine/graph/types';
import { evaluate } from '../../../src-main/engine/measure/accuracy';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type TrainCheckpoint,
} from '../../../src-main/engine/train/checkpoint';
import type { Compute } from '../../../src-main/engine/train/compute';
import {
  fullTrainingDefaults,
  optimizerDefaults,
  scheduleDefaults,
} from '../../../src-main/engine/train/defaults';
import { gammasOf, type GammaSample } from '../../../src-main/engine/train/gammas';
import { localCompute } from '../../../src-main/engine/train/step';
import { train } from '../../../src-main/engine/train/trainer';
import type { TrainOptions, TrainResult } from '../../../src-main/engine/train/types';
import { maxAbsDiff } from '../reference';
import { toyDataset, toyModel } from './toy';

const dataset = toyDataset({ train: 160, val: 64, test: 64 });

const options: TrainOptions = {
  ...fullTrainingDefaults(4),
  batchSize: 32,
  // A flipped or shifted quadrant is another one.
  augment: { flip: false, padCrop: 1 },
};

function numbersOf({ graph }: Model): number[] {
  return [...graph.weights.values()].flatMap(({ data }) => [...data]);
}

/** A context that remembers what it is told, and is aborted after some batches. */
function recording(abortAfter = Infinity): EngineContext & {
  readonly metrics: Metric[];
  readonly done: number[];
} {
  const controller = new AbortController();
  const metrics: Metric[] = [];
  const done: number[] = [];
  return {
    ...silentContext,
    signal: controller.signal,
    metrics,
    done,
    metric: (metric) => metrics.push(metric),
    progress: (progress) => {
      if (progress.phase !== 'training') return;
      done.push(progress.done);
      if (progress.done >= abortAfter) {
        controller.abort(new AppError('CANCELLED', 'Cancelled.', 'Start again.'));
      }
    },
  };
}

/** What an interrupted run tells and gives besides, with the time left out. */
function timeless(points: readonly Metric[], history: TrainResult['history']): object {
  return {
    points: points.map(({ values: { imagesPerSecond: _, ...values }, ...point }) => ({
      ...point,
      values,
    })),
    history: history.map(({ imagesPerSecond: _, ...record }) => record),
  };
}

/**
 * A run that is broken off and resumed gives the weights, figures and curves of an unbroken one, from whatever
 * checkpoint it goes on: behind an epoch, behind any step, or where its signal stopped it.
 */
async function checkResume(
  data: Dataset,
  run: TrainOptions,
  compute: Compute,
  teacher: Model | null = null,
): Promise<void> {
  const how = { compute, teacher };
  const whole = recording();
  const unbroken = await train(toyModel(), data, run, whole, {}, how);
  const expected = timeless(whole.metrics, unbroken.history);

  const stepsPerEpoch = Math.ceil(data.counts.train / run.batchSize);
  const saved = new Map<string, Uint8Array>();
  const save =
    (name: string) =>
    async (checkpoint: () => Promise<TrainCheckpoint>): Promise<void> =>
      void saved.set(name, encodeCheckpoint(await checkpoint()));
  let steps = 0;
  const begun = recording((run.epochs - 1) * stepsPerEpoch + 1);
  const broken = train(
    toyModel(),
    data,
    run,
    begun,
    {
      onEpoch: ({ epoch }, checkpoint) => save(`epoch ${epoch}`)(checkpoint),
      onStep: (checkpoint) => save(`step ${++steps}`)(checkpoint),
      onAborted: save('stop'),
    },
    how,
  );
  await expect(broken).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(decodeCheckpoint(saved.get('stop')!).within).toMatchObject({ step: 1 });
  const places = [
    ...['step 1', `step ${stepsPerEpoch}`, `step ${stepsPerEpoch + 1}`],
    ...[`epoch ${run.epochs - 1}`, 'stop'],
  ];
  for (const place of places) {
    const resume = decodeCheckpoint(saved.get(place)!);
    const rest = recording();
    const result = await train(toyModel(), data, run, rest, {}, { ...how, resume });
    expect(numbersOf(result.model), place).toEqual(numbersOf(unbroken.model));
    expect(result.bestEpoch, place).toBe(unbroken.bestEpoch);
    const points = [...begun.metrics.slice(0, resume.points), ...rest.metrics];
    expect(timeless(points, result.history), place).toEqual(expected);
  }
}

describe('train', () => {
  let backend: Backend;
  let compute: Compute;
  let tensorsBefore: number;
  beforeAll(async () => {
    backend = await loadBackend('tensorflow');
    compute = localCompute(backend);
    tensorsBefore = backend.tf.memory().numTensors;
  });
  afterEach(() => {
    expect(backend.tf.memory().numTensors).toBe(tensorsBefore);
  });

  it('learns to tell the classes apart', async () => {
    const context = recording();
    const {
      model,
      history,
      bestEpoch,
      backend: detail,
    } = await train(toyModel(), dataset, options, context, {}, { compute });

    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(history.at(-1)!.trainLoss).toBeLessThan(history[0]!.trainLoss / 2);
    expect(history[bestEpoch - 1]!.valAccuracy).toBe(
      Math.max(...history.map(({ valAccuracy }) => valAccuracy!)),
    );
    expect(detail).toBe(backend.detail);
    const { top1 } = await evaluate(model, dataset.split('test'), 'test', silentContext, {
      backend,
    });
    expect(top1).toBeGreaterThan(0.95);
    // 160 images in batches of 32, four epochs.
    expect(context.done).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    const curves = context.metrics.map(({ step, values }) => [step, Object.keys(values)]);
    expect(curves.slice(0, 4)).toEqual([
      [0, []],
      [5, ['trainLoss', 'trainAccuracy', 'learningRate', 'imagesPerSecond']],
      [1, ['valLoss', 'valAccuracy']],
      [10, ['trainLoss', 'trainAccuracy', 'learningRate', 'imagesPerSecond']],
    ]);
  });

  it('tells of the gammas before the first epoch and at the end of each', async () => {
    const context = recording();
    const sparse = { ...options, gammaSparsity: 0.05, keepBest: false };
    const { model } = await train(toyModel(), dataset, sparse, context, {}, { compute });
    const told = context.metrics.flatMap(({ epoch, gammas }) => (gammas ? [[epoch, gammas]] : []));
    expect(told.map(([epoch]) => epoch)).toEqual([0, 1, 2, 3, 4]);
    expect(told[0]![1]).toEqual({ count: 12, values: new Array(12).fill(1) });
    expect(told.at(-1)![1]).toEqual(gammasOf(model.graph));
    const means = told.map(([, gammas]) => {
      const { values } = gammas as GammaSample;
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    });
    // The penalty pulls all down from 1; the loss moves them up and down from there.
    expect(Math.max(...means.slice(1))).toBeLessThan(0.8);
  });

  it('repeats exactly on a seed, and not on another', async () => {
    const run = async (seed: number): Promise<number[]> => {
      const short = { ...options, seed, epochs: 2 };
      const result = await train(toyModel(), dataset, short, silentContext, {}, { compute });
      return numbersOf(result.model);
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
  });

  it('leaves the model that it is given as it is', async () => {
    const model = toyModel();
    const before = numbersOf(model);
    const short = { ...options, epochs: 1 };
    const result = await train(model, dataset, short, silentContext, {}, { compute });
    expect(numbersOf(model)).toEqual(before);
    expect(maxAbsDiff(numbersOf(result.model), before)).toBeGreaterThan(0.01);
  });

  it('trains through a final softmax as through logits', async () => {
    const short = { ...options, epochs: 1 };
    const [logits, softmax] = await Promise.all(
      [toyModel(), toyModel({ softmax: true })].map((model) =>
        train(model, dataset, short, silentContext, {}, { compute }),
      ),
    );
    expect(numbersOf(softmax!.model)).toEqual(numbersOf(logits!.model));
    expect(softmax!.model.graph.nodes.at(-1)!.op).toBe('softmax');
  });

  it('stops between batches when cancelled', async () => {
    const context = recording(3);
    const promise = train(toyModel(), dataset, options, context, {}, { compute });
    await expect(promise).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(context.done).toEqual([1, 2, 3]);
  });

  it('says where it diverged, after handing out what was good before', async () => {
    const handedOut: number[] = [];
    const wild: TrainOptions = {
      ...options,
      optimizer: { ...options.optimizer, learningRate: 1e20 },
      schedule: { kind: 'step', warmupEpochs: 0, milestones: [0.25], factor: 1 },
    };
    const promise = train(
      toyModel(),
      dataset,
      wild,
      silentContext,
      { onEpoch: ({ epoch }) => void handedOut.push(epoch) },
      { compute },
    );
    await expect(promise).rejects.toMatchObject({
      code: 'TRAIN_DIVERGED',
      details: { epoch: 1, lastGoodEpoch: 0 },
      hint: expect.stringContaining('learning rate'),
    });
    expect(handedOut).toEqual([]);
  });

  it('hands out the best epoch before it diverged', async () => {
    const rescued: TrainResult[] = [];
    const models: TrainCheckpoint[] = [];
    const wild: TrainOptions = {
      ...options,
      optimizer: { ...options.optimizer, learningRate: 0.05 },
      // Good for two epochs of four, and then a million times as fast.
      schedule: { kind: 'step', warmupEpochs: 0, milestones: [0.5], factor: 1e6 },
    };
    const promise = train(
      toyModel(),
      dataset,
      wild,
      silentContext,
      {
        onEpoch: async (_record, checkpoint) => void models.push(await checkpoint()),
        onDiverged: (result) => void rescued.push(result),
      },
      { compute },
    );
    await expect(promise).rejects.toMatchObject({
      code: 'TRAIN_DIVERGED',
      details: { epoch: 3, lastGoodEpoch: 2 },
    });
    const [{ model, bestEpoch, history } = expect.unreachable()] = rescued;
    expect(history).toHaveLength(2);
    expect(numbersOf(model)).toEqual(numbersOf(models[bestEpoch - 1]!.model));
    expect(numbersOf(model).every(Number.isFinite)).toBe(true);
  });

  it('stops when the validation has not become better for long enough', async () => {
    // At a rate this high some epochs are worse than those before them.
    const run: TrainOptions = {
      ...options,
      epochs: 12,
      optimizer: { ...options.optimizer, learningRate: 0.5 },
      schedule: scheduleDefaults.constant,
    };
    const lengthOf = async (changes: Partial<TrainOptions>, data = dataset): Promise<number> =>
      (await train(toyModel(), data, { ...run, ...changes }, silentContext, {}, { compute }))
        .history.length;
    const { history } = await train(toyModel(), dataset, run, silentContext, {}, { compute });
    expect(history).toHaveLength(12);
    const isBetter = (i: number, j: number): boolean => {
      const [a, b] = [history[i]!, history[j]!];
      return (
        a.valAccuracy! > b.valAccuracy! ||
        (a.valAccuracy === b.valAccuracy && a.valLoss! < b.valLoss!)
      );
    };
    let [best, end] = [0, 12];
    for (let i = 1; i < 12 && end === 12; i++) {
      if (isBetter(i, best)) best = i;
      else if (i - best >= 2) end = i + 1;
    }
    expect(end).toBeLessThan(12);
    expect(await lengthOf({ patience: 2 })).toBe(end);
    const blind = toyDataset({ train: 32, val: 0, test: 0 });
    expect(await lengthOf({ epochs: 4, patience: 2 }, blind)).toBe(4);
  });

  it('validates and keeps the average of the weights', async () => {
    const context = recording();
    const run = { ...options, ema: 0.9, keepBest: false, epochs: 2 };
    let last: TrainCheckpoint | undefined;
    const { model, history } = await train(
      toyModel(),
      dataset,
      run,
      context,
      { onEpoch: async (_record, checkpoint) => void (last = await checkpoint()) },
      { compute },
    );
    expect(numbersOf(model)).toEqual(numbersOf({ ...model, graph: last!.average!.graph }));
    expect(maxAbsDiff(numbersOf(model), numbersOf(last!.model))).toBeGreaterThan(1e-3);
    expect(last!.average!.updates).toBe(10);
    const { loss } = await evaluate(model, dataset.split('val'), 'val', silentContext, { backend });
    expect(loss).toBeCloseTo(history[1]!.valLoss!, 5);
    // The steps themselves are those of a run without an average.
    const plain = { ...run, ema: null };
    const without = await train(toyModel(), dataset, plain, silentContext, {}, { compute });
    expect(numbersOf(without.model)).toEqual(numbersOf(last!.model));
  });

  it('learns from a teacher what it cannot from labels', async () => {
    const teacher = (await train(toyModel(), dataset, options, silentContext, {}, { compute }))
      .model;
    // All labels of the student's data are the same: only the teacher knows the classes.
    const train0 = dataset.split('train');
    const unlabelled: Dataset = {
      ...dataset,
      split: (name) =>
        name === 'train'
          ? { ...train0, labels: new Int32Array(train0.count) }
          : dataset.split(name),
    };
    const run = { ...options, distill: { temperature: 2, alpha: 0, hints: 0 } };
    const how = { compute, teacher };
    const student = await train(toyModel({ seed: 5 }), unlabelled, run, silentContext, {}, how);
    const { top1 } = await evaluate(student.model, dataset.split('test'), 'test', silentContext, {
      backend,
    });
    expect(top1).toBeGreaterThan(0.9);
    await expect(
      train(toyModel(), dataset, run, silentContext, {}, { compute }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(train(toyModel(), dataset, options, silentContext, {}, how)).rejects.toMatchObject(
      { code: 'INVALID_ARGUMENT' },
    );
  });

  it.each(['adam', 'adamw'] as const)('learns with %s, all options on', async (kind) => {
    const run: TrainOptions = {
      ...options,
      epochs: 12,
      optimizer: { ...optimizerDefaults.full[kind], learningRate: 0.01 },
      schedule: scheduleDefaults['one-cycle'],
      labelSmoothing: 0.1,
      mixup: 0.2,
      clipNorm: 1,
      ema: 0.8,
    };
    const { model } = await train(toyModel(), dataset, run, silentContext, {}, { compute });
    const { top1 } = await evaluate(model, dataset.split('test'), 'test', silentContext, {
      backend,
    });
    expect(top1).toBeGreaterThan(0.9);
  });

  it('goes on from a checkpoint as if it had never stopped', () =>
    checkResume(dataset, options, compute));

  it('goes on so where no best epoch is kept, and from its last one when it diverges then', async () => {
    const schedule = { kind: 'constant', warmupEpochs: 0 } as const;
    const plain = { ...options, epochs: 2, keepBest: false, schedule };
    await checkResume(dataset, plain, compute);
    const saved: TrainCheckpoint[] = [];
    const first = await train(
      toyModel(),
      dataset,
      { ...plain, epochs: 1 },
      silentContext,
      {},
      { compute },
    );
    await train(
      toyModel(),
      dataset,
      // The same first epoch, as a constant rate knows nothing of the end.
      plain,
      silentContext,
      { onStep: async (checkpoint) => void saved.push(await checkpoint()) },
      { compute },
    );
    const resume = saved.find(({ history }) => history.length === 1)!;
    const rescued: TrainResult[] = [];
    const hopeless = { ...plain, optimizer: { ...plain.optimizer, learningRate: 1e30 } };
    const broken = train(
      toyModel(),
      dataset,
      hopeless,
      silentContext,
      { onDiverged: (result) => void rescued.push(result) },
      { compute, resume: decodeCheckpoint(encodeCheckpoint(resume)) },
    );
    await expect(broken).rejects.toMatchObject({ code: 'TRAIN_DIVERGED' });
    expect(rescued.map(({ bestEpoch }) => bestEpoch)).toEqual([1]);
    expect(numbersOf(rescued[0]!.model)).toEqual(numbersOf(first.model));
  });

  it('keeps the last epoch where there is no validation or the best is not wanted', async () => {
    const blind = toyDataset({ train: 64, val: 0, test: 0 });
    const short = { ...options, epochs: 2 };
    const without = await train(toyModel(), blind, short, silentContext, {}, { compute });
    expect(without.bestEpoch).toBe(2);
    expect(without.history[0]!.valAccuracy).toBeNull();
    const last = { ...short, keepBest: false };
    let final: TrainCheckpoint | undefined;
    const result = await train(
      toyModel(),
      dataset,
      last,
      silentContext,
      { onEpoch: async (_record, checkpoint) => void (final = await checkpoint()) },
      { compute },
    );
    expect(result.bestEpoch).toBe(2);
    expect(numbersOf(result.model)).toEqual(numbersOf(final!.model));
  });

  it('shrinks gamma under the sparsity penalty', async () => {
    const sumOfGamma = ({ graph }: Model): number => {
      const gammas = ['bn1/gamma', 'bn2/gamma'].flatMap((id) => [...graph.weights.get(id)!.data]);
      return gammas.reduce((sum, gamma) => sum + Math.abs(gamma), 0);
    };
    const short = { ...options, epochs: 2, keepBest: false };
    const run = (gammaSparsity: number): Promise<TrainResult> =>
      train(toyModel(), dataset, { ...short, gammaSparsity }, silentContext, {}, { compute });
    const free = await run(0);
    const sparse = await run(0.1);
    expect(sumOfGamma(sparse.model)).toBeLessThan(0.8 * sumOfGamma(free.model));
  });

  it('keeps its tensors constant from epoch to epoch', async () => {
    const counts: number[] = [];
    await train(
      toyModel(),
      dataset,
      options,
      silentContext,
      { onEpoch: () => void counts.push(backend.tf.memory().numTensors) },
      { compute },
    );
    expect(new Set(counts).size).toBe(1);
  });

  it('leaves out a batch of a single image', async () => {
    const odd = toyDataset({ train: 33, val: 0, test: 0 });
    const short = { ...options, epochs: 1 };
    const { history } = await train(toyModel(), odd, short, silentContext, {}, { compute });
    expect(history[0]!.trainLoss).toBeGreaterThan(0);
  });

  it('refuses a data set without training images', async () => {
    const empty = toyDataset({ train: 0, val: 0, test: 8 });
    await expect(
      train(toyModel(), empty, options, silentContext, {}, { compute }),
    ).rejects.toMatchObject({ code: 'DATA_MISMATCH' });
  });
});

describe('train in plain JavaScript', () => {
  // The smallest run that still says something: this backend is slow.
  const few = toyDataset({ train: 36, val: 12, test: 0 });
  const short: TrainOptions = { ...options, batchSize: 18, epochs: 2 };

  it('gives nearly the same weights as TensorFlow', async () => {
    const run = async (name: 'tensorflow' | 'cpu'): Promise<TrainResult> => {
      const backend = await loadBackend(name);
      const compute = localCompute(backend);
      const before = backend.tf.memory().numTensors;
      const result = await train(toyModel(), few, short, silentContext, {}, { compute });
      expect(backend.tf.memory().numTensors).toBe(before);
      return result;
    };
    const native = await run('tensorflow');
    const plain = await run('cpu');
    expect(maxAbsDiff(numbersOf(plain.model), numbersOf(native.model))).toBeLessThan(1e-4);
    expect(plain.history[1]!.trainLoss).toBeCloseTo(native.history[1]!.trainLoss, 4);
    expect(maxAbsDiff(numbersOf(native.model), numbersOf(toyModel()))).toBeGreaterThan(0.01);
  });

  it('goes on from a checkpoint as if it had never stopped', async () =>
    checkResume(few, short, localCompute(await loadBackend('cpu'))));

  const everything: TrainOptions = {
    ...short,
    optimizer: optimizerDefaults.full.adamw,
    schedule: { ...scheduleDefaults['one-cycle'], warmupEpochs: 0.5 },
    gammaSparsity: 1e-3,
    labelSmoothing: 0.1,
    mixup: 0.4,
    clipNorm: 0.5,
    ema: 0.9,
    patience: 5,
    distill: { temperature: 3, alpha: 0.4, hints: 5 },
  };

  it('goes on so with all that a run can carry along', async () =>
    checkResume(few, everything, localCompute(await loadBackend('cpu')), toyModel({ seed: 8 })));

  it('gives nearly the same weights as TensorFlow with it', async () => {
    const run = async (name: 'tensorflow' | 'cpu'): Promise<Model> => {
      const how = {
        compute: localCompute(await loadBackend(name)),
        teacher: toyModel({ seed: 8 }),
      };
      return (await train(toyModel(), few, everything, silentContext, {}, how)).model;
    };
    const [native, plain] = [await run('tensorflow'), await run('cpu')];
    expect(maxAbsDiff(numbersOf(plain), numbersOf(native))).toBeLessThan(1e-4);
    expect(maxAbsDiff(numbersOf(native), numbersOf(toyModel()))).toBeGreaterThan(1e-3);
  });
});
