// What all formats share: progress, cancelling, held-back splits, errors that leave nothing behind.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../../src-main/engine/context';
import { silentContext } from '../../../src-main/engine/context';
import { decodeDataset } from '../../../src-main/engine/data/decode';
import { defaultDecodeOptions } from '../../../src-main/engine/data/defaults';
import { AppError } from '../../../src-main/engine/errors';
import { failure, keepAll, put, tempFolder } from './support';

const folder = tempFolder();
const images = join(folder, 'images');
const perClass = 40;

beforeAll(async () => {
  const raw = { width: 2, height: 2, channels: 3 } as const;
  const png = await sharp(new Uint8Array(12).fill(9), { raw }).png().toBuffer();
  for (const name of ['a', 'b', 'c']) {
    for (let i = 0; i < perClass; i++) put(join(images, name, `${i}.png`), png);
  }
});

describe('decodeDataset', () => {
  it('tells how far it is', async () => {
    const seen: Progress[] = [];
    const context = { ...silentContext, progress: (p: Progress) => void seen.push(p) };
    const info = await decodeDataset(images, join(folder, 'a'), defaultDecodeOptions, context);
    expect(info.counts).toEqual({ train: 96, val: 12, test: 12 });
    const decoding = seen.filter(({ phase }) => phase === 'decoding');
    expect(decoding.at(-1)).toMatchObject({ done: 120, total: 120 });
    expect(decoding.map(({ done }) => done)).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
  });

  it('stops when cancelled, with its reason, and leaves nothing', async () => {
    const controller = new AbortController();
    const reason = new AppError('CANCELLED', 'Cancelled.', 'Start again.');
    let decoded = 0;
    const context = {
      ...silentContext,
      signal: controller.signal,
      progress: ({ phase, done }: Progress) => {
        if (phase === 'decoding') decoded = done;
        if (decoded === 10) controller.abort(reason);
      },
    };
    const decoding = decodeDataset(images, join(folder, 'b'), keepAll, context);
    expect(await failure(decoding, 'CANCELLED')).toBe(reason);
    expect(decoded).toBe(10);
    expect(readdirSync(folder).filter((name) => name.startsWith('b'))).toEqual([]);
  });

  it('refuses fractions that leave nothing to train with', async () => {
    const options = { ...keepAll, valFraction: 0.5, testFraction: 0.5 };
    const decoding = decodeDataset(images, join(folder, 'c'), options, silentContext);
    await failure(decoding, 'INVALID_ARGUMENT');
  });

  it('says when the cache cannot be written', async () => {
    const nowhere = join(folder, 'none', 'cache');
    await failure(decodeDataset(images, nowhere, keepAll, silentContext), 'FILE_UNREADABLE');
  });
});
