// One schema per call: what the page may say. Anything else is an INVALID_ARGUMENT and nothing happens.

import { type ZodType, z } from 'zod';

import { writers } from '../engine/formats/table';
import type { Preprocessing } from '../engine/graph/types';
import type { SensitivityOptions } from '../engine/prune/sensitivity/types';
import type { PruneOptions } from '../engine/prune/types';
import type { TrainOptions } from '../engine/train/types';
import type { Args, CallName, DropCalls, PageJobRequest } from './contract';

const none = z.strictObject({});
const id = z.string().min(1).max(64);
const name = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(120, 'must be at most 120 characters');
const share = z.number().gt(0, 'must be above 0').max(1, 'must be at most 1');
const seed = z.number().int().min(0).max(0xffffffff);
const split = z.enum(['train', 'val', 'test']);
const trashKind = z.enum(['version', 'dataset']);
const labels = z.array(z.string().max(200)).max(100_000).readonly().nullable();
const finite = z.number();

const preprocessing: ZodType<Preprocessing> = z.strictObject({
  scale: finite,
  mean: z.array(finite).min(1).max(4).readonly(),
  std: z.array(finite.positive('must be above 0')).min(1).max(4).readonly(),
  channelOrder: z.enum(['rgb', 'bgr', 'gray']),
});

const criterion = z.enum([
  'l1',
  'l2',
  'bn',
  'fpgm',
  'taylor',
  'lamp',
  'activation',
  'apoz',
  'random',
]);

const structure = {
  trunk: z.enum(['group', 'select']).exactOptional(),
  grouped: z.enum(['slots', 'groups']).exactOptional(),
};

const pruneOptions: ZodType<PruneOptions> = z.strictObject({
  criterion,
  images: z.number().int('must be a whole number').min(1).max(10_000_000).exactOptional(),
  reduction: z.enum(['mean', 'sum', 'max', 'first']),
  normalisation: z.enum(['none', 'mean', 'max', 'standardise']).exactOptional(),
  scope: z.enum(['layer', 'global', 'sensitivity']),
  target: z.strictObject({
    ratio: z.number().min(0).max(1).exactOptional(),
    macs: share.exactOptional(),
    params: share.exactOptional(),
    bytes: z.number().int().positive().exactOptional(),
    precision: z.enum(['fp32', 'fp16', 'int8']).exactOptional(),
    latency: share.exactOptional(),
    latencyMs: z.number().positive('must be above 0').exactOptional(),
  }),
  align: z.number().int().min(1).max(1024),
  minChannels: z.number().int().min(1).max(65_536),
  maxRatio: z.number().min(0).max(1),
  ceilings: z.record(z.string().max(500), z.number().min(0).max(1)).exactOptional(),
  protect: z.array(z.string().max(500)).max(10_000).readonly(),
  table: z.record(z.string(), z.number().min(0)).exactOptional(),
  ...structure,
  seed,
});

const sensitivityOptions: ZodType<SensitivityOptions> = z.strictObject({
  criterion,
  grid: z
    .array(z.number().gt(0, 'must be above 0').lt(1, 'must be below 1'))
    .min(1)
    .max(100)
    .readonly(),
  samples: z.number().int('must be a whole number').min(1, 'must be at least 1').max(10_000_000),
  recalibrate: z.boolean(),
  ...structure,
  seed,
});

const pruneSchedule = z.enum(['linear', 'cubic']);

const warmupEpochs = z.number().min(0).max(1000);

const schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), warmupEpochs }),
  z.strictObject({
    kind: z.literal('cosine'),
    warmupEpochs,
    finalFactor: z.number().min(0).max(1),
  }),
  z.strictObject({
    kind: z.literal('step'),
    warmupEpochs,
    milestones: z.array(z.number().min(0).max(1)).max(20).readonly(),
    factor: z.number().gt(0).max(1),
  }),
  z.strictObject({
    kind: z.literal('one-cycle'),
    warmupEpochs,
    riseShare: z.number().min(0).max(1),
    startFactor: z.number().min(0).max(1),
    finalFactor: z.number().min(0).max(1),
  }),
]);

const belowOne = z.number().min(0).lt(1, 'must be below 1');

const everyOptimizer = {
  learningRate: z.number().positive('must be above 0').max(100),
  weightDecay: z.number().min(0).max(1),
  decayAll: z.boolean(),
};

const optimizer = z.discriminatedUnion('kind', [
  z.strictObject({
    ...everyOptimizer,
    kind: z.literal('sgd'),
    momentum: belowOne,
    nesterov: z.boolean(),
  }),
  z.strictObject({
    ...everyOptimizer,
    kind: z.enum(['adam', 'adamw']),
    beta1: belowOne,
    beta2: belowOne,
    epsilon: z.number().positive('must be above 0').max(1),
  }),
]);

