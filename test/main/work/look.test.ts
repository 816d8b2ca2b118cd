import { beforeEach, describe, expect, it } from 'vitest';
import sharp from 'sharp';
import { defaultPruneOptions } from '../../../src-main/engine/prune';
import { answers } from '../../../src-main/jobs/work/answer';
import { errorOf } from '../support';
import { toyDataset, toyModel } from '../../engine/train/toy';
import { buildZoo } from '../../../src-main/engine/zoo';
import { addModel, run, toyProject, type Toy } from './support';

describe('what is shown of versions and data', () => {
  let toy: Toy;
  beforeEach(async () => {
    toy = await toyProject();
  });

  const cutTo = async (version: string, macs: number): Promise<string> => {
    const { outputs } = await run(toy.project, {
      kind: 'prune',
      version,
      options: { ...defaultPruneOptions, target: { macs } },
      steps: 1,
      data: null,
      recalibrate: false,
      fineTune: null,
      measure: false,
      name: null,
    });
    expect(outputs).toHaveLength(1);
    return (await toy.project.versions()).at(-1)!.id;
  };

  it('tells of each layer what it was first, in its parent, and is', async () => {
    const grandchild = await cutTo(await cutTo(toy.version, 0.7), 0.7);
    const { file, layerReports } = await toy.project.versionRow(grandchild);
    const ancestors = await toy.project.ancestorFiles(grandchild);
    const { layers, groups } = await answers.describe({
      file,
      ...ancestors,
      reports: layerReports,
    });
    const stem = layers.find(({ name }) => name === 'stem')!;
    expect(stem.channels.original).toBe(6);
    expect(stem.channels.parent).toBeLessThan(6);
    expect(stem.channels.now).toBeLessThan(stem.channels.parent);
    expect(stem.outputShape.at(-1)).toBe(stem.channels.now);
    expect(stem.report).toMatchObject({ code: 'CUT' });
    // The residual block ties both convolutions together.
    expect(stem.group).not.toBeNull();
    expect(layers.find(({ name }) => name === 'block')!.group).toBe(stem.group);
    expect(groups.find(({ id }) => id === stem.group)!.producers).toHaveLength(2);
    const params = layers.reduce((sum, layer) => sum + layer.params, 0);
    expect(params).toBe((await toy.project.findVersion(grandchild)).params);
  });

  it('tells of a version without ancestors what can be cut', async () => {
    const { file } = await toy.project.versionRow(toy.version);
    const { layers } = await answers.describe({
      file,
      parent: null,
      original: null,
      reports: null,
    });
    const of = (name: string): unknown => layers.find((layer) => layer.name === name)!.report;
    expect(of('stem')).toMatchObject({ code: 'PRUNABLE' });
    expect(of('classes')).toMatchObject({ code: 'OUTPUT' });
    expect(layers.every(({ channels }) => channels.original === channels.now)).toBe(true);
  });

  const oneShot = { sensitivity: null, data: null, steps: 1, schedule: 'linear' } as const;

  it('previews a cut with the figures that the cut then has', async () => {
    const { file, summary } = await toy.project.versionRow(toy.version);
    const options = { ...defaultPruneOptions, target: { macs: 0.7 } };
    const preview = await answers.preview({
      file,
      options,
      bytesBefore: summary.bytes,
      ...oneShot,
    });
    const made = await toy.project.findVersion(await cutTo(toy.version, 0.7));
    expect(preview.after).toMatchObject({ params: made.params, macs: made.macs });
    expect(preview.layersCut).toBe(2);
    expect(preview.layersPrunable).toBe(2);
    await errorOf(
      answers.preview({
        file,
        options: { ...options, target: { macs: 0.001 } },
        bytesBefore: 1,
        ...oneShot,
      }),
      'PRUNE_TARGET_UNREACHABLE',
    );
  });

  it('previews a cut by what is measured on the data, once, and tells how far it is', async () => {
    const { file, summary } = await toy.project.versionRow(toy.version);
    const data = await toy.project.datasetSource(toy.data);
    const options = { ...defaultPruneOptions, criterion: 'taylor', target: { macs: 0.7 } } as const;
    const asked = { file, options, bytesBefore: summary.bytes, ...oneShot };
    const seen: string[] = [];
    const preview = await answers.preview({ ...asked, data }, ({ done, total }) =>
      seen.push(`${done}/${total}`),
    );
    expect(seen).toEqual(['32/64', '64/64']);
    await run(toy.project, {
      kind: 'prune',
      version: toy.version,
      options,
      steps: 1,
      data: toy.data,
      recalibrate: false,
      fineTune: null,
      measure: false,
      name: 'by-taylor',
    });
    const { layerReports } = await toy.project.versionRow(
      (await toy.project.findVersion('by-taylor')).id,
    );
    expect(preview.layers).toEqual(layerReports);
    // Another target asks for no more images; another criterion does.
    const later = { ...options, target: { macs: 0.6 } };
    await answers.preview({ ...asked, options: later, data }, () => seen.push('again'));
    expect(seen).toHaveLength(2);
    const other = { ...options, criterion: 'apoz' } as const;
    await answers.preview({ ...asked, options: other, data }, () => seen.push('again'));
    expect(seen).toHaveLength(4);
    await errorOf(answers.preview(asked), 'INVALID_ARGUMENT');
  });

  it('gives up measuring, and can measure again', async () => {
    const { file, summary } = await toy.project.versionRow(toy.version);
    const data = await toy.project.datasetSource(toy.data);
    const options = { ...defaultPruneOptions, criterion: 'activation', seed: 5 } as const;
    const asked = { file, options, bytesBefore: summary.bytes, ...oneShot, data };
    await errorOf(
      answers.preview(asked, () => void answers.stopMeasuring({})),
      'CANCELLED',
    );
    await expect(answers.preview(asked)).resolves.toBeTruthy();
  });

  it('guesses what a limit on latency comes to, and says how steps go down', async () => {
    const { file, summary } = await toy.project.versionRow(toy.version);
    const asked = { file, bytesBefore: summary.bytes, ...oneShot };
    const options = { ...defaultPruneOptions, target: { latency: 0.6 } };
    const preview = await answers.preview({ ...asked, options, steps: 2, schedule: 'cubic' });
    expect(preview.latencyGuessed).toBe(true);
    expect(preview.after.macs).toBeLessThanOrEqual(preview.before.macs * 0.6);
    expect(preview.stepShares[0]).toBeCloseTo(1 - 0.4 * 0.875, 12);
    expect(preview.stepShares[1]).toBeCloseTo(0.6, 12);
    // Further than channels can be cut: as far as it goes, for the job to measure.
    const far = { ...defaultPruneOptions, target: { latency: 0.01 } };
    const furthest = await answers.preview({ ...asked, options: far });
    expect(furthest.after.macs).toBeLessThan(preview.after.macs);
    expect(preview.weightBytes.fp32).toBe(preview.before.weightBytes);
    expect(preview.weightBytes.fp16).toBe(preview.before.weightBytes / 2);
  });

  it('gives the table that makes the same cut', async () => {
    const { file, summary } = await toy.project.versionRow(toy.version);
    const asked = { file, bytesBefore: summary.bytes, ...oneShot };
    const options = { ...defaultPruneOptions, target: { macs: 0.6 } };
    const { table, layers } = await answers.preview({ ...asked, options });
    const again = await answers.preview({ ...asked, options: { ...options, target: {}, table } });
    expect(again.layers.map(({ to }) => to)).toEqual(layers.map(({ to }) => to));
  });

  it('goes on after a file that cannot be read', async () => {
    const question = { parent: null, original: null, reports: null };
    const { file } = await toy.project.versionRow(toy.version);
    await errorOf(answers.describe({ ...question, file: `${file}-none` }), 'FILE_UNREADABLE');
    await expect(answers.describe({ ...question, file })).resolves.toBeTruthy();
  });

  it('shows the pixels of a data set, and what a version says of them', async () => {
    const data = await toy.project.datasetSource(toy.data);
    const { file } = await toy.project.versionRow(toy.version);
    const shown = await answers.samples({ data, split: 'test', count: 6, versionFile: file });
    expect(shown).toHaveLength(6);
    const split = toyDataset({ train: 64, val: 16, test: 24 }).split('test');
    const expected = new Uint8Array(8 * 8 * 3);
    // Six of 24, evenly spaced.
    split.read(Int32Array.of(4), expected);
    const png = Buffer.from(shown[1]!.image.replace('data:image/png;base64,', ''), 'base64');
    expect(new Uint8Array(await sharp(png).removeAlpha().raw().toBuffer())).toEqual(expected);
    expect(shown.map(({ label }) => label)).toEqual(
      [0, 4, 8, 12, 16, 20].map((i) => split.labels[i]),
    );
    for (const { predicted } of shown) {
      expect(predicted!.probability).toBeGreaterThanOrEqual(1 / 4);
      expect(predicted!.probability).toBeLessThanOrEqual(1);
    }
  });

  it('shows images without a version, and none of an empty split', async () => {
    const data = await toy.project.datasetSource(toy.data);
    const [first] = await answers.samples({ data, split: 'val', count: 1, versionFile: null });
    expect(first!.predicted).toBeNull();
    const { file } = await toy.project.versionRow(toy.version);
    const shown = await answers.samples({ data, split: 'val', count: 64, versionFile: file });
    expect(shown).toHaveLength(16);
  });

  it('refuses a version that does not fit the images', async () => {
    const other = buildZoo('lenet5', { seed: 1, inputShape: [12, 12, 1], classes: 3 });
    const version = await addModel(toy.project, other, 'lenet');
    const { file } = await toy.project.versionRow(version);
    const data = await toy.project.datasetSource(toy.data);
    await errorOf(
      answers.samples({ data, split: 'test', count: 1, versionFile: file }),
      'DATA_MISMATCH',
    );
  });

  it('evaluates on the split that is asked for', async () => {
    await run(toy.project, {
      kind: 'evaluate',
      versions: [toy.version],
      data: toy.data,
      split: 'train',
    });
    await errorOf(
      run(toy.project, { kind: 'evaluate', versions: [toy.version], data: 'd-none', split: 'val' }),
      'NOT_FOUND',
    );
    const [evaluation] = await toy.project.evaluations(toy.version);
    expect(evaluation!.accuracy).toMatchObject({ split: 'train', samples: 64 });
  });

  it('measures each version on the runtime that is asked for', async () => {
    const second = await addModel(toy.project, toyModel({ seed: 2 }), 'second');
    const { progress } = await run(toy.project, {
      kind: 'measure',
      versions: [toy.version, second],
      runtime: 'tfjs',
      threads: 1,
      runs: 3,
    });
    const labels = [...new Set(progress.map(({ label }) => label))];
    expect(labels).toEqual(['Measuring toy on tfjs', 'Measuring second on tfjs']);
    for (const id of [toy.version, second]) {
      const [measurement] = await toy.project.measurements(id);
      expect(measurement!.latency).toMatchObject({ runtime: 'tfjs', runs: 3 });
    }
  });
});
