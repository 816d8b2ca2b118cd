// Reads the weights of a model: checks the manifest and the sizes of all files first, then loads and decodes.
// The manifest is foreign input: it names files only in its own folder, and says nothing about their size
// that is believed without looking.

import { open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { EngineContext } from '../../context';
import { AppError } from '../../errors';
import type { Weight } from '../../graph/types';
import { bytesPerNumber, decodeWeight, type StoredType } from './decode';
import { corrupt, tooLarge } from '../keras-config/errors';
import { maxTensors, maxWeightBytes } from '../keras-config/limits';

const quantizationSchema = z.object({
  dtype: z.enum(['uint8', 'uint16', 'float16']),
  scale: z.number().optional(),
  min: z.number().optional(),
  original_dtype: z.string().optional(),
});

const entrySchema = z.object({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()).max(8),
  dtype: z.string(),
  quantization: quantizationSchema.optional(),
});

const manifestSchema = z.array(
  z.object({ paths: z.array(z.string()), weights: z.array(entrySchema) }),
);

export type ManifestEntry = z.infer<typeof entrySchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/** Checks the form of `weightsManifest`. @throws AppError MODEL_CORRUPT, MODEL_UNSAFE_PATH, MODEL_TOO_LARGE */
export function parseManifest(json: unknown): Manifest {
  const result = manifestSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    const where = ['weightsManifest', ...issue.path].join('.');
    throw corrupt(
      `The weights manifest is not as the format wants it, at ${where}: ${issue.message}`,
    );
  }
  const manifest = result.data;
  for (const path of manifest.flatMap(({ paths }) => paths)) requirePlainName(path);
  const tensors = manifest.reduce((sum, { weights }) => sum + weights.length, 0);
  if (tensors > maxTensors) throw tooLarge('Number of weight tensors', tensors, maxTensors);
  return manifest;
}

/** Weight files lie beside model.json. Whatever could lead elsewhere, on any system, is refused. */
function requirePlainName(path: string): void {
  const plain =
    path !== '' &&
    path !== '.' &&
    path !== '..' &&
    !/[/\\:\0]/.test(path) &&
    basename(path) === path;
  if (plain) return;
  throw new AppError(
    'MODEL_UNSAFE_PATH',
    `The model names the weight file ${JSON.stringify(path)}, which is not in its own folder.`,
    'Put the weight files beside model.json and name them without a folder. If you do not know where the ' +
      'model comes from, do not use it.',
    { details: { path } },
  );
}

/**
 * Loads all weights, by name.
 * @throws AppError MODEL_CORRUPT (missing, short or long files, unknown types), MODEL_TOO_LARGE, CANCELLED
 */
export async function loadWeights(
  folder: string,
  manifest: Manifest,
  context: EngineContext,
): Promise<ReadonlyMap<string, Weight>> {
  const groups = [];
  let total = 0;
  for (const group of manifest) {
    const wanted = group.weights.map((entry) => byteLength(entry)).reduce((a, b) => a + b, 0);
    const sizes = await Promise.all(group.paths.map((path) => fileSize(folder, path)));
    const found = sizes.reduce((a, b) => a + b, 0);
    total += Math.max(wanted, found);
    if (total > maxWeightBytes) throw tooLarge('Bytes of weights', total, maxWeightBytes);
    if (found !== wanted) {
      throw corrupt(
        `The weight file${group.paths.length === 1 ? '' : 's'} ${group.paths.join(', ')} ` +
          `hold ${found} bytes, the manifest describes ${wanted}`,
        { paths: group.paths, found, wanted },
      );
    }
    groups.push({ ...group, sizes, bytes: wanted });
  }

  const weights = new Map<string, Weight>();
  let done = 0;
  for (const group of groups) {
    const data = new Uint8Array(group.bytes);
    let offset = 0;
    for (const [i, path] of group.paths.entries()) {
      context.signal.throwIfAborted();
      context.progress({ phase: 'reading', label: `Reading ${path}`, done, total });
      await readInto(join(folder, path), data.subarray(offset, offset + group.sizes[i]!));
      offset += group.sizes[i]!;
      done += group.sizes[i]!;
    }
    addWeights(weights, group.weights, data);
  }
  return weights;
}

function addWeights(
  weights: Map<string, Weight>,
  entries: readonly ManifestEntry[],
  data: Uint8Array,
): void {
  let offset = 0;
  for (const entry of entries) {
    if (weights.has(entry.name)) throw corrupt(`The weight "${entry.name}" is in the file twice`);
    const end = offset + byteLength(entry);
    weights.set(entry.name, decodeWeight(entry, data.subarray(offset, end)));
    offset = end;
  }
}

const plainTypes: ReadonlySet<string> = new Set(['float32', 'int32', 'bool', 'uint8']);

function byteLength(entry: ManifestEntry): number {
  const stored = entry.quantization?.dtype ?? entry.dtype;
  if (entry.quantization === undefined && !plainTypes.has(stored)) {
    throw corrupt(
      `The weight "${entry.name}" has the type "${stored}", which no layer of it can have`,
    );
  }
  const count = entry.shape.reduce((product, size) => product * size, 1);
  const bytes = count * bytesPerNumber[stored as StoredType];
  if (bytes > maxWeightBytes) {
    throw tooLarge(`Bytes of the weight "${entry.name}"`, bytes, maxWeightBytes);
  }
  return bytes;
}

async function fileSize(folder: string, path: string): Promise<number> {
  try {
    const info = await stat(join(folder, path));
    if (info.isFile()) return info.size;
  } catch (cause) {
    throw corrupt(`The weight file ${path} is missing beside model.json`, { path }, cause);
  }
  throw corrupt(`The weight file ${path} is not a file`, { path });
}

async function readInto(path: string, target: Uint8Array): Promise<void> {
  const handle = await open(path, 'r');
  try {
    let filled = 0;
    while (filled < target.length) {
      const { bytesRead } = await handle.read(target, filled, target.length - filled, filled);
      if (bytesRead === 0)
        throw corrupt(`The weight file ${basename(path)} ended while it was read`);
      filled += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
