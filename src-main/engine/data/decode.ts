// Decodes a data set, of whatever format is found at a path, once into a cache file.

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { EngineContext } from '../context';
import { AppError, toAppError } from '../errors';
import { createRng } from '../graph/rng';
import { CacheWriter } from './cache';
import { readFailure } from './read-failure';
import { looksLikeCifar, openCifar } from './sources/cifar';
import { looksLikeIdx, openIdx } from './sources/idx';
import { openImageCsv, tableName } from './sources/image-csv';
import { openImageFolder } from './sources/image-folder';
import { looksLikeNpz, openNpz } from './sources/npz';
import type { Source } from './sources/types';
import { checkFractions, holdBack } from './splits';
import type { DatasetInfo, DecodeOptions, ImageShape, SplitName } from './types';

export { openDataset } from './cache-reader';

/** Unreadable images that the notes name one by one; the others are counted. */
const maxNamedSkips = 20;

/**
 * Recognises what lies at a path, decodes it once into a cache file and describes it. Splits that the source
 * does not have are held back from its training images by seed. Memory use does not grow with the data set.
 * A cache file that could not be completed is not left behind.
 * @throws AppError DATA_FORMAT_UNKNOWN, DATA_CORRUPT, DATA_MISMATCH, DATA_IMAGE_UNREADABLE, INVALID_ARGUMENT,
 *   FILE_UNREADABLE, DISK_FULL, or the reason of the signal
 */
export async function decodeDataset(
  path: string,
  cacheFile: string,
  options: DecodeOptions,
  context: EngineContext,
): Promise<DatasetInfo> {
  checkFractions({ val: options.valFraction, test: options.testFraction });
  context.progress({ phase: 'reading', label: `Looking at ${basename(path)}`, done: 0, total: 0 });
  const source = await openSource(path, options);
  const shape: ImageShape = {
    ...(options.size ?? { height: source.shape.height, width: source.shape.width }),
    channels: options.channels ?? source.shape.channels,
  };
  const total = source.parts.reduce((sum, { labels }) => sum + labels.length, 0);
  if (total === 0) throw unknownFormat(path, 'holds no samples');
  const { splits, notes } = assignSplits(source, options);

  const writer = await CacheWriter.create(cacheFile, shape, total);
  try {
    const skipped = await copySamples(source, splits, shape, options, writer, context);
    return await writer.finish({
      format: source.format,
      task: source.task,
      classes: source.classes,
      notes: [...source.notes, ...shapeNotes(source.shape, shape), ...notes, ...skipNotes(skipped)],
    });
  } catch (error) {
    await writer.discard();
    throw toAppError(error);
  }
}

async function openSource(path: string, options: DecodeOptions): Promise<Source> {
  const stats = await stat(path).catch((error: unknown) => {
    throw readFailure(error);
  });
  if (!stats.isDirectory() && (await looksLikeNpz(path))) return openNpz(path);
  // One file of a format that keeps several stands for the folder that it lies in.
  const folder = stats.isDirectory() ? path : dirname(path);
  const names = await readdir(folder).catch((error: unknown) => {
    throw readFailure(error);
  });
  const chosen = stats.isDirectory() ? names : [basename(path)];
  if (chosen.includes(tableName)) return openImageCsv(folder, options);
  if (looksLikeIdx(chosen)) return openIdx(folder, names);
  if (looksLikeCifar(chosen)) return openCifar(folder, names);
  if (stats.isDirectory()) return openImageFolder(path, options);
  throw unknownFormat(path, 'is no data set file');
}

/** The split of each sample of each part: its own, or held back from train where the source has none. */
function assignSplits(
  source: Source,
  options: DecodeOptions,
): { splits: readonly SplitName[][]; notes: readonly string[] } {
  const own = new Set(source.parts.map(({ split }) => split));
  const fractions = {
    val: own.has('val') ? 0 : options.valFraction,
    test: own.has('test') ? 0 : options.testFraction,
  };
  const rng = createRng(options.seed);
  const splits = source.parts.map(({ split, labels }) =>
    split === 'train'
      ? holdBack(labels, source.classes.length, fractions, rng)
      : new Array<SplitName>(labels.length).fill(split),
  );
  const held = (['val', 'test'] as const).filter((name) => own.has('train') && fractions[name] > 0);
  const notes = held.map(
    (name) =>
      `No ${name} split in the source: ${percent(fractions[name])} of its training images are ` +
      `held back for it, by seed ${options.seed}.`,
  );
  return { splits, notes };
}

/** Pulls every sample through the decoder into the cache; gives the reasons of those left out. */
async function copySamples(
  source: Source,
  splits: readonly (readonly SplitName[])[],
  shape: ImageShape,
  options: DecodeOptions,
  writer: CacheWriter,
  context: EngineContext,
): Promise<readonly string[]> {
  const request = { shape, fit: options.fit, onUnreadable: options.onUnreadable };
  const total = source.parts.reduce((sum, { labels }) => sum + labels.length, 0);
  const stride = Math.max(1, Math.floor(total / 200));
  const skipped: string[] = [];
  let done = 0;
  for (const [p, part] of source.parts.entries()) {
    let i = 0;
    for await (const sample of part.samples(request)) {
      context.signal.throwIfAborted();
      if (sample instanceof Uint8Array) {
        await writer.append(splits[p]![i]!, part.labels[i]!, sample, part.targets?.[i]);
      } else {
        skipped.push(sample.skipped);
        context.log('warn', sample.skipped);
      }
      i++;
      done++;
      if (done % stride === 0 || done === total) {
        context.progress({ phase: 'decoding', label: 'Decoding images', done, total });
      }
    }
  }
  if (skipped.length === total) {
    throw new AppError(
      'DATA_IMAGE_UNREADABLE',
      `None of the ${total} images can be decoded. ${skipped[0]}`,
      'Check the format of the files.',
    );
  }
  return skipped;
}

function shapeNotes(natural: ImageShape, shape: ImageShape): string[] {
  const text = ({ height, width, channels }: ImageShape): string =>
    `${height} x ${width}, ${channels === 1 ? 'gray' : 'colour'}`;
  return text(natural) === text(shape)
    ? []
    : [`Images were brought from ${text(natural)} to ${text(shape)}.`];
}

function skipNotes(skipped: readonly string[]): string[] {
  const more = skipped.length - maxNamedSkips;
  return [
    ...skipped.slice(0, maxNamedSkips).map((reason) => `Left out: ${reason}`),
    ...(more > 0 ? [`Left out: ${more} more unreadable images.`] : []),
  ];
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 1000) / 10} %`;
}

function unknownFormat(path: string, what: string): AppError {
  return new AppError(
    'DATA_FORMAT_UNKNOWN',
    `${path} ${what}.`,
    'Choose a folder with one sub-folder of images a class, a folder of images with a labels.csv, IDX files ' +
      '(MNIST), CIFAR binary files, or an .npz file with x and y.',
  );
}
