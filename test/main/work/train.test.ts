import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeModel } from '../../../src-main/engine/graph/serialize';
import type { WeightId } from '../../../src-main/engine/graph/types';
import { fineTuneDefaults, fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import type { TrainRequest } from '../../../src-main/jobs/types';
import { errorOf } from '../support';
import { cancellation, run, toyProject, type Toy } from './support';

const plain = { batchSize: 16, augment: { flip: false, padCrop: 0 } };

describe('training as a job', () => {
  let toy: Toy;
  beforeEach(async () => {
    toy = await toyProject();
  });

  const trainOf = (options: TrainOptions, changes: Partial<TrainRequest> = {}): TrainRequest => ({
    kind: 'train',
    version: toy.version,
    data: toy.data,
    options,
    init: 'weights',
    measure: false,
    name: null,
    ...changes,
  });

  const weightsOf = async (version: string, id: WeightId): Promise<ArrayLike<number>> => {
    const { file } = await toy.project.versionSource(version);
    return decodeModel(await readFile(file)).graph.weights.get(id)!.data;
  };

  it('goes on from the weights of its parent', async () => {
    // A rate so low that nothing moves shows where it started.
    const still = { ...fineTuneDefaults(1), ...plain };
    const optimizer = { ...still.optimizer, learningRate: 1e-12, weightDecay: 0 };
    await run(toy.project, trainOf({ ...still, optimizer }));
    const made = (await toy.project.versions()).at(-1)!;
    expect(made).toMatchObject({ name: 'toy-tuned', parent: toy.version, operation: 'train' });
    const { graph } = decodeModel(
      await readFile((await toy.project.versionSource(toy.version)).file),
    );
    const kernel = graph.nodes.find(({ name }) => name === 'stem')!.weights['kernel']!;
    const [before, after] = [
      await weightsOf(toy.version, kernel),
      await weightsOf(made.id, kernel),
    ];
    expect(Array.from(after)).toEqual(Array.from(before, (value) => expect.closeTo(value, 6)));
  });

  it('learns, tells of each epoch, and is evaluated and measured', async () => {
    const options = { ...fullTrainingDefaults(3), ...plain, samplesPerEpoch: 64 };
    const { log, metrics } = await run(toy.project, trainOf(options, { measure: true, name: 'b' }));
    const made = (await toy.project.versions()).at(-1)!;
    const { history } = await toy.project.versionRow(made.id);
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(history.at(-1)!.trainLoss).toBeLessThan(history[0]!.trainLoss);
    expect(log).toHaveLength(4);
    expect(log[0]).toMatch(/^Training on (TensorFlow|tfjs) /);
    expect(log[3]).toContain(`loss ${history[2]!.trainLoss.toFixed(4)}`);
    expect(metrics.some(({ values }) => 'valAccuracy' in values)).toBe(true);
    expect(made).toMatchObject({
      name: 'b',
      accuracy: { split: 'test', samples: 24, dataName: 'quadrants' },
      latency: [{ runtime: 'litert' }],
    });
  });

  it('begins anew with random weights of its seed', async () => {
    const options = { ...fullTrainingDefaults(1), ...plain, seed: 5 };
    const init = { budget: 'b', originalEpochs: 1, gamma: 1 } as const;
    await run(toy.project, trainOf(options, { init }));
    await run(toy.project, trainOf(options, { init }));
    await run(toy.project, trainOf({ ...options, seed: 6 }, { init }));
    const made = (await toy.project.versions()).slice(1);
    expect(made[0]).toMatchObject({ name: 'toy-scratch-b', operation: 'scratch' });
    const files = await Promise.all(
      made.map(async ({ id }) => (await toy.project.versionSource(id)).file),
    );
    expect(new Set(files).size, 'the same seed gives the same weights').toBe(2);
  });

  it('begins with the gammas that it is told', async () => {
    const still = { ...fullTrainingDefaults(1), ...plain };
    const optimizer = { ...still.optimizer, learningRate: 1e-12, weightDecay: 0 };
    const init = { budget: 'e', originalEpochs: 1, gamma: 0.5 } as const;
    await run(toy.project, trainOf({ ...still, optimizer }, { init }));
    const made = (await toy.project.versions()).at(-1)!;
    expect(Array.from(await weightsOf(made.id, 'bn1/gamma'))).toEqual(new Array(6).fill(0.5));
  });

  it('leaves no version when it is cancelled or diverges', async () => {
    const options = { ...fineTuneDefaults(2), ...plain };
    const cancelled = run(toy.project, trainOf(options), {
      cancelAt: ({ label }) => label === 'Epoch 2 of 2',
    });
    await expect(cancelled).rejects.toBe(cancellation);
    const wild = { ...options.optimizer, learningRate: 1e30 };
    const diverging = run(toy.project, trainOf({ ...options, optimizer: wild }));
    await errorOf(diverging, 'TRAIN_DIVERGED');
    expect(await toy.project.versions()).toHaveLength(1);
  });

  it('keeps the best epoch of a run that diverges later', async () => {
    const options: TrainOptions = {
      ...fineTuneDefaults(4),
      ...plain,
      schedule: { kind: 'step', warmupEpochs: 0, milestones: [0.5], factor: 1e9 },
    };
    const error = await errorOf(
      run(toy.project, trainOf(options, { name: 'wild' })),
      'TRAIN_DIVERGED',
    );
    const made = (await toy.project.versions()).slice(1);
    expect(made).toHaveLength(1);
    expect(made[0]!.name).toMatch(/^wild-epoch[12]$/);
    expect(error.hint).toContain(`epoch ${made[0]!.name.slice(-1)},`);
    const { history } = await toy.project.versionRow(made[0]!.id);
    expect(history).toHaveLength(2);
    const kernel = await weightsOf(made[0]!.id, 'stem/kernel');
    expect(Array.from(kernel).every(Number.isFinite)).toBe(true);
  });

  it('learns from a teacher, and not from one that is gone', async () => {
    const distill = { temperature: 2, alpha: 0, hints: 0 };
    const options: TrainOptions = { ...fineTuneDefaults(1), ...plain, distill };
    const taught = trainOf(options, { teacher: toy.version });
    const lossOf = async (request: TrainRequest): Promise<number> => {
      await run(toy.project, request);
      const made = (await toy.project.versions()).at(-1)!;
      return (await toy.project.versionRow(made.id)).history[0]!.trainLoss;
    };
    // It is its own teacher at first: there is less to learn from it than from the labels.
    const byLabels = await lossOf(trainOf({ ...options, distill: null }));
    expect(await lossOf(taught)).toBeLessThan(byLabels / 2);
    await errorOf(run(toy.project, { ...taught, teacher: 'nobody' }), 'NOT_FOUND');
    await errorOf(run(toy.project, trainOf(options)), 'INVALID_ARGUMENT');
  });
});
