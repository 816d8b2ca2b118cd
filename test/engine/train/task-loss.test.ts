// The losses of labels and values: against plain loops, with gradients by finite differences; where they are taken;
// and trainings that learn by them.

import { beforeAll, describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import type { Dataset, ImageSplit, Targets, Task } from '../../../src-main/engine/data/types';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model, OutputKind } from '../../../src-main/engine/graph/types';
import { evaluate, evaluateTask } from '../../../src-main/engine/measure/accuracy';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import { batchScore } from '../../../src-main/engine/train/batch-score';
import {
  defaultClip,
  fineTuneDefaults,
  fullTrainingDefaults,
  optimizerDefaults,
} from '../../../src-main/engine/train/defaults';
import { isBetter } from '../../../src-main/engine/train/epoch-figures';
import { targetRows } from '../../../src-main/engine/train/targets';
import {
  blindLoss,
  taskHead,
  taskLoss,
  trainedOutputKind,
  type TaskHead,
} from '../../../src-main/engine/train/task-loss';
import { localCompute } from '../../../src-main/engine/train/step';
import { train } from '../../../src-main/engine/train/trainer';
import type { EpochRecord, TrainOptions } from '../../../src-main/engine/train/types';
import { toyDataset, toyModel } from './toy';

const outputs = 3;
type End = 'linear' | 'sigmoid' | 'softmax' | 'late sigmoid';

/** The mean of each channel through a dense layer. */
function network(end: End, units = outputs): Model {
  const b = new GraphBuilder('net', { rng: createRng(2) });
  let x = b.dense(b.globalAvgPool(b.input('image', [8, 8, 3])), { units, name: 'last' });
  if (end === 'softmax') x = b.apply('softmax', [x], { axis: -1 });
  if (end.endsWith('sigmoid')) x = b.activation(x, 'sigmoid');
  if (end === 'late sigmoid') x = b.apply('reshape', [x], { shape: [1, units] });
  b.output(x);
  const kinds = { linear: 'logits', softmax: 'softmax' } as const;
  const outputKind = end === 'linear' || end === 'softmax' ? kinds[end] : 'sigmoid';
  return { ...toyModel(), graph: b.build(), outputKind };
}

describe('taskHead', () => {
  it.each([
    ['labels', 'linear', 'last', 'logits'],
    ['labels', 'sigmoid', 'last', 'logits'],
    ['labels', 'late sigmoid', null, 'independent'],
    ['values', 'linear', 'last', 'values'],
    ['values', 'sigmoid', null, 'values'],
    ['classes', 'softmax', 'last', 'logits'],
  ] as const)('of %s and a network that ends %s', (task, end, tensor, kind) => {
    const model = network(end);
    expect(taskHead(model, task)).toEqual({
      task,
      kind,
      classes: outputs,
      tensor: tensor ?? model.graph.outputs[0]!.tensor,
    });
  });

  it.each(['labels', 'values'] as const)('refuses a softmax for %s', (task) => {
    expect(() => taskHead(network('softmax'), task)).toThrow(
      expect.objectContaining({ code: 'DATA_MISMATCH' }),
    );
  });
});

