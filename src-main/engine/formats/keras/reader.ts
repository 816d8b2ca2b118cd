// Reads Keras models: .keras archives (Keras 3, and 2 from 2.12 on) and whole models in one .h5 file.

import { open } from 'node:fs/promises';
import type { EngineContext } from '../../context';
import { AppError, toAppError } from '../../errors';
import { assembleModel, majorVersion, type DescribedModel } from '../keras-config/assemble';
import { isObject, type JsonObject } from '../keras-config/config';
import { corrupt, tooLarge } from '../keras-config/errors';
import { maxJsonBytes, maxWeightBytes } from '../keras-config/limits';
import { parseTopology } from '../keras-config/topology';
import { fillFrom } from '../pieces';
import type { ImportResult, ModelReader } from '../types';
import { KerasArchive } from './archive';
import { planArchiveWeights } from './archive-weights';
import type { Hdf5File } from './hdf5/file';
import { defaultLimitMs, type Looked, readHdf5 } from './hdf5/read';
import { planLegacyWeights } from './legacy-weights';
import { entryNames, metadataAttribute } from './names';
import { PlannedWeights, type WeightPlan } from './variables';

/** Weights, and the structure of the file around them. */
const maxFileBytes = maxWeightBytes + maxJsonBytes;

/** Groups that files of weights alone have. */
const weightGroups = ['/model_weights', '/layers', '/_layer_checkpoint_dependencies'];

const hdf5Signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const zipSignature = [0x50, 0x4b, 0x03, 0x04];

function startsWith(head: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, i) => head[i] === byte);
}

export const kerasReader: ModelReader = {
  format: 'keras',
  async detect(path, head) {
    if (!startsWith(head, zipSignature)) return false;
    // Keras writes these first; another program may pack them in another order.
    const first = new TextDecoder('latin1').decode(head.subarray(30, 94));
    if (/^(metadata\.json|config\.json|model\.weights\.)/.test(first)) return true;
    try {
      const archive = await KerasArchive.open(path);
      archive.close();
      return archive.has(entryNames.config) || archive.has(entryNames.weights);
    } catch {
      return false;
    }
  },
  read: async (path, context) => assembled(await openArchive(path, context, defaultLimitMs)),
};

export const kerasH5Reader: ModelReader = {
  format: 'keras-h5',
  detect: (_path, head) => Promise.resolve(startsWith(head, hdf5Signature)),
  read: async (path, context) => assembled(await openH5(path, context, defaultLimitMs)),
};

function assembled({ format, ...described }: KerasContent): ImportResult {
  return { ...assembleModel(described), format };
}

function parseJson(text: string, what: string): JsonObject {
  try {
    const json: unknown = JSON.parse(text);
    if (isObject(json)) return json;
  } catch (error) {
    // A SyntaxError, or a RangeError for brackets nested deeper than the parser's stack.
    const why = error instanceof Error ? error.message : String(error);
    throw corrupt(`${what} is not valid JSON: ${why.slice(0, 200)}`, {}, error);
  }
  throw corrupt(`${what} does not hold an object`);
}

/** The datasets of a plan, to be read. */
function look<T extends { readonly plan: WeightPlan }>(found: T): Looked<T> {
  return { found, datasets: [...found.plan.values()].flatMap((ofLayer) => [...ofLayer.values()]) };
}

/** What a file holds, its weights read. */
export interface KerasContent extends DescribedModel {
  readonly format: 'keras' | 'keras-h5';
}

/**
 * Opens a Keras file of either kind, by its content.
 * @param limitMs time that HDF5 is given for a small file
 * @throws AppError MODEL_* as the readers, or the reason of the signal
 */
export async function openContent(
  path: string,
  context: EngineContext,
  limitMs = defaultLimitMs,
): Promise<KerasContent> {
  return (await kerasH5Reader.detect(path, await readHead(path)))
    ? openH5(path, context, limitMs)
    : openArchive(path, context, limitMs);
}

async function openArchive(
  path: string,
  context: EngineContext,
  limitMs: number,
): Promise<KerasContent> {
  const archive = await KerasArchive.open(path);
  try {
    const text = async (name: string): Promise<string> =>
      new TextDecoder().decode(await archive.read(name, maxJsonBytes, context));
    const topology = parseTopology(parseJson(await text(entryNames.config), entryNames.config));
    const metadata = archive.has(entryNames.metadata)
      ? parseJson(await text(entryNames.metadata), entryNames.metadata)
      : {};
    const content = await archive.read(entryNames.weights, maxFileBytes, context);
    const { found, weights } = await readHdf5(
      content,
      (file) => look({ plan: planArchiveWeights(file, topology) }),
      context,
      limitMs,
    );
    const stated = metadata['keras_version'];
    return {
      format: 'keras',
      topology,
      weights: new PlannedWeights(found.plan, weights),
      kerasMajor: stated === undefined ? 3 : majorVersion(stated),
      metadata,
    };
  } finally {
    archive.close();
  }
}

async function openH5(
  path: string,
  context: EngineContext,
  limitMs: number,
): Promise<KerasContent> {
  const content = await readWhole(path, context);
  const { found, weights } = await readHdf5(
    content,
    (file) => {
      const config = file.text('/', 'model_config');
      if (config === null) throw noModel(path, holdsWeights(file));
      const metadata = file.text('/', metadataAttribute);
      const version = file.text('/', 'keras_version');
      const topology = parseTopology(parseJson(config, 'The description of the model'));
      return look({
        topology,
        // Keras 2 of old wrote no version.
        kerasMajor: version === null ? 2 : majorVersion(version),
        metadata: metadata === null ? {} : parseJson(metadata, 'The metadata of the model'),
        plan: planLegacyWeights(file, topology),
      });
    },
    context,
    limitMs,
  );
  const { plan, ...described } = found;
  return { format: 'keras-h5', ...described, weights: new PlannedWeights(plan, weights) };
}

/** Whether a file without a model has what files of weights alone have. */
function holdsWeights(file: Hdf5File): boolean {
  return (
    ['layer_names', 'layer_names0'].some((name) => file.texts('/', name) !== null) ||
    weightGroups.some((group) => file.kindOf(group) === 'group')
  );
}

function noModel(path: string, isWeights: boolean): AppError {
  const message = isWeights
    ? 'This HDF5 file holds the weights of a Keras model, but not the model itself.'
    : 'This HDF5 file holds no Keras model: it has no attribute "model_config".';
  return new AppError(
    'MODEL_FORMAT_UNKNOWN',
    message,
    'Save the whole model with model.save("model.keras") and open that file.',
    { details: { path } },
  );
}

async function readHead(path: string): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const head = new Uint8Array(hdf5Signature.length);
    await handle.read(head, 0, head.length, 0);
    return head;
  } finally {
    await handle.close();
  }
}

/** A whole file, in an array of its own. */
async function readWhole(path: string, context: EngineContext): Promise<Uint8Array> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      if (size > maxFileBytes) throw tooLarge('Bytes of the HDF5 file', size, maxFileBytes);
      const bytes = new Uint8Array(size);
      const label = 'Reading the file';
      const ended = (): Error => corrupt('The file ended while it was read', { path });
      await fillFrom(handle, bytes, 0, { label, ended }, context);
      return bytes;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (context.signal.aborted) throw error;
    throw toAppError(error);
  }
}
