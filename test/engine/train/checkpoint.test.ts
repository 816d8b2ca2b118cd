import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src-main/engine/errors';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type TrainCheckpoint,
} from '../../../src-main/engine/train/checkpoint';
import { toyModel } from './toy';

const record = {
  epoch: 1,
  learningRate: 0.1,
  trainLoss: 1.5,
  trainAccuracy: 0.4,
  valLoss: 1.4,
  valAccuracy: 0.5,
  imagesPerSecond: 100,
};

const checkpoint: TrainCheckpoint = {
  backend: 'webgpu',
  model: toyModel(),
  best: { epoch: 1, model: toyModel({ seed: 2 }) },
  last: null,
  within: {
    step: 3,
    seconds: 1.5,
    total: { loss: 4, score: 2, samples: 96 },
    recent: { loss: 1, score: 1, samples: 32 },
  },
  points: 7,
  average: { graph: toyModel({ seed: 3 }).graph, updates: 12 },
  optimizer: {
    steps: 12,
    slots: new Map([
      ['stem/kernel', [Float32Array.of(1, -2, 0.5), Float32Array.of(3, 4, 5)]],
      ['classes/bias', [Float32Array.of(0.25), Float32Array.of(-1)]],
    ]),
  },
  watch: { reference: 1.4, sum: 0.3, weight: 0.1 },
  loader: { epoch: 2, position: 0, order: [1, 2, 3, 4], augmentation: [5, 6, 7, 8] },
  dropout: [9, 10, 11, 12],
  mixup: [13, 14, 15, 16],
  history: [record],
};

describe('checkpoint', () => {
  it('is read as it was written', () => {
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
    const bare = { ...checkpoint, best: null, within: null, average: null };
    expect(decodeCheckpoint(encodeCheckpoint(bare))).toEqual(bare);
    const last = { epoch: 1, model: toyModel({ seed: 4 }) };
    const plain = { ...checkpoint, best: null, last };
    expect(decodeCheckpoint(encodeCheckpoint(plain))).toEqual(plain);
  });

  it('is read from any place in memory', () => {
    const bytes = encodeCheckpoint(checkpoint);
    const shifted = new Uint8Array(bytes.length + 3).subarray(3);
    shifted.set(bytes);
    expect(decodeCheckpoint(shifted)).toEqual(checkpoint);
  });

  it('is refused when it is cut short or something else', () => {
    const bytes = encodeCheckpoint(checkpoint);
    const damaged = [
      new Uint8Array(0),
      new Uint8Array(100),
      ...Array.from({ length: 8 }, (_, i) =>
        bytes.subarray(0, Math.floor((bytes.length * i) / 8) + 9),
      ),
    ];
    for (const part of damaged) expect(() => decodeCheckpoint(part)).toThrow(AppError);
  });
});
