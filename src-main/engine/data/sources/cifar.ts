// CIFAR binary (https://www.cs.toronto.edu/~kriz/cifar.html): records of one or two label bytes and 3072
// bytes of pixels, 32 x 32, red plane first.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors';
import { ByteReader } from '../byte-reader';
import type { ImageShape, SplitName } from '../types';
import { checkLabels, classNames, readNames, reshapeAll } from './raw';
import type { Source, SourcePart } from './types';

const shape: ImageShape = { height: 32, width: 32, channels: 3 };
const planeBytes = 32 * 32;
const pixelBytes = 3 * planeBytes;

interface Layout {
  /** Bytes before the pixels; the last of them is the label (CIFAR-100: coarse, then fine). */
  readonly labelBytes: 1 | 2;
  readonly namesFile: string;
  readonly files: readonly { readonly name: string; readonly split: SplitName }[];
}

export function looksLikeCifar(fileNames: readonly string[]): boolean {
  return findLayout(fileNames) !== null;
}

function findLayout(fileNames: readonly string[]): Layout | null {
  const batches = fileNames.filter((name) => /^data_batch_\d+\.bin$/.test(name)).sort();
  if (batches.length > 0) {
    const train = batches.map((name) => ({ name, split: 'train' as const }));
    const test = fileNames.includes('test_batch.bin')
      ? [{ name: 'test_batch.bin', split: 'test' as const }]
      : [];
    return { labelBytes: 1, namesFile: 'batches.meta.txt', files: [...train, ...test] };
  }
  if (!fileNames.includes('train.bin')) return null;
  const files = (['train', 'test'] as const)
    .filter((split) => fileNames.includes(`${split}.bin`))
    .map((split) => ({ name: `${split}.bin`, split }));
  return { labelBytes: 2, namesFile: 'fine_label_names.txt', files };
}

/**
 * Opens a folder with `data_batch_*.bin` and `test_batch.bin` (CIFAR-10) or `train.bin` and `test.bin`
 * (CIFAR-100, fine labels). Class names come from the text file beside them, else numbers.
 * @throws AppError DATA_CORRUPT, FILE_UNREADABLE
 */
export async function openCifar(folder: string, fileNames: readonly string[]): Promise<Source> {
  const layout = findLayout(fileNames)!;
  const parts: SourcePart[] = [];
  for (const { name, split } of layout.files) {
    parts.push(await openBatch(join(folder, name), split, layout.labelBytes));
  }
  const classes = classNames(await readNames(folder, layout.namesFile), parts);
  parts.forEach(({ labels }, i) => checkLabels(labels, classes, layout.files[i]!.name));
  return { format: 'cifar-binary', task: 'classes', classes, shape, parts, notes: [] };
}

async function openBatch(file: string, split: SplitName, labelBytes: number): Promise<SourcePart> {
  const recordBytes = labelBytes + pixelBytes;
  const { size } = await stat(file);
  if (size === 0 || size % recordBytes !== 0) {
    throw new AppError(
      'DATA_CORRUPT',
      `${file} has ${size} bytes, which is no whole number of records of ${recordBytes} bytes.`,
      'Fetch the file again.',
      { details: { file, bytes: size } },
    );
  }
  const count = size / recordBytes;
  const labels = new Int32Array(count);
  let i = 0;
  for await (const record of records(file, count, recordBytes)) {
    labels[i++] = record[labelBytes - 1]!;
  }
  async function* pixels(): AsyncGenerator<Uint8Array> {
    for await (const record of records(file, count, recordBytes)) {
      yield interleave(record.subarray(labelBytes));
    }
  }
  return { split, labels, samples: (request) => reshapeAll(pixels(), shape, request) };
}

async function* records(file: string, count: number, bytes: number): AsyncGenerator<Buffer> {
  const reader = ByteReader.open(file);
  try {
    for (let i = 0; i < count; i++) yield await reader.read(bytes);
  } finally {
    reader.close();
  }
}

/** Three planes (CHW) to pixels (HWC). */
function interleave(planes: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(pixelBytes);
  for (let i = 0; i < planeBytes; i++) {
    pixels[i * 3] = planes[i]!;
    pixels[i * 3 + 1] = planes[planeBytes + i]!;
    pixels[i * 3 + 2] = planes[2 * planeBytes + i]!;
  }
  return pixels;
}
