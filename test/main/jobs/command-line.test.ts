import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { beforeEach, describe, expect, it } from 'vitest';
import { addEvaluate, addMeasure } from '../../../src-main/cli/commands/examine';
import { addExport } from '../../../src-main/cli/commands/export';
import { addJob } from '../../../src-main/cli/commands/job';
import { addData, addImport } from '../../../src-main/cli/commands/project';
import { addPrune } from '../../../src-main/cli/commands/prune';
import { addRecalibrate } from '../../../src-main/cli/commands/recalibrate';
import { addSensitivity } from '../../../src-main/cli/commands/sensitivity';
import { addTrain } from '../../../src-main/cli/commands/train';
import { createOutput } from '../../../src-main/cli/output';
import { defaultDecodeOptions } from '../../../src-main/engine/data/defaults';
import { defaultPruneOptions } from '../../../src-main/engine/prune';
import { defaultSensitivityOptions } from '../../../src-main/engine/prune/sensitivity';
import {
  fineTuneDefaults,
  fullTrainingDefaults,
  optimizerDefaults,
  scheduleDefaults,
  slimmingSparsity,
} from '../../../src-main/engine/train/defaults';
import type { ScratchBudget, ScratchStart } from '../../../src-main/engine/train/scratch';
import { commandFor, quote } from '../../../src-main/jobs/command-line';
import type { JobRequest, PruneRequest, TrainRequest } from '../../../src-main/jobs/types';
import type { Project } from '../../../src-main/project/project';
import { addDataset, addVersion, newProject } from '../support';