describe('taskLoss', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend('cpu');
  });

  const answers = [0.2, 0.7, 0.1, 0.9, 0.35, 0.6];
  const targets = [0, 1, 0.25, 1, 0, 0.5];
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
  const binary = (p: number, t: number): number => -t * Math.log(p) - (1 - t) * Math.log(1 - p);

  const cases: readonly (readonly [
    string,
    TaskHead,
    TrainOptions['valueLoss'],
    (y: number, t: number) => number,
  ])[] = [
    [
      'sigmoid cross-entropy of logits',
      { task: 'labels', kind: 'logits', tensor: 'y', classes: 3 },
      'mse',
      (y, t) => binary(sigmoid(y), t),
    ],
    [
      'sigmoid cross-entropy of probabilities',
      { task: 'labels', kind: 'independent', tensor: 'y', classes: 3 },
      'mse',
      binary,
    ],
    [
      'mean squared error',
      { task: 'values', kind: 'values', tensor: 'y', classes: 3 },
      'mse',
      (y, t) => (y - t) ** 2,
    ],
    [
      'mean absolute error',
      { task: 'values', kind: 'values', tensor: 'y', classes: 3 },
      'mae',
      (y, t) => Math.abs(y - t),
    ],
  ];

  it.each(cases)('is the %s, with its gradient', (_, head, valueLoss, term) => {
    const { tf } = backend;
    const define = (values: readonly number[], n: number): number => {
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += term(values[n * 3 + k]!, targets[n * 3 + k]!);
      return sum / 3;
    };
    const before = tf.memory().numTensors;
    const [losses, gradient] = tf.tidy(() => {
      const target = tf.tensor2d(targets, [2, 3]);
      // Of another shape, as a head in front of a reshape gives it.
      const loss = taskLoss(backend, head, tf.tensor(answers, [2, 1, 3]), target, valueLoss);
      expect(loss.gradient.shape).toEqual([2, 1, 3]);
      return [loss.losses.dataSync(), loss.gradient.dataSync()] as const;
    });
    expect(tf.memory().numTensors).toBe(before);
    for (const n of [0, 1]) expect(losses[n]).toBeCloseTo(define(answers, n), 6);
    answers.forEach((_value, i) => {
      const moved = (by: number): number =>
        define(
          answers.map((y, j) => (j === i ? y + by : y)),
          Math.floor(i / 3),
        );
      expect(gradient[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 5);
    });
  });

  it('stays finite for logits that are sure and wrong', () => {
    const { tf } = backend;
    const head = cases[0]![1];
    const { losses, gradient } = taskLoss(
      backend,
      head,
      tf.tensor2d([500, -500, 500], [1, 3]),
      tf.tensor2d([0, 1, 1], [1, 3]),
      'mse',
    );
    expect(losses.dataSync()[0]).toBeCloseTo(1000 / 3, 3);
    const slopes = [1 / 3, -1 / 3, 0];
    expect([...gradient.dataSync()]).toEqual(slopes.map((slope) => expect.closeTo(slope, 6)));
  });
});

describe('what outputs are after training', () => {
  it.each([
    ['linear', 'classes', 'logits'],
    ['linear', 'labels', 'label-logits'],
    ['linear', 'values', 'values'],
    ['softmax', 'classes', 'softmax'],
    ['sigmoid', 'labels', 'sigmoid'],
    ['late sigmoid', 'labels', 'sigmoid'],
    ['sigmoid', 'values', 'values'],
  ] as const)('of a network that ends %s, on %s', (end, task, kind) => {
    expect(trainedOutputKind(network(end), task)).toBe(kind);
  });

  it('follows the task that was trained last', () => {
    const net = network('linear');
    const after = (outputKind: OutputKind, task: Task): OutputKind =>
      trainedOutputKind({ ...net, outputKind }, task);
    expect(after('label-logits', 'classes')).toBe('logits');
    expect(after('values', 'labels')).toBe('label-logits');
    expect(trainedOutputKind({ ...network('sigmoid'), outputKind: 'values' }, 'labels')).toBe(
      'sigmoid',
    );
  });
});

describe('targets and scores of a batch', () => {
  const mix = { share: 0.75, partners: Int32Array.of(1, 0) };
  const rows = Float32Array.of(1, 0, 0, 1);

  it('are mixed and smoothed by rows', () => {
    expect([...targetRows(rows, 2, 0, mix)]).toEqual([0.75, 0.25, 0.25, 0.75]);
    expect([...targetRows(rows, 2, 0.5, null)]).toEqual([0.75, 0.25, 0.25, 0.75]);
    expect([...targetRows(rows, 2, 0.5, mix)]).toEqual([0.625, 0.375, 0.375, 0.625]);
  });

  const batch = { images: new Uint8Array(), labels: new Int32Array(2), targets: rows, count: 2 };
  const logits: TaskHead = { task: 'labels', kind: 'logits', tensor: 'y', classes: 2 };
  const values: TaskHead = { task: 'values', kind: 'values', tensor: 'y', classes: 2 };

  it('count right labels, and sum up errors', () => {
    const said = Float32Array.of(0.1, 0.2, -0.3, 4);
    expect(batchScore(logits, said, batch, null)).toBeCloseTo(0.5 + 1, 6);
    expect(batchScore({ ...logits, kind: 'independent' }, said, batch, null)).toBeCloseTo(1.5, 6);
    expect(batchScore(logits, said, batch, mix)).toBeCloseTo(0.75 * 1.5 + 0.25 * 0.5, 6);
    expect(batchScore(values, said, batch, null)).toBeCloseTo((0.9 + 0.2 + 0.3 + 3) / 2, 6);
    const mixed = (0.65 + 0.05 + 0.55 + 3.25) / 2;
    expect(batchScore(values, said, batch, mix)).toBeCloseTo(mixed, 6);
  });
});

