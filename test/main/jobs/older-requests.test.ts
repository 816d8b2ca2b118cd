import { describe, expect, it } from 'vitest';
import { defaultPruneOptions } from '../../../src-main/engine/prune';
import { fineTuneDefaults } from '../../../src-main/engine/train/defaults';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import { asToday, optionsToday } from '../../../src-main/jobs/older-requests';
import type { JobRequest } from '../../../src-main/jobs/types';

/** Options as they were stored before there were more. */
const old = {
  epochs: 7,
  batchSize: 32,
  seed: 4,
  optimizer: {
    kind: 'sgd',
    learningRate: 0.02,
    momentum: 0.8,
    nesterov: false,
    weightDecay: 0,
    decayAll: true,
  },
  schedule: { kind: 'constant' },
  augment: { flip: false, padCrop: 0 },
  gammaSparsity: 0,
  samplesPerEpoch: 50,
  keepBest: false,
} as unknown as TrainOptions;

const today: TrainOptions = {
  ...old,
  schedule: { kind: 'constant', warmupEpochs: 0 },
  valueLoss: 'mse',
  labelSmoothing: 0,
  mixup: 0,
  clipNorm: null,
  ema: null,
  patience: null,
  distill: null,
};

const train: JobRequest = {
  kind: 'train',
  version: 'v',
  data: 'd',
  options: old,
  init: 'weights',
  measure: false,
  name: null,
};

const prune: JobRequest = {
  kind: 'prune',
  version: 'v',
  options: defaultPruneOptions,
  steps: 1,
  data: 'd',
  recalibrate: false,
  fineTune: old,
  measure: false,
  name: null,
};

describe('asToday', () => {
  it('switches off what an older request did not know', () => {
    expect(asToday(train)).toEqual({ ...train, options: today });
    expect(asToday(prune)).toEqual({ ...prune, fineTune: today });
  });

  it('takes a training from scratch for one with the epochs that it was given', () => {
    const scratch = { ...train, init: 'scratch' } as unknown as JobRequest;
    const start = { budget: 'e', originalEpochs: 7, gamma: 1 };
    expect(asToday(scratch)).toEqual({ ...train, options: today, init: start });
    expect(optionsToday(scratch)).toEqual(asToday(scratch));
  });

  it('gives no hints where a teacher had only its answers', () => {
    const taught = { ...old, distill: { temperature: 3, alpha: 0.2 } } as unknown as TrainOptions;
    const distill = { temperature: 3, alpha: 0.2, hints: 0 };
    expect(asToday({ ...train, options: taught })).toEqual({
      ...train,
      options: { ...today, distill },
    });
  });

  it('completes the training before a cut as well', () => {
    const request = { ...prune, sparsify: old } as JobRequest;
    expect(asToday(request)).toEqual({ ...prune, fineTune: today, sparsify: today });
  });

  it('leaves options of a version that are no request', () => {
    const options = { batches: 20, batchSize: 128, seed: 0, data: 'd' };
    expect(optionsToday(options)).toBe(options);
    expect(optionsToday(null)).toBeNull();
  });

  it('leaves a request of today, and one that trains nothing', () => {
    const now: JobRequest = { ...train, options: { ...fineTuneDefaults(3), mixup: 0.2 } };
    expect(asToday(now)).toEqual(now);
    expect(asToday({ ...prune, fineTune: null })).toEqual({ ...prune, fineTune: null });
  });
});