const epochs = z.number().int('must be a whole number').min(1, 'must be at least 1').max(10_000);

const gamma = z.number().positive('must be above 0').max(100);

const scratchBudget = z.enum(['e', 'b']);

const init = z.union([
  z.literal('weights'),
  z.strictObject({ budget: scratchBudget, originalEpochs: epochs, gamma }),
]);

const trainOptions: ZodType<TrainOptions> = z.strictObject({
  epochs,
  batchSize: z.number().int('must be a whole number').min(1).max(65_536),
  seed,
  optimizer,
  schedule,
  augment: z.strictObject({ flip: z.boolean(), padCrop: z.number().int().min(0).max(64) }),
  valueLoss: z.enum(['mse', 'mae']),
  gammaSparsity: z.number().min(0).max(1),
  labelSmoothing: belowOne,
  mixup: z.number().min(0).max(100),
  clipNorm: z.number().positive('must be above 0').nullable(),
  ema: belowOne.nullable(),
  patience: z.number().int('must be a whole number').min(1, 'must be at least 1').nullable(),
  distill: z
    .strictObject({
      temperature: z.number().min(1, 'must be at least 1').max(100),
      alpha: z.number().min(0).max(1),
      hints: z.number().min(0).max(100_000),
    })
    .nullable(),
  samplesPerEpoch: z.number().int().positive().nullable(),
  keepBest: z.boolean(),
});

const jobRequest: ZodType<PageJobRequest> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('import'),
    token: id,
    name: name.nullable(),
    preprocessing: preprocessing.nullable(),
    labels,
    data: id.nullable(),
    reinsertBatchNorms: z.boolean().exactOptional(),
    measure: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('zoo'),
    architecture: id,
    inputShape: z.array(z.number().int().positive().max(4096)).length(3).readonly().nullable(),
    classes: z.number().int().positive().max(100_000).nullable(),
    seed,
    gamma: gamma.exactOptional(),
    name: name.nullable(),
  }),
  z.strictObject({
    kind: z.literal('prune'),
    version: id,
    options: pruneOptions,
    steps: z.number().int().min(1).max(100),
    sparsify: trainOptions.exactOptional(),
    schedule: pruneSchedule.exactOptional(),
    data: id.nullable(),
    recalibrate: z.boolean(),
    fineTune: trainOptions.nullable(),
    teacher: id.exactOptional(),
    controls: z
      .strictObject({
        budgets: z.array(scratchBudget).min(1).max(2).readonly(),
        originalEpochs: epochs,
        seeds: z.number().int('must be a whole number').min(1, 'must be at least 1').max(20),
      })
      .exactOptional(),
    measure: z.boolean(),
    name: name.nullable(),
  }),
  z.strictObject({
    kind: z.literal('train'),
    version: id,
    data: id,
    options: trainOptions,
    teacher: id.exactOptional(),
    init,
    measure: z.boolean(),
    name: name.nullable(),
  }),
  z.strictObject({
    kind: z.literal('recalibrate'),
    version: id,
    data: id,
    options: z.strictObject({
      batches: z.number().int('must be a whole number').min(1, 'must be at least 1').max(100_000),
      batchSize: z.number().int('must be a whole number').min(1, 'must be at least 1').max(65_536),
      seed,
    }),
    name: name.nullable(),
  }),
  z.strictObject({
    kind: z.literal('evaluate'),
    versions: z.array(id).min(1).max(1000).readonly(),
    data: id,
    split,
  }),
  z.strictObject({
    kind: z.literal('measure'),
    versions: z.array(id).min(1).max(1000).readonly(),
    runtime: z.enum(['litert', 'tfjs']),
    threads: z.number().int().min(1).max(64),
    runs: z.number().int().min(1).max(100_000),
  }),
  z.strictObject({
    kind: z.literal('sensitivity'),
    version: id,
    data: id,
    options: sensitivityOptions,
  }),
  z.strictObject({
    kind: z.literal('export'),
    version: id,
    format: z.enum(writers.map(({ format }) => format)),
    precision: z.enum(['fp32', 'fp16', 'uint8', 'int8-dynamic', 'int8']),
    data: id.nullable(),
    quantize: z
      .strictObject({
        method: z.enum(['auto', 'minmax', 'percentile', 'mse']),
        io: z.enum(['int8', 'float']),
        keepFloat: z.array(z.string().min(1).max(200)).max(1000),
      })
      .exactOptional(),
    folderToken: id.nullable(),
  }),
  z.strictObject({
    kind: z.literal('add-data'),
    token: id,
    name: name.nullable(),
    decode: z.strictObject({
      size: z
        .strictObject({
          height: z.number().int().positive().max(4096),
          width: z.number().int().positive().max(4096),
        })
        .nullable(),
      channels: z.union([z.literal(1), z.literal(3)]).nullable(),
      fit: z.enum(['cover', 'fill']),
      seed,
      valFraction: z.number().min(0).max(0.9),
      testFraction: z.number().min(0).max(0.9),
      onUnreadable: z.enum(['error', 'skip']),
    }),
  }),
]);

