import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import { decodeModel } from '../../../src-main/engine/graph/serialize';
import type { Model } from '../../../src-main/engine/graph/types';
import { defaultPruneOptions } from '../../../src-main/engine/prune';
import type { PruneOptions } from '../../../src-main/engine/prune/types';
import { fineTuneDefaults } from '../../../src-main/engine/train/defaults';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import type { PruneRequest } from '../../../src-main/jobs/types';
import { suggestedPruneName } from '../../../src-main/jobs/work/prune';
import { buildZoo } from '../../../src-main/engine/zoo';
import { toyClasses, toyModel } from '../../engine/train/toy';
import { errorOf } from '../support';
import { addModel, cancellation, run, toyProject, type Toy } from './support';

const shortTraining: TrainOptions = {
  ...fineTuneDefaults(2),
  batchSize: 16,
  augment: { flip: false, padCrop: 0 },
};

const pruneOf = ({ version }: Toy, changes: Partial<PruneRequest> = {}): PruneRequest => ({
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

/** A convolution and a dense layer, without batch norm. */
function plainModel(): Model {
  const b = new GraphBuilder('plain', { rng: createRng(1) });
  const conv = b.conv2d(b.input('image', [8, 8, 3]), { kernelSize: 3, filters: 6 });
  b.output(b.dense(b.flatten(b.activation(conv, 'relu')), { units: toyClasses }));
  return { ...toyModel(), graph: b.build() };
}

describe('pruning as a job', () => {
  it('makes a version of the cut, with its proof and a reason for each layer', async () => {
    const toy = await toyProject();
    await run(toy.project, pruneOf(toy));
    const [parent, made] = await toy.project.versions();
    expect(made).toMatchObject({
      name: 'toy-l1-macs50',
      parent: toy.version,
      operation: 'prune',
      accuracy: null,
      equivalence: { passed: true },
    });
    expect(made!.macs).toBeLessThanOrEqual(parent!.macs / 2);
    expect(made!.equivalence!.maxAbsDiff).toBeLessThanOrEqual(1e-5);
    const { layerReports } = await toy.project.versionRow(made!.id);
    expect(layerReports?.map(({ name }) => name)).toEqual(['stem', 'block', 'classes']);
    expect(layerReports?.every(({ reason }) => reason.endsWith('.'))).toBe(true);
  });

  it('keeps raw, recalibrated and fine-tuned states apart, each with an accuracy of its own', async () => {
    const toy = await toyProject();
    const { data, project } = toy;
    const { log } = await run(
      project,
      pruneOf(toy, { data, recalibrate: true, fineTune: shortTraining, name: 'slim' }),
    );
    const [, ...made] = await project.versions();
    expect(made.map(({ name, operation }) => [name, operation])).toEqual([
      ['slim', 'prune'],
      ['slim-recalibrated', 'recalibrate'],
      ['slim-tuned', 'train'],
    ]);
    expect(made.map(({ parent }) => parent)).toEqual([toy.version, made[0]!.id, made[1]!.id]);
    const losses: number[] = [];
    for (const { id } of made) {
      const evaluations = await project.evaluations(id);
      expect(evaluations.map(({ accuracy }) => accuracy.split)).toEqual(['test']);
      losses.push(evaluations[0]!.accuracy.loss);
    }
    // Three networks, not one evaluated three times; and training helps.
    expect(new Set(losses).size).toBe(3);
    expect(losses[2]).toBeLessThan(losses[0]!);
    expect(log).toEqual([
      expect.stringMatching(/^Training on /),
      expect.stringMatching(/^Epoch 1 of 2: loss [\d.]+, training [\d.]+ %, validation /),
      expect.stringMatching(/^Epoch 2 of 2: /),
    ]);
    expect((await project.versionRow(made[2]!.id)).history).toHaveLength(2);
    // Each can be made again by itself.
    const optionsOf = async (id: string): Promise<unknown> =>
      (await project.versionRow(id)).options;
    expect(await optionsOf(made[1]!.id)).toMatchObject({
      kind: 'recalibrate',
      version: made[0]!.id,
      options: { batches: 20, batchSize: 128 },
    });
    expect(await optionsOf(made[2]!.id)).toMatchObject({
      kind: 'train',
      version: made[1]!.id,
      options: shortTraining,
      init: 'weights',
    });
  });

  it('reaches the target in steps and recovers after each', async () => {
    const toy = await toyProject();
    const { data, project } = toy;
    const fineTune = { ...shortTraining, epochs: 1 };
    await run(project, pruneOf(toy, { data, fineTune, steps: 2, name: 'slim' }));
    const [parent, ...made] = await project.versions();
    expect(made.map(({ name }) => name)).toEqual([
      'slim-step1',
      'slim-step1-tuned',
      'slim',
      'slim-tuned',
    ]);
    expect(made.every(({ accuracy }) => accuracy !== null)).toBe(true);
    expect(made[0]!.macs).toBeGreaterThan(parent!.macs / 2);
    expect(made[0]!.macs).toBeLessThanOrEqual(parent!.macs * 0.75);
    expect(made[3]!.macs).toBeLessThanOrEqual(parent!.macs / 2);
  });

  it('measures where it started and where it ended', async () => {
    const toy = await toyProject();
    await run(toy.project, pruneOf(toy, { steps: 2, measure: true }));
    const measured = (await toy.project.versions()).map(({ latency }) => latency.length);
    expect(measured).toEqual([1, 0, 1]);
  });

  it('does not recalibrate what has no batch norm, and says so', async () => {
    const toy = await toyProject();
    const { data, project } = toy;
    const version = await addModel(project, plainModel(), 'plain');
    const { log } = await run(
      project,
      pruneOf(toy, { version, data, recalibrate: true, name: 'thin' }),
    );
    expect(log).toEqual(['thin has no batch norm: there is nothing to recalibrate.']);
    expect((await project.versions()).map(({ name }) => name)).toEqual(['toy', 'plain', 'thin']);
  });

  it('counts the validation of an epoch as training', async () => {
    const toy = await toyProject();
    const { progress } = await run(
      toy.project,
      pruneOf(toy, { data: toy.data, fineTune: shortTraining }),
    );
    const phases = progress
      .map(({ phase }) => phase)
      .join(' ')
      .replace(/(\w+)( \1)+/g, '$1');
    expect(phases).toBe('planning pruning checking writing evaluating training writing evaluating');
    expect(progress.map(({ label }) => label)).toContain('Epoch 1 of 2: validating');
    const training = progress.filter(({ phase }) => phase === 'training');
    expect(training.map(({ done }) => done)).toEqual(
      training.map(({ done }) => done).sort((a, b) => a - b),
    );
  });

  it('keeps the cut and nothing of the training when it is cancelled there', async () => {
    const toy = await toyProject();
    const { data, project } = toy;
    const cancelled = run(project, pruneOf(toy, { data, fineTune: shortTraining }), {
      cancelAt: ({ label }) => label === 'Epoch 2 of 2',
    });
    await expect(cancelled).rejects.toBe(cancellation);
    expect((await project.versions()).map(({ operation }) => operation)).toEqual([
      'import',
      'prune',
    ]);
  });

  it.each(['planning', 'pruning', 'checking', 'writing'] as const)(
    'makes nothing when it is cancelled while %s',
    async (phase) => {
      const toy = await toyProject();
      const cancelled = run(toy.project, pruneOf(toy), { cancelAt: (now) => now.phase === phase });
      await expect(cancelled).rejects.toBe(cancellation);
      expect(await toy.project.versions()).toHaveLength(1);
    },
  );

  it('refuses before it cuts when the data does not fit, or recovery has none', async () => {
    const toy = await toyProject();
    const { data, project } = toy;
    const other = buildZoo('lenet5', { seed: 1, inputShape: [12, 12, 3], classes: 4 });
    const version = await addModel(project, other, 'larger');
    await errorOf(run(project, pruneOf(toy, { version, data })), 'DATA_MISMATCH');
    await errorOf(run(project, pruneOf(toy, { recalibrate: true })), 'INVALID_ARGUMENT');
    await errorOf(run(project, pruneOf(toy, { fineTune: shortTraining })), 'INVALID_ARGUMENT');
    expect(await project.versions()).toHaveLength(2);
  });

  it('makes nothing of a target that cannot be reached', async () => {
    const toy = await toyProject();
    const options = { ...defaultPruneOptions, target: { macs: 0.001 } };
    const error = await errorOf(
      run(toy.project, pruneOf(toy, { options })),
      'PRUNE_TARGET_UNREACHABLE',
    );
    expect(error.hint).not.toBe('');
    expect(await toy.project.versions()).toHaveLength(1);
  });
});

describe('passes of Network Slimming', () => {
  const sparsify: TrainOptions = {
    ...shortTraining,
    epochs: 4,
    gammaSparsity: 1,
    keepBest: false,
  };
  const options: PruneOptions = {
    ...defaultPruneOptions,
    ...{ criterion: 'bn', target: { ratio: 0.5 } },
  };

  /** The sum of |gamma| over all batch norms. */
  async function gammaSum({ project }: Toy, id: string): Promise<number> {
    const { graph } = decodeModel(await readFile((await project.versionSource(id)).file));
    const gammas = [...graph.weights].filter(([name]) => name.endsWith('/gamma'));
    return gammas.flatMap(([, { data }]) => [...data]).reduce((sum, g) => sum + Math.abs(g), 0);
  }

  it('train with sparsity, cut and fine-tune, each a version of its own', async () => {
    const toy = await toyProject();
    const { project, data } = toy;
    const request = pruneOf(toy, { data, options, sparsify, fineTune: shortTraining, steps: 2 });
    await run(project, request);
    const made = (await project.versions()).slice(1);
    expect(made.map(({ name, operation }) => [name, operation])).toEqual([
      ['toy-bn-ratio50-step1-sparse', 'train'],
      ['toy-bn-ratio50-step1', 'prune'],
      ['toy-bn-ratio50-step1-tuned', 'train'],
      ['toy-bn-ratio50-sparse', 'train'],
      ['toy-bn-ratio50', 'prune'],
      ['toy-bn-ratio50-tuned', 'train'],
    ]);
    made.forEach(({ parent, accuracy }, i) => {
      expect(parent).toBe(i === 0 ? toy.version : made[i - 1]!.id);
      expect(accuracy).not.toBeNull();
    });
    expect(await gammaSum(toy, made[0]!.id)).toBeLessThan(0.7 * (await gammaSum(toy, toy.version)));
    expect((await project.versionRow(made[0]!.id)).history).toHaveLength(4);
    // The fine-tuned first pass is its recovery; what the second was cut from is not.
    const { recoveries } = await project.state();
    expect(recoveries.map(({ stages }) => stages.map(({ versions }) => versions))).toEqual([
      [[made[1]!.id], [made[2]!.id]],
      [[made[4]!.id], [made[5]!.id]],
    ]);
  });

  it('need images', async () => {
    const toy = await toyProject();
    await errorOf(run(toy.project, pruneOf(toy, { options, sparsify })), 'INVALID_ARGUMENT');
  });
});

describe('a criterion that is measured', () => {
  it.each(['taylor', 'activation', 'apoz'] as const)(
    '%s ranks on the training images',
    async (criterion) => {
      const toy = await toyProject();
      const options = { ...defaultPruneOptions, criterion, images: 48 };
      const { data, project } = toy;
      const { progress } = await run(project, pruneOf(toy, { data, options }));
      expect(
        progress.filter(({ label }) => label === 'Measuring channels on 48 images').at(-1),
      ).toMatchObject({ phase: 'planning', done: 48, total: 48 });
      const [, made] = await project.versions();
      expect(made).toMatchObject({
        name: `toy-${criterion}-macs50`,
        equivalence: { passed: true },
      });
    },
  );

  it('makes nothing without data, and nothing when it is cancelled while measuring', async () => {
    const toy = await toyProject();
    const { data, project } = toy;
    const options = { ...defaultPruneOptions, criterion: 'taylor' } as const;
    const { hint } = await errorOf(run(project, pruneOf(toy, { options })), 'INVALID_ARGUMENT');
    expect(hint).toContain('data set');
    const cancelled = run(project, pruneOf(toy, { data, options }), {
      cancelAt: ({ label }) => label.startsWith('Measuring'),
    });
    await expect(cancelled).rejects.toBe(cancellation);
    expect(await project.versions()).toHaveLength(1);
  });
});

describe('a limit on latency', () => {
  it('is measured beside the parent, and told candidate by candidate', async () => {
    const toy = await toyProject();
    const version = await addModel(
      toy.project,
      buildZoo('resnet20-cifar-b', { seed: 1 }),
      'resnet',
    );
    const options = { ...defaultPruneOptions, target: { latency: 0.7 } };
    const { log, progress } = await run(toy.project, pruneOf(toy, { version, options }));
    const made = (await toy.project.versions()).at(-1)!;
    expect(made.name).toBe('resnet-l1-latency70');
    expect(log.at(-1)).toMatch(/^\d+ % of MACs: \d\.\d\d ms, \d+\.\d % of the original\.$/);
    expect(Number(/, ([\d.]+) % of the original/.exec(log.at(-1)!)![1])).toBeLessThanOrEqual(70);
    expect(progress.some(({ label }) => label.startsWith('Candidate 2: '))).toBe(true);
  });

  it('says how far one can go, and makes nothing', async () => {
    const toy = await toyProject();
    const options = { ...defaultPruneOptions, maxRatio: 0.1, target: { latency: 0.01 } };
    const error = await errorOf(
      run(toy.project, pruneOf(toy, { options })),
      'PRUNE_TARGET_UNREACHABLE',
    );
    expect(error.message).toMatch(/can go down to \d+\.\d\d ms/);
    expect(await toy.project.versions()).toHaveLength(1);
  });
});

describe('the schedule of steps', () => {
  it('is that of the request', async () => {
    const shares = async (schedule: 'linear' | 'cubic'): Promise<number[]> => {
      const toy = await toyProject();
      await run(toy.project, pruneOf(toy, { steps: 3, schedule }));
      const [parent, ...made] = await toy.project.versions();
      return made.map(({ macs }) => macs / parent!.macs);
    };
    const linear = await shares('linear');
    const cubic = await shares('cubic');
    [5 / 6, 4 / 6, 1 / 2].forEach((share, i) => expect(linear[i]).toBeLessThanOrEqual(share));
    expect(linear[0]).toBeGreaterThan(0.65);
    // 1 - (1 - 1/3)^3 of the cut is 19 of 27.
    expect(cubic[0]).toBeLessThanOrEqual(1 - 19 / 54);
    expect(cubic[2]).toBe(linear[2]);
  });
});

describe('the suggested name of a cut', () => {
  it.each([
    [{ macs: 0.5 }, undefined, 'net-l1-macs50'],
    [{ ratio: 0.125, params: 0.3 }, undefined, 'net-l1-ratio12.5-params30'],
    [{ bytes: 500_000 }, undefined, 'net-l1-500kB'],
    [{ bytes: 500_000, precision: 'int8' }, undefined, 'net-l1-500kBint8'],
    [{ latency: 0.6 }, undefined, 'net-l1-latency60'],
    [{ latencyMs: 1.5 }, undefined, 'net-l1-1.5ms'],
    [{}, { conv: 0.5 }, 'net-l1-table'],
  ] as const)('tells of %j %j', (target, table, name) => {
    const options = { ...defaultPruneOptions, target, ...(table ? { table } : {}) };
    expect(suggestedPruneName('net', options)).toBe(name);
  });
});