describe('commandFor', () => {
  let project: Project;
  let version: string;
  let other: string;
  let cut: string;
  let data: string;
  let angles: string;

  beforeEach(async () => {
    project = await newProject();
    version = await addVersion(project, { suggestedName: "it's a sample" });
    other = await addVersion(project, { suggestedName: 'other' });
    cut = await addVersion(project, {
      suggestedName: 'slim',
      operation: 'prune',
      parent: version,
      cost: { params: 500, macs: 1_500_000_000, weightBytes: 2000, activationBytes: 500 },
    });
    data = await addDataset(project, 'digits');
    angles = await addDataset(project, 'angles', 'values');
  });

  /** The request that the real command line makes of a line, with the words as a real shell splits them. */
  async function requestOf(line: string): Promise<JobRequest | undefined> {
    const shell = `for word in ${line.replace(/^secateur /, '')}; do printf '%s\\0' "$word"; done`;
    const words = execFileSync('sh', ['-c', shell], { encoding: 'utf8' }).split('\0').slice(0, -1);
    let made: JobRequest | undefined;
    const program = new Command();
    const stopped = new Error('The request is known.');
    for (const add of [
      addData,
      addEvaluate,
      addExport,
      addImport,
      addJob,
      addMeasure,
      addPrune,
      addRecalibrate,
      addSensitivity,
      addTrain,
    ]) {
      add(program, {
        output: createOutput(true),
        withProject: (folder, use) => {
          expect(folder).toBe(project.folder);
          return use(project);
        },
        withNewProject: () => expect.unreachable(),
        ask: () => expect.unreachable(),
        run: (_, request) => {
          made = request;
          throw stopped;
        },
        resume: () => expect.unreachable(),
      });
    }
    program.exitOverride();
    await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => {
      if (error !== stopped) throw error;
    });
    return made;
  }

  const line = async (request: JobRequest): Promise<string> =>
    commandFor(request, await project.state());

  const prune = (changes: Partial<PruneRequest> = {}): PruneRequest => ({
    kind: 'prune',
    version,
    options: defaultPruneOptions,
    steps: 1,
    data: null,
    recalibrate: false,
    fineTune: null,
    measure: false,
    name: null,
    ...changes,
  });

  const train = (changes: Partial<TrainRequest> = {}): TrainRequest => ({
    kind: 'train',
    version,
    data,
    options: fineTuneDefaults(3),
    init: 'weights',
    measure: false,
    name: null,
    ...changes,
  });

  const scratch = (budget: ScratchBudget, originalEpochs: number): ScratchStart => ({
    budget,
    originalEpochs,
    gamma: 1,
  });

  it('leaves out what stands at its default, and quotes', async () => {
    const { folder } = project;
    expect(await line(prune())).toBe(
      `secateur prune ${folder} 'it'\\''s a sample' --method l1 --macs 0.5`,
    );
    expect(await line(train({ version: other }))).toBe(
      `secateur train ${folder} other --data digits --epochs 3`,
    );
    expect(commandFor(prune(), await project.state(), 'npm run cli --')).toMatch(
      /^npm run cli -- prune /,
    );
  });

  /** Requests that have flags for all that they ask, and those that have not. */
  const requests: [string, boolean, () => JobRequest][] = [
    ['a plain cut', true, () => prune()],
    [
      'a cut with every option',
      true,
      () =>
        prune({
          options: {
            ...defaultPruneOptions,
            criterion: 'taylor',
            images: 256,
            target: {
              ratio: 0.3,
              macs: 0.6,
              params: 0.7,
              bytes: 500_000,
              precision: 'int8',
              latency: 0.6,
            },
            ceilings: { conv_1: 0.5, 'block 2/conv': 0 },
            scope: 'layer',
            reduction: 'max',
            normalisation: 'standardise',
            align: 8,
            minChannels: 4,
            maxRatio: 0.75,
            protect: ['conv_1', 'block 2/conv'],
            trunk: 'select',
            grouped: 'groups',
            seed: 5,
          },
          steps: 3,
          schedule: 'cubic',
          data,
          recalibrate: true,
          fineTune: { ...fineTuneDefaults(2), seed: 5 },
          measure: true,
          name: 'small one',
        }),
    ],
    ['a cut with fine-tuning', true, () => prune({ data, fineTune: fineTuneDefaults(3) })],
    [
      'milliseconds',
      true,
      () => prune({ options: { ...defaultPruneOptions, target: { latencyMs: 1.5 } } }),
    ],
    [
      'two limits on latency',
      false,
      () =>
        prune({ options: { ...defaultPruneOptions, target: { latency: 0.5, latencyMs: 1.5 } } }),
    ],
    [
      'a ceiling of a layer with a sign in its name',
      false,
      () => prune({ options: { ...defaultPruneOptions, ceilings: { 'a=b': 0.5 } } }),
    ],
    ['two seeds', false, () => prune({ data, fineTune: { ...fineTuneDefaults(3), seed: 9 } })],
    [
      'a cut with a training of its own kind and the original as teacher',
      true,
      () =>
        prune({
          data,
          fineTune: {
            ...fineTuneDefaults(3),
            optimizer: { ...fineTuneDefaults(3).optimizer, learningRate: 0.002 },
            schedule: { ...scheduleDefaults.constant, warmupEpochs: 1 },
            labelSmoothing: 0.05,
            distill: { temperature: 4, alpha: 0.1, hints: 0 },
          },
          teacher: version,
        }),
    ],
    [
      'passes of Network Slimming, with controls',
      true,
      () => {
        const tuned = { ...fineTuneDefaults(4), batchSize: 64, seed: 3 };
        return prune({
          options: {
            ...defaultPruneOptions,
            ...{ criterion: 'bn', target: { ratio: 0.4 }, seed: 3 },
          },
          steps: 2,
          data,
          fineTune: tuned,
          sparsify: { ...tuned, epochs: 9, gammaSparsity: 0.01, keepBest: false },
          controls: { budgets: ['e', 'b'], originalEpochs: 30, seeds: 2 },
        });
      },
    ],
    [
      'a training with sparsity and no fine-tuning',
      true,
      () =>
        prune({
          data,
          sparsify: { ...fineTuneDefaults(5), gammaSparsity: slimmingSparsity, keepBest: false },
        }),
    ],
    [
      'a training with sparsity unlike the fine-tuning',
      false,
      () =>
        prune({
          data,
          fineTune: fineTuneDefaults(2),
          sparsify: { ...fineTuneDefaults(5), batchSize: 32, gammaSparsity: 1, keepBest: false },
        }),
    ],
    [
      'a penalty before the cut and behind it',
      false,
      () =>
        prune({
          data,
          fineTune: { ...fineTuneDefaults(2), gammaSparsity: 1e-5 },
          sparsify: { ...fineTuneDefaults(5), gammaSparsity: 1e-4, keepBest: false },
        }),
    ],
    [
      'a layer with a comma in its name',
      false,
      () => prune({ options: { ...defaultPruneOptions, protect: ['a,b'] } }),
    ],
    [
      'a table of layers',
      false,
      () => prune({ options: { ...defaultPruneOptions, target: {}, table: { conv: 0.5 } } }),
    ],
    ['a plain training', true, () => train()],
    [
      'training from scratch',
      true,
      () => train({ options: fullTrainingDefaults(40), init: scratch('e', 40) }),
    ],
    [
      'training a cut from scratch for the computation of its original',
      true,
      () =>
        train({
          version: cut,
          // 3.8 G MACs of the original to 1.5 G of the cut.
          options: { ...fullTrainingDefaults(Math.floor((40 * 3.8) / 1.5)), seed: 2 },
          init: { ...scratch('b', 40), gamma: 0.5 },
        }),
    ],
    [
      'training from scratch for epochs that do not follow from a budget',
      false,
      () => train({ options: fullTrainingDefaults(41), init: scratch('e', 40) }),
    ],
    [
      'a recalibration',
      true,
      () => ({
        kind: 'recalibrate',
        version,
        data,
        options: { batches: 20, batchSize: 64, seed: 3 },
        name: 'fresh',
      }),
    ],
    [
      'training with every option',
      true,
      () =>
        train({
          options: {
            ...fineTuneDefaults(5),
            batchSize: 64,
            seed: 8,
            optimizer: {
              ...optimizerDefaults['fine-tune'].sgd,
              learningRate: 0.003,
              momentum: 0.8,
              weightDecay: 0,
            },
            augment: { flip: false, padCrop: 0 },
            schedule: { ...scheduleDefaults['one-cycle'], warmupEpochs: 0.3 },
            gammaSparsity: 0.0001,
            labelSmoothing: 0.1,
            mixup: 0.2,
            clipNorm: 1.5,
            ema: 0.999,
            patience: 4,
            distill: { temperature: 2, alpha: 0.3, hints: 25 },
            samplesPerEpoch: 5000,
          },
          teacher: other,
          measure: true,
          name: 'tuned',
        }),
    ],
    [
      'training on values, whose gradients are clipped',
      true,
      () => train({ data: angles, options: { ...fineTuneDefaults(3), clipNorm: 1 } }),
    ],
    [
      'training on values without clipping',
      true,
      () => train({ data: angles, options: { ...fineTuneDefaults(3), clipNorm: null } }),
    ],
    [
      'a cut with a training on values',
      true,
      () => prune({ data: angles, fineTune: { ...fineTuneDefaults(3), clipNorm: 1 } }),
    ],
    [
      'training with AdamW',
      true,
      () =>
        train({
          options: {
            ...fullTrainingDefaults(5),
            optimizer: { ...optimizerDefaults.full.adamw, learningRate: 0.002 },
            schedule: scheduleDefaults.step,
          },
          init: scratch('e', 5),
        }),
    ],
    [
      'another moment of Adam',
      false,
      () =>
        train({
          options: {
            ...fineTuneDefaults(5),
            optimizer: { ...optimizerDefaults['fine-tune'].adam, beta2: 0.99 },
          },
        }),
    ],
    [
      'a teacher of no use',
      false,
      () => train({ options: { ...fineTuneDefaults(5), distill: null }, teacher: other }),
    ],
    [
      'steps of the learning rate',
      false,
      () =>
        train({
          options: {
            ...fineTuneDefaults(5),
            schedule: { kind: 'step', warmupEpochs: 1, milestones: [0.3], factor: 0.2 },
          },
        }),
    ],
    ['an evaluation', true, () => ({ kind: 'evaluate', versions: [version], data, split: 'val' })],
    [
      'two evaluations',
      false,
      () => ({ kind: 'evaluate', versions: [version, other], data, split: 'test' }),
    ],
    [
      'a sensitivity analysis',
      true,
      () => ({ kind: 'sensitivity', version, data, options: defaultSensitivityOptions }),
    ],
    [
      'a sensitivity analysis with all of its options',
      true,
      () => ({
        kind: 'sensitivity',
        version,
        data,
        options: { criterion: 'l2', grid: [0.5, 0.25], samples: 9, recalibrate: false, seed: 3 },
      }),
    ],
    [
      'measurements',
      true,
      () => ({ kind: 'measure', versions: [version, other], runtime: 'tfjs', threads: 2, runs: 9 }),
    ],
    [
      'an export',
      true,
      () => ({
        kind: 'export',
        version,
        format: 'tflite',
        precision: 'fp32',
        data,
        folder: '/some where/$HOME',
      }),
    ],
    [
      'a data set',
      true,
      () => ({
        kind: 'add-data',
        path: '/photos; rm -rf *',
        name: 'photos',
        decode: {
          size: { height: 32, width: 48 },
          channels: 3,
          fit: 'fill',
          seed: 4,
          valFraction: 0,
          testFraction: 0.2,
          onUnreadable: 'skip',
        },
      }),
    ],
    [
      'a data set as it is',
      true,
      () => ({ kind: 'add-data', path: '/photos', name: null, decode: defaultDecodeOptions }),
    ],
    [
      'an import',
      true,
      () => ({
        kind: 'import',
        path: '/models/model.json',
        name: 'mine',
        preprocessing: { scale: 1 / 255, mean: [-0.5, 0.25, 1e-7], std: [1], channelOrder: 'bgr' },
        labels: ['T-shirt', 'Ankle boot'],
        data,
        measure: true,
      }),
    ],
    [
      'labels with commas',
      false,
      () => ({
        kind: 'import',
        path: '/models/model.json',
        name: null,
        preprocessing: null,
        labels: ['hen, rooster'],
        data: null,
        measure: false,
      }),
    ],
    [
      'a new network',
      false,
      () => ({
        kind: 'zoo',
        architecture: 'resnet20',
        inputShape: [32, 32, 3],
        classes: 10,
        seed: 1,
        name: null,
      }),
    ],
  ];

  it.each(requests)('gives a line that makes the same request: %s', async (_, hasFlags, make) => {
    const request = make();
    const command = await line(request);
    expect(await requestOf(command)).toEqual(request);
    expect(command.startsWith('secateur job ')).toBe(!hasFlags);
  });
});

describe('quote', () => {
  it.each([
    ['plain-word_1.0', 'plain-word_1.0'],
    ['two words', '"two words"'],
    ['{"a":"b\\"}', '"{\\"a\\":\\"b\\\\\\"}"'],
    ['C:\\my models\\', '"C:\\my models\\\\"'],
    ['', '""'],
  ])('writes %j for Windows as %j', (word, quoted) => {
    expect(quote(word, 'win32')).toBe(quoted);
  });
});

describe('the command job', () => {
  it.each(['{', '5', 'null', '{"kind":"measure"}', '{"kind":"export","folder":"relative"}'])(
    'refuses %j',
    async (text) => {
      const program = new Command().exitOverride();
      addJob(program, {} as never);
      await expect(
        program.parseAsync(['job', '/project', text], { from: 'user' }),
      ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    },
  );
});
