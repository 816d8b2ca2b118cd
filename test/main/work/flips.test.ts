import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import { answers } from '../../../src-main/jobs/work/answer';
import { scoreOf } from '../../../src-main/engine/measure/score';
import type { Questions } from '../../../src-main/jobs/analyst-protocol';
import { errorOf } from '../support';
import { toyDataset } from '../../engine/train/toy';
import { buildZoo } from '../../../src-main/engine/zoo';
import { addModel, run, toyProject, type Toy } from './support';

type Page = Questions['flips']['reply'];

describe('images that two versions answer otherwise', () => {
  let toy: Toy;
  let trained: string;
  beforeEach(async () => {
    toy = await toyProject();
    const plain = { batchSize: 16, augment: { flip: false, padCrop: 0 } };
    await run(toy.project, {
      kind: 'train',
      version: toy.version,
      data: toy.data,
      options: { ...fullTrainingDefaults(4), ...plain },
      init: 'weights',
      measure: false,
      name: null,
    });
    trained = (await toy.project.versions()).at(-1)!.id;
  });

  const ask = async (changes: Partial<Questions['flips']['args']> = {}): Promise<Page> =>
    answers.flips({
      a: (await toy.project.versionSource(toy.version)).file,
      b: (await toy.project.versionSource(trained)).file,
      data: await toy.project.datasetSource(toy.data),
      split: 'test',
      kind: 'gained',
      label: null,
      offset: 0,
      count: 60,
      ...changes,
    });

  it('are counted, and shown as they are with what both say', async () => {
    await run(toy.project, {
      kind: 'evaluate',
      versions: [toy.version],
      data: toy.data,
      split: 'test',
    });
    const [before, after] = (await toy.project.versions()).map(({ accuracy }) =>
      scoreOf(accuracy!),
    );
    const { counts, images, samples, total } = await ask();
    expect(samples).toBe(24);
    expect(counts.gained - counts.lost).toBe(Math.round((after! - before!) * 24));
    expect(counts.gained).toBeGreaterThan(3);
    expect(images).toHaveLength(counts.gained);
    expect(total).toBe(counts.gained);
    const split = toyDataset({ train: 64, val: 16, test: 24 }).split('test');
    const pixels = new Uint8Array(8 * 8 * 3);
    for (const { index, image, label, a, b } of images) {
      expect(label).toBe(split.labels[index]);
      expect(b.label).toBe(label);
      expect(a.label).not.toBe(label);
      expect(b.probability).toBeGreaterThan(0.25);
      const png = Buffer.from(image.slice('data:image/png;base64,'.length), 'base64');
      split.read(Int32Array.of(index), pixels);
      expect(await sharp(png).removeAlpha().raw().toBuffer()).toEqual(Buffer.from(pixels));
    }
  });

  it('come page by page and class by class', async () => {
    const whole = await ask();
    const pages = [await ask({ count: 3 }), await ask({ offset: 3 })];
    expect(pages.flatMap(({ images }) => images)).toEqual(whole.images);
    expect(pages[0]!.images).toHaveLength(3);
    const labels = [0, 1, 2, 3];
    const byClass = await Promise.all(labels.map((label) => ask({ label })));
    byClass.forEach(({ images, total, counts }, label) => {
      expect(counts).toEqual(whole.counts);
      expect(images).toEqual(whole.images.filter((image) => image.label === label));
      expect(total).toBe(images.length);
    });
    expect((await ask({ offset: 1000 })).images).toEqual([]);
  });

  it('are the other way round from the second to the first', async () => {
    const files = {
      a: (await toy.project.versionSource(trained)).file,
      b: (await toy.project.versionSource(toy.version)).file,
    };
    const gained = await ask();
    const lost = await ask({ ...files, kind: 'lost' });
    const indices = ({ images }: Page): number[] => images.map(({ index }) => index).sort();
    expect(indices(lost)).toEqual(indices(gained));
    expect(lost.counts).toEqual({
      ...{ gained: gained.counts.lost, lost: gained.counts.gained },
      other: gained.counts.other,
    });
  });

  it('are refused for a version that the images do not fit', async () => {
    const other = buildZoo('lenet5', { seed: 1, inputShape: [12, 12, 3], classes: 4 });
    const version = await addModel(toy.project, other, 'larger');
    const { file } = await toy.project.versionSource(version);
    await errorOf(ask({ b: file }), 'DATA_MISMATCH');
  });

  it('are given up when nobody waits for them any more', async () => {
    const asked = ask();
    await answers.stopComparing({});
    // It may have been done already: then it is answered, and nothing else is disturbed.
    const outcome = await asked.catch((error: unknown) => error);
    expect(outcome).toSatisfy(
      (value: unknown) =>
        (value as Page).samples === 24 || (value as { code?: string }).code === 'CANCELLED',
    );
    expect((await ask()).samples).toBe(24);
  });
});

describe('the gammas of versions', () => {
  it('are told of each, and of none without batch norm', async () => {
    const toy = await toyProject();
    const lenet = await addModel(toy.project, buildZoo('lenet5', { seed: 1 }), 'lenet');
    const files = await Promise.all(
      [toy.version, lenet].map(async (id) => (await toy.project.versionSource(id)).file),
    );
    expect(await answers.gammas({ files })).toEqual([
      { count: 12, values: new Array(12).fill(1) },
      null,
    ]);
  });
});