/**
 * The toy images with targets that follow from what they show: brighter quadrants, or shares of them.
 * @param unit of values
 */
function dataset(task: Exclude<Task, 'classes'>, unit = 1): Dataset {
  const toy = toyDataset({ train: 96, val: 48, test: 48 });
  const told = (split: ImageSplit): ImageSplit => {
    const rows = new Float32Array(split.count * outputs);
    split.labels.forEach((label, i) => {
      const [top, left] = [label < 2 ? 1 : 0, label % 2 === 0 ? 1 : 0];
      const row =
        task === 'labels' ? [top, left, 0] : [top * 2 - 1, left * 3, 5].map((v) => v * unit);
      rows.set(row, i * outputs);
    });
    const targets: Targets = { task, width: outputs, rows };
    return { ...split, labels: new Int32Array(split.count), targets };
  };
  const classes = ['top', 'left', 'never'];
  return { ...toy, task, classes, split: (name) => told(toy.split(name)) };
}

/** The toy network with as many outputs as there are targets. */
function learner(): Model {
  const b = new GraphBuilder('learner', { rng: createRng(1) });
  let x = b.conv2d(b.input('image', [8, 8, 3]), { name: 'stem', kernelSize: 3, filters: 6 });
  x = b.maxPool2d(b.activation(x, 'relu'), { poolSize: 4 });
  b.output(b.dense(b.flatten(x), { units: outputs, name: 'last' }));
  return { ...toyModel(), graph: b.build() };
}

const options: TrainOptions = {
  ...fineTuneDefaults(8),
  batchSize: 16,
  augment: { flip: false, padCrop: 0 },
  optimizer: { ...fineTuneDefaults(1).optimizer, learningRate: 0.02 },
};

