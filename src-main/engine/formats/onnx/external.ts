// Weights that lie in files beside the model. The model is foreign input: it names files in its own folder only, and
// what it says about places in them is held against their size before anything is read.

import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { EngineContext } from '../../context';
import { corrupt, tooLarge, unsafePath } from './errors';
import { readPart } from './file';
import { maxWeightBytes } from './limits';
import type { GraphProto, TensorProto } from './proto/messages';
import { externalLocation } from './proto/schema';
import type { ReadExternal } from './tensor';

interface Place {
  readonly location: string;
  readonly offset: number;
  /** Null where the file leaves it to the shape. */
  readonly length: number | null;
}

/** Tensors of the whole graph that lie elsewhere; those in attributes too. */
function externalTensors(graph: GraphProto): readonly TensorProto[] {
  const inAttributes = graph.node.flatMap(({ attribute }) => attribute.flatMap(({ t }) => t ?? []));
  return [...graph.initializer, ...inAttributes].filter(
    ({ dataLocation }) => dataLocation === externalLocation,
  );
}

function placeOf(tensor: TensorProto): Place {
  const entries = new Map(
    (tensor.externalData ?? []).map(({ key = '', value = '' }) => [key, value]),
  );
  const location = entries.get('location');
  if (!location) throw corrupt(`The tensor "${tensor.name ?? ''}" lies in a file without a name`);
  const number = (key: string): number | null => {
    const text = entries.get(key);
    if (text === undefined) return null;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw corrupt(
      `The tensor "${tensor.name ?? ''}" lies in ${location} at ${key} ${JSON.stringify(text)}`,
    );
  };
  return { location, offset: number('offset') ?? 0, length: number('length') };
}

/** A relative path that stays in the folder, on any system. */
function requirePlainPath(path: string): void {
  const parts = path.split('/');
  const plain = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  if (!plain || /[\\:\0]/.test(path)) throw unsafePath(path);
}

interface Segment {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/**
 * Reads what the tensors of a graph need of the files beside it.
 * @throws AppError MODEL_UNSAFE_PATH, MODEL_CORRUPT (missing file, places outside of it), MODEL_TOO_LARGE, CANCELLED
 */
export async function loadExternal(
  folder: string,
  graph: GraphProto,
  context: EngineContext,
): Promise<ReadExternal> {
  const places = externalTensors(graph).map(placeOf);
  const files = new Map<string, Segment>();
  let total = 0;
  for (const location of new Set(places.map((place) => place.location))) {
    requirePlainPath(location);
    const own = places.filter((place) => place.location === location);
    const size = await fileSize(folder, location);
    const start = Math.min(...own.map(({ offset }) => offset));
    const open = own.some(({ length }) => length === null);
    const end = open ? size : Math.max(...own.map(({ offset, length }) => offset + length!));
    if (start > size || end > size) throw outside(location, Math.max(start, end), size);
    total += end - start;
    if (total > maxWeightBytes) throw tooLarge('Bytes of weights', total, maxWeightBytes);
    const bytes = await readPart(join(folder, location), start, end - start, context);
    files.set(location, { start, bytes });
  }
  return (tensor, wanted) => {
    const { location, offset, length } = placeOf(tensor);
    const { start, bytes } = files.get(location)!;
    if (length !== null && length !== wanted) {
      throw corrupt(
        `The tensor "${tensor.name ?? ''}" takes ${wanted} bytes, ${location} holds ${length} for it`,
        { path: location },
      );
    }
    const from = offset - start;
    if (from + wanted > bytes.length) {
      throw outside(location, offset + wanted, start + bytes.length);
    }
    return bytes.subarray(from, from + wanted);
  };
}

function outside(location: string, end: number, size: number): Error {
  return corrupt(
    `The weight file ${location} has ${size} bytes, the model wants to read up to ${end}`,
    { path: location },
  );
}

async function fileSize(folder: string, location: string): Promise<number> {
  let real: string;
  try {
    real = await realpath(join(folder, location));
    const info = await stat(real);
    if (!info.isFile()) throw new Error('no file');
    // A link may lead out of the folder where no part of the path does.
    if (real.startsWith((await realpath(folder)) + sep)) return info.size;
  } catch (cause) {
    throw corrupt(
      `The weight file ${location} is missing beside the model`,
      { path: location },
      cause,
    );
  }
  throw unsafePath(location);
}
