import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { AppError } from '../../../src-main/engine/errors';
import { createRng } from '../../../src-main/engine/graph/rng';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import { fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import {
  findLearningRate,
  readCurve,
  type RateSweep,
} from '../../../src-main/engine/train/rate-finder';
import { localCompute } from '../../../src-main/engine/train/step';
import { train } from '../../../src-main/engine/train/trainer';
import type { RatePoint } from '../../../src-main/engine/train/types';
import { toyDataset, toyModel } from './toy';

const dataset = toyDataset({ train: 96, val: 32, test: 32 });
const options = {
  ...fullTrainingDefaults(3),
  batchSize: 16,
  augment: { flip: false, padCrop: 1 },
};

describe('readCurve', () => {
  /** A loss of each decade's tenth. */
  const curve = (loss: (exponent: number) => number): RatePoint[] =>
    Array.from({ length: 71 }, (_, i) => {
      const exponent = -6 + i / 10;
      const value = loss(exponent);
      return { learningRate: 10 ** exponent, loss: value, smoothed: value };
    });

  it('finds the bottom and the steepest place before it', () => {
    // Falls as a logistic curve around 1e-3, is lowest at 1e-1, and rises from there.
    const { steepest, lowest, suggestion } = readCurve(
      curve((x) => 2 - 1 / (1 + Math.exp(-6 * (x + 3))) + Math.max(0, x + 1) ** 2 * 50),
    );
    expect(steepest).toBeCloseTo(1e-3, 10);
    expect(lowest).toBeCloseTo(1e-1, 10);
    expect(suggestion).toBeCloseTo(1e-2, 10);
  });

  it('takes the far end of a flat bottom', () => {
    const { steepest, lowest } = readCurve(curve((x) => 1 + Math.max(0, x + 2)));
    expect(lowest).toBeCloseTo(1e-2, 10);
    expect(steepest).toBeNull();
  });

  it('takes no noise for a bottom', () => {
    // Batches of a trained network: the same loss but for chance, until the rate is too high.
    const rng = createRng(6);
    let [sum, weight] = [0, 0];
    const noisy = curve((x) => 0.14 + rng.normal(0, 0.04) + Math.max(0, x + 1.5)).map((point) => {
      [sum, weight] = [0.95 * sum + 0.05 * point.loss, 0.95 * weight + 0.05];
      return { ...point, smoothed: sum / weight };
    });
    const { steepest, lowest } = readCurve(noisy);
    expect(steepest).toBeNull();
    expect(lowest).toBeGreaterThan(1e-2);
    expect(lowest).toBeLessThan(1);
  });

  it('refuses to read what has run away at once', () => {
    expect(() => readCurve(curve(() => 1).slice(0, 11))).toThrow(
      expect.objectContaining({ code: 'TRAIN_DIVERGED' }),
    );
  });
});

describe('findLearningRate', () => {
  const sweep: RateSweep = { from: 1e-5, to: 100, steps: 70 };

  it('sweeps exponentially until the loss runs away, and suggests a rate that trains', async () => {
    const backend = await loadBackend('tensorflow');
    const compute = localCompute(backend);
    const before = backend.tf.memory().numTensors;
    const model = toyModel();
    const steps: number[] = [];
    const curve = await findLearningRate(
      model,
      dataset,
      options,
      { ...silentContext, progress: ({ done }) => void steps.push(done) },
      { compute, sweep },
    );
    expect(backend.tf.memory().numTensors).toBe(before);
    const { points, suggestion, lowest } = curve;
    expect(steps).toEqual(points.map((_, i) => i + 1));
    expect(points[0]!.learningRate).toBeCloseTo(1e-5, 12);
    points
      .slice(1)
      .forEach(({ learningRate }, i) =>
        expect(learningRate / points[i]!.learningRate).toBeCloseTo(1e7 ** (1 / 69), 6),
      );
    expect(points.length).toBeLessThan(70);
    // The smoothed loss by its definition.
    let [sum, weight] = [0, 0];
    for (const { loss, smoothed } of points) {
      [sum, weight] = [0.95 * sum + 0.05 * loss, 0.95 * weight + 0.05];
      expect(smoothed).toBeCloseTo(sum / weight, 10);
    }
    expect(suggestion).toBe(lowest / 10);
    expect(lowest).toBeGreaterThan(1e-3);
    const optimizer = { ...options.optimizer, learningRate: suggestion };
    const run = { ...options, optimizer };
    const { history } = await train(model, dataset, run, silentContext, {}, { compute });
    expect(history.at(-1)!.trainLoss).toBeLessThan(history[0]!.trainLoss);
  });

  it('stops when it is cancelled', async () => {
    const controller = new AbortController();
    const cancelled = new AppError('CANCELLED', 'Stopped.', 'Start again.');
    const context = {
      ...silentContext,
      signal: controller.signal,
      progress: ({ done }: { done: number }) => {
        if (done === 3) controller.abort(cancelled);
      },
    };
    await expect(findLearningRate(toyModel(), dataset, options, context)).rejects.toBe(cancelled);
  });
});
