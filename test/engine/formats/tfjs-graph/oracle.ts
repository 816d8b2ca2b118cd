// TensorFlow.js itself, which loads and runs graph models: the judge of reading and writing.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as converter from '@tensorflow/tfjs-converter';
import type { io, Tensor } from '@tensorflow/tfjs-core';
import { loadBackend } from '../../../../src-main/engine/runtime/backend';
import type { WrittenFile } from '../../../../src-main/engine/formats/types';

export const fixtures = join(import.meta.dirname, '../../../fixtures/tfjs-graph');

interface ModelJson extends Omit<io.ModelJSON, 'weightsManifest'> {
  readonly weightsManifest: io.WeightsManifestConfig;
}

type ReadPart = (path: string) => Promise<Uint8Array>;

async function load(json: ModelJson, readPart: ReadPart): Promise<converter.GraphModel> {
  await loadBackend();
  const tf = await import('@tensorflow/tfjs-core');
  const paths = json.weightsManifest.flatMap((group) => group.paths);
  const data = Uint8Array.from(Buffer.concat(await Promise.all(paths.map(readPart)))).buffer;
  const { modelTopology, signature, userDefinedMetadata, weightsManifest } = json;
  return converter.loadGraphModel(
    tf.io.fromMemory({
      modelTopology,
      weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
      weightData: data,
      ...(signature && { signature }),
      ...(userDefinedMetadata && { userDefinedMetadata }),
    }),
  );
}

export async function loadFolder(folder: string): Promise<converter.GraphModel> {
  const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as ModelJson;
  return load(json, (path) => readFile(join(folder, path)));
}

export async function loadWritten(files: readonly WrittenFile[]): Promise<converter.GraphModel> {
  const bytesOf = (path: string): Uint8Array => files.find((file) => file.path === path)!.bytes;
  const json = JSON.parse(new TextDecoder().decode(bytesOf('model.json'))) as ModelJson;
  return load(json, (path) => Promise.resolve(bytesOf(path)));
}

/** The operations of a written model in order, stored numbers and inputs left out. */
export function operationsOf(files: readonly WrittenFile[]): readonly string[] {
  const json = JSON.parse(new TextDecoder().decode(files[0]!.bytes)) as {
    readonly modelTopology: { readonly node: readonly { readonly op: string }[] };
  };
  const rest = new Set(['Const', 'Placeholder', 'Shape', 'StridedSlice', 'Pack']);
  return json.modelTopology.node.map(({ op }) => op).filter((op) => !rest.has(op));
}

/** Writes files into a folder and returns it. */
export async function save(files: readonly WrittenFile[], folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const { path, bytes } of files) await writeFile(join(folder, path), bytes);
  return folder;
}

/** The outputs by name, for inputs by name: one sample, or several that follow each other. */
export async function execute(
  model: converter.GraphModel,
  inputs: Readonly<Record<string, ArrayLike<number>>>,
  samples = 1,
): Promise<Readonly<Record<string, Float32Array>>> {
  const tf = await import('@tensorflow/tfjs-core');
  const { inputs: given, outputs: wanted } = model.modelSignature as {
    readonly inputs: Readonly<Record<string, SignatureEntry>>;
    readonly outputs: Readonly<Record<string, SignatureEntry>>;
  };
  const tensors: Record<string, Tensor> = {};
  for (const [name, values] of Object.entries(inputs)) {
    const entry = given[name]!;
    const sizes = entry.tensorShape.dim.slice(1).map(({ size }) => Number(size));
    tensors[entry.name] = tf.tensor(Float32Array.from(values), [samples, ...sizes]);
  }
  const names = Object.keys(wanted);
  const results = model.execute(
    tensors,
    names.map((name) => wanted[name]!.name),
  );
  const list = Array.isArray(results) ? results : [results];
  const data = await Promise.all(list.map((tensor) => tensor.data<'float32'>()));
  tf.dispose([list, Object.values(tensors)]);
  return Object.fromEntries(names.map((name, i) => [name, data[i]!]));
}

interface SignatureEntry {
  readonly name: string;
  readonly tensorShape: { readonly dim: readonly { readonly size: string }[] };
}
