// A folder of images: one sub-folder a class, below train/val/test folders or at once.
//
// Decided here: classes and files are ordered by name, as training tools do (labels.txt sets another order of
// classes); images may lie deeper inside a class folder; links are followed; hidden files and what has no
// image extension are left out; a class folder without images keeps its index.

import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { AppError } from '../../errors';
import { decodeImageFile, imageExtensions, probeImageFile } from '../image-file';
import { mapOrdered } from '../map-ordered';
import { readFailure } from '../read-failure';
import type { DecodeOptions, ImageShape, SplitName } from '../types';
import { readNames } from './raw';
import type { SampleRequest, SkippedSample, Source, SourcePart } from './types';

const splitFolders: Readonly<Record<string, SplitName>> = {
  train: 'train',
  training: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  test: 'test',
  testing: 'test',
};

/** Images decoded at the same time: enough to keep sharp's four threads busy, and few enough for memory. */
const decodeWidth = 16;

/** Without a size, larger images are not taken as they are: the cache would hold every pixel. */
const maxNaturalPixels = 1024 * 1024;

export type ShapeOptions = Pick<DecodeOptions, 'size' | 'channels' | 'onUnreadable'>;

interface ImageFile {
  readonly file: string;
  readonly className: string;
}

interface Listing {
  readonly files: string[];
  readonly folders: string[];
  /** Neither folder nor image: counted for the note. */
  others: number;
}

/**
 * Opens a folder of images. A single folder around everything is stepped into.
 * @throws AppError DATA_FORMAT_UNKNOWN, DATA_MISMATCH, DATA_IMAGE_UNREADABLE, INVALID_ARGUMENT, FILE_UNREADABLE
 */
export async function openImageFolder(path: string, options: ShapeOptions): Promise<Source> {
  const root = await stepInside(path);
  const { folders } = await list(root);
  const ownSplits = folders.filter((folder) => splitOf(folder) !== undefined);
  const notes: string[] = [];
  if (root !== path) notes.push(`Everything lies in ${basename(root)}.`);

  const found = new Map<SplitName, { images: ImageFile[]; classes: string[] }>();
  const tally = { others: 0 };
  for (const folder of ownSplits.length > 0 ? ownSplits : [root]) {
    const split = ownSplits.length > 0 ? splitOf(folder)! : 'train';
    if (found.has(split)) throw twoFolders(split, root);
    found.set(split, await findImages(folder, tally));
  }
  if (tally.others > 0) {
    notes.push(`${tally.others} files without an image extension were left out.`);
  }
  const classes = orderClasses(found, await readNames(root, 'labels.txt'));
  checkClasses(root, classes, found);
  const parts = [...found].map(([split, { images }]) => imagePart(split, images, classes));
  notes.push(...emptyClasses(classes, parts));
  const shape = await naturalShape(
    [...found.values()].flatMap(({ images }) => images.map(({ file }) => file)),
    options,
  );
  if (!options.size) {
    notes.push(
      `Images of other sizes were brought to that of the first, ${shape.height} x ${shape.width}.`,
    );
  }
  return { format: 'image-folder', task: 'classes', classes, shape, parts, notes };
}

function imagePart(
  split: SplitName,
  images: readonly ImageFile[],
  classes: readonly string[],
): SourcePart {
  const indexOf = new Map(classes.map((name, i) => [name, i]));
  const files = images.map(({ file }) => file);
  return {
    split,
    labels: Int32Array.from(images, ({ className }) => indexOf.get(className)!),
    samples: (request) => imagesInOrder(files, request),
  };
}

/** Decodes image files, several at a time, in their order. */
export function imagesInOrder(
  files: readonly string[],
  request: SampleRequest,
): AsyncIterable<Uint8Array | SkippedSample> {
  return mapOrdered(files, decodeWidth, async (file) => {
    try {
      if (file.includes('\uFFFD')) throw notUtf8(file);
      return await decodeImageFile(file, request);
    } catch (error) {
      if (request.onUnreadable === 'error') throw error;
      return { skipped: error instanceof Error ? error.message : String(error) };
    }
  });
}

/** The class folders of a folder and their images, both in order of name. */
async function findImages(
  folder: string,
  tally: { others: number },
): Promise<{ images: ImageFile[]; classes: string[] }> {
  const images: ImageFile[] = [];
  const { folders, others } = await list(folder);
  tally.others += others;
  for (const classFolder of folders) {
    const className = basename(classFolder);
    if (className.includes('\uFFFD')) throw notUtf8(classFolder);
    const files = await collect(classFolder, new Set(), tally);
    images.push(...files.map((file) => ({ file, className })));
  }
  return { images, classes: folders.map((path) => basename(path)) };
}

/** All images in a folder and the folders in it. `above` ends circles of links. */
async function collect(
  folder: string,
  above: ReadonlySet<string>,
  tally: { others: number },
): Promise<string[]> {
  const real = await realpath(folder);
  if (above.has(real)) return [];
  const { files, folders, others } = await list(folder);
  tally.others += others;
  const deeper: string[] = [];
  for (const inner of folders) {
    deeper.push(...(await collect(inner, new Set([...above, real]), tally)));
  }
  return [...files, ...deeper];
}