/** A schema for every call of the contract. */
export const schemas: { readonly [N in CallName]: ZodType<Args<N>> } = {
  'app.info': none,
  'app.backend': none,
  'app.setTheme': z.strictObject({ theme: z.enum(['system', 'light', 'dark']) }),
  'app.showLog': none,
  'app.copyText': z.strictObject({ text: z.string().max(10_000_000) }),
  'app.saveText': z.strictObject({ suggestedName: name, text: z.string().max(100_000_000) }),
  'app.saveImage': z.strictObject({
    suggestedName: name,
    pngDataUrl: z.string().startsWith('data:image/png;base64,').max(100_000_000),
  }),
  'recents.list': none,
  'recents.forget': z.strictObject({ id }),
  'project.create': z.strictObject({ name }),
  'project.open': none,
  'project.openRecent': z.strictObject({ id }),
  'project.openSample': none,
  'project.current': none,
  'project.close': none,
  'project.setBaseline': z.strictObject({ version: id }),
  'project.showFolder': none,
  'import.choose': none,
  'data.choose': none,
  'data.samples': z.strictObject({
    data: id,
    split,
    count: z.number().int().min(1).max(64),
    version: id.nullable(),
  }),
  'data.decodeDefaults': none,
  'versions.detail': z.strictObject({ version: id }),
  'versions.diff': z.strictObject({ a: id, b: id }),
  'compare.results': z.strictObject({ versions: z.array(id).min(1).max(200).readonly() }),
  'compare.gammas': z.strictObject({ versions: z.array(id).min(1).max(24).readonly() }),
  'compare.flips': z.strictObject({
    a: id,
    b: id,
    data: id,
    split,
    kind: z.enum(['gained', 'lost', 'other']),
    label: z.number().int().min(0).max(1_000_000).nullable(),
    offset: z.number().int().min(0).max(100_000_000),
    count: z.number().int().min(1).max(60),
  }),
  'compare.stopFlips': none,
  'versions.rename': z.strictObject({ version: id, name }),
  'trash.put': z.strictObject({ kind: trashKind, id }),
  'trash.restore': z.strictObject({ kind: trashKind, id }),
  'prune.preview': z.strictObject({
    version: id,
    options: pruneOptions,
    steps: z.number().int().min(1).max(100),
    schedule: pruneSchedule,
    data: id.nullable(),
  }),
  'prune.stopMeasuring': none,
  'prune.defaults': none,
  'sensitivity.list': z.strictObject({ version: id }),
  'sensitivity.defaults': none,
  'train.defaults': z.strictObject({ version: id, purpose: z.enum(['fine-tune', 'full']) }),
  'train.findRate': z.strictObject({
    version: id,
    data: id,
    options: trainOptions,
    init,
    teacher: id.exactOptional(),
  }),
  'train.stopFinding': none,
  'train.scratchPlan': z.strictObject({
    version: id,
    macs: z.number().positive('must be above 0').nullable(),
    originalEpochs: epochs.nullable(),
  }),
  'train.speed': z.strictObject({ version: id, data: id, options: trainOptions }),
  'train.gammaTravel': z.strictObject({
    options: trainOptions,
    images: z.number().int().min(1).max(100_000_000),
  }),
  'recalibrate.defaults': none,
  'export.chooseFolder': none,
  'export.reveal': z.strictObject({ export: id }),
  'zoo.list': none,
  'jobs.start': z.strictObject({ request: jobRequest }),
  'jobs.cancel': z.strictObject({ job: id }),
  'jobs.pause': z.strictObject({ job: id }),
  'jobs.resume': z.strictObject({ job: id }),
  'jobs.retry': z.strictObject({ job: id }),
  'jobs.dismiss': z.strictObject({ job: id }),
  'jobs.metrics': z.strictObject({ job: id }),
  'jobs.command': z.strictObject({ request: jobRequest }),
};

/** The path of a dropped file comes from the preload, but is still only a string until looked at. */
export const dropSchema: ZodType<DropCalls['drop.inspect']['args']> = z.strictObject({
  path: z.string().min(1).max(32_768),
});