describe('training', () => {
  it('learns several labels an image, and keeps the epoch of the best macro-F1', async () => {
    const data = dataset('labels');
    const { model, history, bestEpoch } = await train(learner(), data, options, silentContext);
    expect(model).toMatchObject({ outputKind: 'label-logits', labels: ['top', 'left', 'never'] });
    expect(history.at(-1)!.trainLoss).toBeLessThan(history[0]!.trainLoss * 0.6);
    expect(history.every((record) => record.trainMae === undefined)).toBe(true);
    const f1 = history.map(({ valMacroF1 }) => valMacroF1!);
    expect(f1[bestEpoch - 1]).toBe(Math.max(...f1));
    const found = await evaluateTask(model, data.split('test'), 'test', silentContext);
    if (found.task !== 'labels') throw new Error(found.task);
    expect(found.macroF1).toBeGreaterThan(0.9);
    expect(found.accuracy).toBeGreaterThan(0.9);
    // Never there and never answered: it has no F1, and does not spoil the mean.
    expect(found.perLabel[2]).toEqual({ accuracy: 1, f1: null, positives: 0 });
    const validated = await evaluateTask(model, data.split('val'), 'val', silentContext);
    expect(validated).toMatchObject({ macroF1: expect.closeTo(f1[bestEpoch - 1]!, 6) });
  });

  it.each(['mse', 'mae'] as const)(
    'learns values by %s, and keeps the epoch of the least error',
    async (valueLoss) => {
      const data = dataset('values');
      // Squared errors of values far from 0 are steep at first.
      const optimizer = { ...optimizerDefaults.full.adam, learningRate: 0.01 };
      const asked = { ...options, epochs: 30, optimizer, valueLoss };
      const { model, history, bestEpoch } = await train(learner(), data, asked, silentContext);
      const errors = history.map(({ valMae }) => valMae!);
      expect(errors[bestEpoch - 1]).toBe(Math.min(...errors));
      expect(history[0]).toMatchObject({ trainAccuracy: null, valAccuracy: null });
      // In training one minimises what is shown beside it.
      if (valueLoss === 'mae') expect(history[3]!.trainMae).toBeCloseTo(history[3]!.trainLoss, 5);
      const split = data.split('test');
      const found = await evaluateTask(model, split, 'test', silentContext, { limit: 24 });
      if (found.task !== 'values') throw new Error(found.task);
      expect(found.samples).toBe(24);
      expect(found.mae).toBeLessThan(0.5);
      // Always answering the mean is off by more.
      expect(found.mae).toBeLessThan(blindLoss(split, outputs, 'mae') * 0.7);
      expect(found.loss).toBeCloseTo(found.rmse ** 2, 4);
    },
    60_000,
  );

  it('takes values of any size with the defaults', async () => {
    const data = dataset('values', 200);
    const standard = fullTrainingDefaults(20);
    const asked = { ...standard, batchSize: 16, augment: options.augment };
    await expect(train(learner(), data, asked, silentContext)).rejects.toMatchObject({
      code: 'TRAIN_DIVERGED',
    });
    const clipped = { ...asked, clipNorm: defaultClip.values };
    const { history } = await train(learner(), data, clipped, silentContext);
    const blind = blindLoss(data.split('val'), outputs, 'mae');
    expect(Math.min(...history.map(({ valMae }) => valMae!))).toBeLessThan(blind);
  });

  it('mixes images and what is told of them', async () => {
    for (const task of ['labels', 'values'] as const) {
      const mixed = { ...options, epochs: 3, mixup: 0.4 };
      const { history } = await train(learner(), dataset(task), mixed, silentContext);
      expect(history.at(-1)!.trainLoss).toBeLessThan(history[0]!.trainLoss);
    }
  });

  it('refuses what says nothing of the task', async () => {
    const compute = localCompute(await loadBackend());
    const begin = (task: Task, changes: Partial<TrainOptions>, teacher: Model | null = null) =>
      compute.begin({
        ...{ model: learner(), task, teacher, state: null },
        shape: { height: 8, width: 8, channels: 3 },
        options: { ...options, ...changes },
      });
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as unknown;
    await expect(begin('values', { labelSmoothing: 0.1 })).rejects.toEqual(refused);
    const distill = { temperature: 4, alpha: 0.5, hints: 0 };
    await expect(begin('labels', { distill }, learner())).rejects.toEqual(refused);
    await expect(begin('values', { distill }, learner())).rejects.toEqual(refused);
    await (await begin('labels', { labelSmoothing: 0.1 })).dispose();
    const evaluated = evaluate(learner(), dataset('labels').split('test'), 'test', silentContext);
    await expect(evaluated).rejects.toMatchObject({ code: 'DATA_MISMATCH' });
  });
});

describe('isBetter', () => {
  const record = (figures: Partial<EpochRecord>): EpochRecord => ({
    ...{ epoch: 1, learningRate: 1, imagesPerSecond: 1, trainLoss: 1 },
    ...{ trainAccuracy: null, valLoss: 1, valAccuracy: null },
    ...figures,
  });

  it('goes by the figure of the task, then by the loss', () => {
    expect(isBetter(record({ valMae: 0.2 }), record({ valMae: 0.3 }))).toBe(true);
    expect(isBetter(record({ valMae: 0.3 }), record({ valMae: 0.2 }))).toBe(false);
    const [a, b] = [
      record({ valMacroF1: 0.8, valAccuracy: 0.5 }),
      record({ valMacroF1: 0.7, valAccuracy: 0.9 }),
    ];
    expect(isBetter(a, b)).toBe(true);
    expect(isBetter(record({ valAccuracy: 0.9 }), record({ valAccuracy: 0.8 }))).toBe(true);
    const sure = record({ valMae: 0.2, valLoss: 0.5 });
    expect(isBetter(sure, record({ valMae: 0.2 }))).toBe(true);
    expect(isBetter(record({ valMae: 0.2 }), sure)).toBe(false);
  });
});
