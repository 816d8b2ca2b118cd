// The images that two versions answer otherwise, page by page. Answers are kept for a while: filters ask again for
// those of the same versions.

import { openDataset } from '../../engine/data/decode';
import { checkFit, requireClasses } from '../../engine/data/fit';
import { silentContext, type Progress } from '../../engine/context';
import { AppError } from '../../engine/errors';
import type { ImageSplit } from '../../engine/data/types';
import { findFlips, predict, type Predictions } from '../../engine/measure/predictions';
import type { FlippedImage } from '../../ipc/contract';
import type { Questions } from '../analyst-protocol';
import type { DatasetSource } from '../types';
import { loadModel } from './files';
import { pictureUrl } from './pictures';

type Question = Questions['flips']['args'];

/** The answers of the last few versions, by file, data and split; blobs never change. */
const kept = new Map<string, Predictions>();
const mostKept = 8;

let comparing = new AbortController();

/** Makes every comparison end with CANCELLED. */
export function stopComparing(): void {
  comparing.abort(
    new AppError('CANCELLED', 'The comparison of answers was stopped.', 'Open it again.'),
  );
  comparing = new AbortController();
}

async function answersOf(
  file: string,
  data: DatasetSource,
  { split, name }: { split: ImageSplit; name: string },
  which: string,
  onProgress: (progress: Progress) => void,
): Promise<Predictions> {
  const key = JSON.stringify([file, data.cacheFile, name]);
  const known = kept.get(key);
  if (known) return known;
  const { signal } = comparing;
  const model = await loadModel(file);
  checkFit(data.info, model);
  const context = { ...silentContext, signal, progress: onProgress };
  const made = await predict(model, split, `Asking ${which}`, context);
  kept.set(key, made);
  const [oldest] = kept.keys();
  if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
  return made;
}

/** @throws AppError DATA_MISMATCH, CANCELLED */
export async function findFlipped(
  { a, b, data, split: name, kind, label, offset, count }: Question,
  onProgress: (progress: Progress) => void = () => undefined,
): Promise<Questions['flips']['reply']> {
  requireClasses(data.info, 'Flipped images');
  const dataset = openDataset(data.cacheFile);
  try {
    const split = dataset.split(name);
    const { labels } = split;
    const before = await answersOf(a, data, { split, name }, 'the first version', onProgress);
    const after = await answersOf(b, data, { split, name }, 'the second version', onProgress);
    const flips = findFlips(labels, before, after);
    const fitting = flips[kind].filter((index) => label === null || labels[index] === label);
    const shown = fitting.slice(offset, offset + count);
    const said = ({ answers, confidences }: Predictions, index: number): FlippedImage['a'] => ({
      label: answers[index] ?? 0,
      probability: confidences[index] ?? 0,
    });
    return {
      samples: split.count,
      counts: {
        gained: flips.gained.length,
        lost: flips.lost.length,
        other: flips.other.length,
      },
      total: fitting.length,
      images: await Promise.all(
        shown.map(async (index) => ({
          index,
          image: await pictureOf(split, index),
          label: labels[index] ?? 0,
          a: said(before, index),
          b: said(after, index),
        })),
      ),
    };
  } finally {
    dataset.close();
  }
}

function pictureOf(split: ImageSplit, index: number): Promise<string> {
  const pixels = new Uint8Array(split.height * split.width * split.channels);
  split.read(Int32Array.of(index), pixels);
  return pictureUrl(pixels, split);
}
