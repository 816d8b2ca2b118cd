import { beforeEach, describe, expect, it } from 'vitest';
import { fineTuneDefaults, fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import type { ScratchStart } from '../../../src-main/engine/train/scratch';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import type { VersionDraft } from '../../../src-main/jobs/types';
import type { Project } from '../../../src-main/project/project';
import type { Operation, Recovery, VersionId } from '../../../src-main/project/types';
import { accuracyOf, addDataset, addVersion, newJob, newProject } from '../support';

describe('what became of a cut', () => {
  let project: Project;
  let data: string;
  let root: VersionId;
  let cut: VersionId;

  /** A version with an accuracy of its own on 100 test images. */
  async function add(
    operation: Operation,
    parent: VersionId | null,
    top1: number | null,
    options: unknown = {},
    on = data,
  ): Promise<VersionId> {
    const draft: Partial<VersionDraft> = { operation, parent, options };
    const version = await addVersion(project, draft);
    if (top1 === null) return version;
    const output = { type: 'evaluation', version, data: on, accuracy: accuracyOf(top1) } as const;
    await project.commit(output, await newJob(project));
    return version;
  }

  const train = (
    options: Partial<TrainOptions>,
    init: 'weights' | ScratchStart = 'weights',
  ): unknown => {
    const base = init === 'weights' ? fineTuneDefaults(3) : fullTrainingDefaults(40);
    return { kind: 'train', options: { ...base, ...options }, data, init };
  };
  const scratch = (budget: 'e' | 'b', seed: number): unknown =>
    train({ seed }, { budget, originalEpochs: 40, gamma: 1 });

  beforeEach(async () => {
    project = await newProject();
    data = await addDataset(project);
    root = await add('import', null, 0.9);
    cut = await add('prune', root, 0.2);
  });

  const recoveries = async (): Promise<readonly Recovery[]> => (await project.state()).recoveries;

  it('keeps raw, recalibrated, fine-tuned and from-scratch accuracies apart', async () => {
    const fresh = await add('recalibrate', cut, 0.6);
    const tuned = await add('train', fresh, 0.85, train({}));
    const e = await add('scratch', cut, 0.5, scratch('e', 1));
    const b = [
      await add('scratch', cut, 0.83, scratch('b', 1)),
      await add('scratch', cut, 0.87, scratch('b', 2)),
    ];
    const [recovery, ...others] = await recoveries();
    expect(others).toEqual([]);
    expect(recovery).toMatchObject({
      cut,
      original: root,
      measuredOn: { data, split: 'test', samples: 100 },
    });
    expect(recovery!.stages).toMatchObject([
      { stage: 'raw', versions: [cut], epochs: null, score: 0.2, spread: null },
      { stage: 'recalibrated', versions: [fresh], epochs: null, score: 0.6 },
      { stage: 'fine-tuned', versions: [tuned], epochs: 3, score: 0.85 },
      { stage: 'scratch-e', versions: [e], epochs: 40, score: 0.5 },
      { stage: 'scratch-b', versions: b, epochs: 40, runs: [0.83, 0.87] },
    ]);
    expect(recovery!.stages.at(-1)!.score).toBeCloseTo(0.85, 10);
    expect(recovery!.stages.at(-1)!.spread).toBeCloseTo(Math.hypot(0.02, 0.02), 10);
    expect(recovery!.verdict).toMatchObject({
      outcome: 'even',
      comparisons: [
        { budget: 'e', outcome: 'better' },
        { budget: 'b', outcome: 'even' },
      ],
      text: expect.stringContaining('from scratch 85.0 ± 2.8 % (Scratch-B, 40 epochs, 2 seeds)'),
    });
  });

  it('has no verdict until both sides were evaluated on the same images', async () => {
    await add('train', cut, 0.85, train({}));
    await add('scratch', cut, null, scratch('b', 1));
    expect((await recoveries())[0]!.verdict).toBeNull();
    const elsewhere = await addDataset(project, 'others');
    await add('scratch', cut, 0.8, scratch('b', 2), elsewhere);
    const [recovery] = await recoveries();
    expect(recovery!.stages.at(-1)).toMatchObject({ runs: [], score: null });
    expect(recovery!.verdict).toBeNull();
  });

  it('takes the recipe that was used last, and every seed of it', async () => {
    await add('train', cut, 0.5, train({ epochs: 1 }));
    const runs = [
      await add('train', cut, 0.8, train({ seed: 1 })),
      await add('train', cut, 0.82, train({ seed: 2 })),
    ];
    const tuned = (await recoveries())[0]!.stages.find(({ stage }) => stage === 'fine-tuned');
    expect(tuned).toMatchObject({ versions: runs, epochs: 3, runs: [0.8, 0.82] });
  });

  it('knows what fine-tuning stored before it stored requests', async () => {
    const tuned = await add('train', cut, 0.85, { options: fineTuneDefaults(7), data });
    const stage = (await recoveries())[0]!.stages.at(-1);
    expect(stage).toMatchObject({ stage: 'fine-tuned', versions: [tuned], epochs: 7 });
  });

  it('tells the passes of several cuts apart', async () => {
    const first = await add('train', cut, 0.85, train({}));
    const sparse = await add('train', first, 0.84, train({ gammaSparsity: 1e-3 }));
    const second = await add('prune', sparse, 0.1);
    const tuned = await add('train', second, 0.8, train({}));
    const control = await add('scratch', tuned, 0.6, scratch('b', 1));
    // What was trained on from a control is neither.
    await add('train', control, 0.7, train({}));
    const [one, two] = await recoveries();
    expect(one!.stages.map(({ stage, versions }) => [stage, versions])).toEqual([
      ['raw', [cut]],
      ['fine-tuned', [first]],
    ]);
    expect(two).toMatchObject({ cut: second, original: root });
    expect(two!.stages.map(({ stage, versions }) => [stage, versions])).toEqual([
      ['raw', [second]],
      ['fine-tuned', [tuned]],
      ['scratch-b', [control]],
    ]);
    expect(two!.verdict?.outcome).toBe('better');
  });

  it('forgets what is in the trash', async () => {
    await add('train', cut, 0.85, train({}));
    const control = await add('scratch', cut, 0.6, scratch('b', 1));
    expect((await recoveries())[0]!.verdict).not.toBeNull();
    await project.trash('version', control);
    expect((await recoveries())[0]!.verdict).toBeNull();
    await project.trash('version', cut);
    expect(await recoveries()).toEqual([]);
  });
});
