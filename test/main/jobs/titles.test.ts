import { describe, expect, it } from 'vitest';
import { defaultPruneOptions } from '../../../src-main/engine/prune';
import { defaultSensitivityOptions } from '../../../src-main/engine/prune/sensitivity';
import type { PruneOptions } from '../../../src-main/engine/prune/types';
import { titleFor, type Names } from '../../../src-main/jobs/titles';
import type { JobRequest, TrainRequest } from '../../../src-main/jobs/types';

const names = {
  versions: [{ id: 'v-1', name: 'sample' }],
  datasets: [{ id: 'd-1', name: 'fashion' }],
} as unknown as Names;

const prune = (options: Partial<PruneOptions>): JobRequest => ({
  kind: 'prune',
  version: 'v-1',
  options: { ...defaultPruneOptions, ...options },
  steps: 1,
  data: null,
  recalibrate: false,
  fineTune: null,
  measure: false,
  name: null,
});

const train = (epochs: number, init: TrainRequest['init']): JobRequest =>
  ({ kind: 'train', version: 'v-1', data: 'd-1', options: { epochs }, init }) as JobRequest;

const requests: [JobRequest, string][] = [
  [prune({ target: { macs: 0.5 } }), 'Prune sample to 50 % of MACs'],
  [
    prune({ target: { macs: 0.333, params: 0.4, bytes: 500_000 } }),
    'Prune sample to 33.3 % of MACs and 40 % of parameters and 500 kB',
  ],
  [prune({ target: { latency: 0.6 } }), 'Prune sample to 60 % of latency'],
  [prune({ target: { latencyMs: 1.5 } }), 'Prune sample to 1.5 ms'],
  [prune({ target: { bytes: 2000, precision: 'int8' } }), 'Prune sample to 2 kB as int8'],
  [prune({ target: { ratio: 0.25 } }), 'Prune sample by 25 % of channels'],
  [prune({ target: {}, table: { conv: 0.5 } }), 'Prune sample layer by layer'],
  [train(1, 'weights'), 'Fine-tune sample for 1 epoch'],
  [
    train(40, { budget: 'b', originalEpochs: 20, gamma: 1 }),
    'Train sample from scratch for 40 epochs (Scratch-B)',
  ],
  [
    {
      kind: 'recalibrate',
      version: 'v-1',
      data: 'd-1',
      options: { batches: 20, batchSize: 128, seed: 0 },
      name: null,
    },
    'Recalibrate sample on fashion',
  ],
  [
    { kind: 'evaluate', versions: ['v-1'], data: 'd-1', split: 'test' },
    'Evaluate sample on fashion',
  ],
  [
    {
      kind: 'sensitivity',
      version: 'v-1',
      data: 'd-1',
      options: defaultSensitivityOptions,
    },
    'Sensitivity of sample on fashion',
  ],
  [
    { kind: 'measure', versions: ['v-1', 'v-2'], runtime: 'litert', threads: 1, runs: 1 },
    'Measure 2 versions with litert',
  ],
  [
    {
      kind: 'export',
      version: 'v-1',
      format: 'tflite',
      precision: 'fp32',
      data: null,
      folder: null,
    },
    'Export sample as TensorFlow Lite',
  ],
  [
    {
      kind: 'zoo',
      architecture: 'resnet20',
      inputShape: null,
      classes: null,
      seed: 1,
      name: 'mine',
    },
    'New resnet20 as mine',
  ],
  [{ kind: 'import', path: '/x/y/model.json', name: null } as JobRequest, 'Import model.json'],
  [{ kind: 'import', path: 'C:\\x\\model.json', name: null } as JobRequest, 'Import model.json'],
  [{ kind: 'add-data', path: '/x/photos/', name: null } as JobRequest, 'Attach photos'],
  [{ kind: 'add-data', path: '/x/photos', name: 'cats' } as JobRequest, 'Attach cats'],
];

describe('titleFor', () => {
  it.each(requests)('says what %j does', (request, title) => {
    expect(titleFor(request, names)).toBe(title);
  });

  it('falls back to the id of what is gone', () => {
    const request = { kind: 'export', version: 'v-9', format: 'tflite' } as JobRequest;
    expect(titleFor(request, names)).toBe('Export v-9 as TensorFlow Lite');
  });
});