/** Images and folders at a path, by name. A link counts as what it leads to, a dead one as an image. */
async function list(folder: string): Promise<Listing> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw readFailure(error);
  });
  const listing: Listing = { files: [], folders: [], others: 0 };
  // By code units, as the sort of the usual training tools: uppercase first, "10" before "2".
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === '__MACOSX') continue;
    const path = join(folder, entry.name);
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => null) : entry;
    if (target?.isDirectory()) listing.folders.push(path);
    else if (imageExtensions.includes(extname(entry.name).toLowerCase())) listing.files.push(path);
    else listing.others++;
  }
  return listing;
}

/** An unpacked archive often has one folder around its train and test or class folders. */
async function stepInside(path: string): Promise<string> {
  let root = path;
  for (;;) {
    const { files, folders } = await list(root);
    const [only, ...rest] = folders;
    if (!only || rest.length > 0 || files.length > 0 || splitOf(only)) return root;
    if ((await list(only)).folders.length === 0) return root;
    root = only;
  }
}

function splitOf(folder: string): SplitName | undefined {
  return splitNameOf(basename(folder));
}

/** The split that a name stands for, in any case. */
export function splitNameOf(name: string): SplitName | undefined {
  return splitFolders[name.toLowerCase()];
}

function orderClasses(
  found: ReadonlyMap<SplitName, { readonly classes: readonly string[] }>,
  names: readonly string[] | null,
): readonly string[] {
  const present = [...new Set([...found.values()].flatMap(({ classes }) => classes))].sort();
  if (!names) return present;
  const missing = present.filter((name) => !names.includes(name));
  if (missing.length === 0) return names;
  throw new AppError(
    'DATA_MISMATCH',
    `The folders ${missing.join(', ')} are not in labels.txt.`,
    'List the name of every class folder in labels.txt, one a line, or remove the file.',
    { details: { missing } },
  );
}

function checkClasses(
  root: string,
  classes: readonly string[],
  found: ReadonlyMap<SplitName, { readonly images: readonly ImageFile[]; classes: string[] }>,
): void {
  const total = [...found.values()].reduce((sum, { images }) => sum + images.length, 0);
  if (classes.length < 2 || total === 0) {
    throw new AppError(
      'DATA_FORMAT_UNKNOWN',
      total === 0
        ? `${root} has no images in its sub-folders.`
        : `${root} has one class only (${classes.join()}).`,
      'Choose a folder with one sub-folder of images for each of at least two classes.',
    );
  }
  const train = found.get('train');
  for (const [split, { classes: own }] of found) {
    const unknown = train ? own.filter((name) => !train.classes.includes(name)) : [];
    if (unknown.length === 0) continue;
    throw new AppError(
      'DATA_MISMATCH',
      `The ${split} folder has classes that the train folder lacks: ${unknown.join(', ')}.`,
      'Give the class folders the same names in all splits.',
      { details: { split, classes: unknown } },
    );
  }
}

function emptyClasses(classes: readonly string[], parts: readonly SourcePart[]): string[] {
  const used = new Set(parts.flatMap(({ labels }) => [...labels]));
  const empty = classes.filter((_, i) => !used.has(i));
  return empty.length === 0 ? [] : [`No images at all in: ${empty.join(', ')}.`];
}

/** Shape of the first image that can be read, as far as the options leave it open. */
export async function naturalShape(
  files: readonly string[],
  { size, channels, onUnreadable }: ShapeOptions,
): Promise<ImageShape> {
  if (size && channels) return { ...size, channels };
  const mayTry = onUnreadable === 'skip' ? files.length : 1;
  for (const [i, file] of files.entries()) {
    try {
      const shape = await probeImageFile(file);
      if (size || shape.height * shape.width <= maxNaturalPixels) return shape;
      throw tooLarge(file, shape);
    } catch (error) {
      const unreadable = error instanceof AppError && error.code === 'DATA_IMAGE_UNREADABLE';
      if (!unreadable || i + 1 >= mayTry) throw error;
    }
  }
  throw new Error('unreachable: there is at least one image');
}

function tooLarge(file: string, { height, width }: ImageShape): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    `The first image, ${file}, has ${height} x ${width} pixels: too many to take as they are.`,
    'Choose the size that the model reads, for instance 224 x 224.',
    { details: { file, height, width } },
  );
}

function notUtf8(path: string): AppError {
  return new AppError(
    'DATA_IMAGE_UNREADABLE',
    `The name of ${path} is not valid UTF-8.`,
    'Rename it, or choose to leave out unreadable images (--skip-unreadable).',
    { details: { file: path } },
  );
}

function twoFolders(split: SplitName, root: string): AppError {
  return new AppError(
    'DATA_FORMAT_UNKNOWN',
    `${root} has two folders for ${split}.`,
    'Keep one folder each for train, val and test.',
  );
}
