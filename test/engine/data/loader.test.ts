// Batches: every sample once an epoch, the same for a seed, and exactly resumable.
import { describe, expect, it } from 'vitest';
import { BatchLoader } from '../../../src-main/engine/data/loader';
import type { LoaderOptions } from '../../../src-main/engine/data/loader';
import type { ImageSplit } from '../../../src-main/engine/data/types';
import { noise } from './support';

const shape = { height: 4, width: 4, channels: 3 } as const;
const bytes = 48;
const count = 10;
const pixels = noise(count * bytes);

const split: ImageSplit = {
  ...shape,
  count,
  labels: Int32Array.from({ length: count }, (_, i) => 100 + i),
  read(indices, target) {
    indices.forEach((index, i) => {
      target.set(pixels.subarray(index * bytes, (index + 1) * bytes), i * bytes);
    });
  },
};

const plain: LoaderOptions = {
  batchSize: 4,
  seed: 5,
  shuffle: true,
  augment: null,
  samplesPerEpoch: null,
};

interface Taken {
  readonly labels: number[];
  readonly images: number[];
}

/** Copies the batches up to the end of the epoch, or as many as asked for. */
async function take(loader: BatchLoader, batches = Infinity): Promise<Taken[]> {
  const taken: Taken[] = [];
  while (taken.length < batches) {
    const batch = await loader.next();
    if (!batch) break;
    expect(batch.images.length).toBe(batch.count * bytes);
    taken.push({ labels: [...batch.labels], images: [...batch.images] });
  }
  return taken;
}

const labelsOf = (batches: readonly Taken[]): number[] => batches.flatMap(({ labels }) => labels);

describe('BatchLoader', () => {
  it('gives every sample once an epoch, with its own pixels', async () => {
    const loader = new BatchLoader(split, plain);
    const epoch = await take(loader);
    expect(epoch.map(({ labels }) => labels.length)).toEqual([4, 4, 2]);
    expect(loader.batchesPerEpoch).toBe(3);
    expect(labelsOf(epoch).sort()).toEqual([...split.labels]);
    for (const { labels, images } of epoch) {
      labels.forEach((label, i) => {
        const at = (label - 100) * bytes;
        expect(images.slice(i * bytes, (i + 1) * bytes)).toEqual([
          ...pixels.subarray(at, at + bytes),
        ]);
      });
    }
  });

  it('takes another order each epoch, the same for the same seed', async () => {
    const [a, b] = [new BatchLoader(split, plain), new BatchLoader(split, plain)];
    const [first, second] = [await take(a), await take(a)];
    expect(labelsOf(second)).not.toEqual(labelsOf(first));
    expect([await take(b), await take(b)]).toEqual([first, second]);
    const other = new BatchLoader(split, { ...plain, seed: 6 });
    expect(labelsOf(await take(other))).not.toEqual(labelsOf(first));
  });

  it('keeps the order without shuffling', async () => {
    const loader = new BatchLoader(split, { ...plain, shuffle: false });
    expect(labelsOf(await take(loader))).toEqual([...split.labels]);
    expect(labelsOf(await take(loader))).toEqual([...split.labels]);
  });

  it('ends epochs early on request', async () => {
    const loader = new BatchLoader(split, { ...plain, samplesPerEpoch: 5 });
    expect((await take(loader)).map(({ labels }) => labels.length)).toEqual([4, 1]);
    expect(loader.samplesPerEpoch).toBe(5);
  });

  it('augments only where asked, and keeps labels with their images', async () => {
    const augment = { flip: true, padCrop: 1 };
    const loader = new BatchLoader(split, { ...plain, augment });
    const still = new BatchLoader(split, plain);
    const [moved, unmoved] = [await take(loader), await take(still)];
    expect(labelsOf(moved)).toEqual(labelsOf(unmoved));
    expect(moved).not.toEqual(unmoved);
    // The channels of the image's inside appear in the moved image, flipped or not.
    const inner = (image: number[]): string => image.slice(3 * 5, 3 * 6).join();
    const image = (batch: Taken, i: number): number[] =>
      batch.images.slice(i * bytes, (i + 1) * bytes);
    const pixelsOf = (all: number[]): string[] =>
      Array.from({ length: 16 }, (_, i) => all.slice(i * 3, i * 3 + 3).join());
    for (const [b, batch] of moved.entries()) {
      batch.labels.forEach((_, i) => {
        expect(pixelsOf(image(batch, i))).toContain(inner(image(unmoved[b]!, i)));
      });
    }
    const off = new BatchLoader(split, { ...plain, augment: { flip: false, padCrop: 0 } });
    expect(await take(off)).toEqual(unmoved);
  });

  it.each([0, 1, 2, 3])('resumes after %i batches of the second epoch', async (done) => {
    const options = { ...plain, augment: { flip: true, padCrop: 2 } };
    const loader = new BatchLoader(split, options);
    await take(loader);
    await take(loader, done);
    const state = JSON.parse(JSON.stringify(loader.state())) as ReturnType<BatchLoader['state']>;
    expect(state).toMatchObject({ epoch: 1, position: Math.min(10, done * 4) });
    const rest = [await take(loader), await take(loader)];
    const resumed = new BatchLoader(split, options);
    resumed.restore(state);
    expect([await take(resumed), await take(resumed)]).toEqual(rest);
  });

  it('has nothing to give from an empty split', async () => {
    const empty = new BatchLoader({ ...split, count: 0, labels: new Int32Array(0) }, plain);
    expect(await empty.next()).toBeNull();
    expect(empty.batchesPerEpoch).toBe(0);
  });
});
