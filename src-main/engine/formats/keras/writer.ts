// Writes models for Keras: .keras archives for Keras 3, and .h5 files that Keras 2 and 3 load.

import yazl from 'yazl';
import { buffer } from 'node:stream/consumers';
import type { Model } from '../../graph/types';
import type { ModelWriter } from '../types';
import { kerasUsage } from '../usage';
import { groupNames } from './archive-weights';
import { asKeras2, asKeras3, describeLayers, type DescribedLayers } from './describe';
import { Hdf5Writer } from './hdf5/write';
import { modelWeights, ownWeights } from './legacy-weights';
import { entryNames, metadataAttribute } from './names';
import { openKerasRunner } from './runner';
import { layersOf, variablesOf } from './variables';

export const kerasWriter: ModelWriter = {
  format: 'keras',
  write: async (model) => [{ path: 'model.keras', bytes: await writeArchive(model) }],
  usage: kerasUsage,
  openRunner: openKerasRunner,
};

export const kerasH5Writer: ModelWriter = {
  format: 'keras-h5',
  write: async (model) => [{ path: 'model.h5', bytes: await writeH5(model) }],
  usage: kerasUsage,
  openRunner: openKerasRunner,
};

/** The versions of Keras whose way of writing this is. */
const versions = { archive: '3.0.0', h5: '2.15.0' } as const;

/** Equal models give equal files: no time passes in them. */
const noTime = { stated: '1980-01-01@00:00:00', mtime: new Date(1980, 0, 1) } as const;

async function writeArchive(model: Model): Promise<Uint8Array> {
  const described = describeLayers(model);
  const metadata = {
    keras_version: versions.archive,
    date_saved: noTime.stated,
    ...described.metadata,
  };
  const zip = new yazl.ZipFile();
  const add = (name: string, bytes: Uint8Array): void => {
    zip.addBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), name, {
      mtime: noTime.mtime,
      forceDosTimestamp: true,
      // Stored as it is, as Keras does it, which reads it in place.
      compress: false,
    });
  };
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  add(entryNames.metadata, json(metadata));
  add(entryNames.config, json(asKeras3(described)));
  add(entryNames.weights, await archiveWeights(described));
  zip.end();
  return buffer(zip.outputStream as NodeJS.ReadableStream);
}

/** model.weights.h5: see archive-weights.ts. */
async function archiveWeights({ name, topology, weightOf }: DescribedLayers): Promise<Uint8Array> {
  const file = await Hdf5Writer.create();
  const addVariables = (path: string, owner: string): void => {
    file.group(path);
    file.text(path, 'name', owner);
  };
  addVariables('/vars', name);
  for (const [layer, group] of groupNames(layersOf(topology))) {
    const path = `/layers/${group}/vars`;
    addVariables(path, layer.name);
    variablesOf(layer).forEach((variable, i) => {
      file.dataset(`${path}/${i}`, weightOf(layer, variable.name)!);
    });
  }
  return file.finish();
}

/** A whole model: see legacy-weights.ts. */
async function writeH5(model: Model): Promise<Uint8Array> {
  const described = describeLayers(model);
  const { topology, layers, weightOf, metadata } = described;
  const file = await Hdf5Writer.create();
  const states = (path: string): void => {
    file.text(path, 'backend', 'tensorflow');
    file.text(path, 'keras_version', versions.h5);
  };
  states('/');
  file.text('/', 'model_config', JSON.stringify(asKeras2(described)));
  file.text('/', metadataAttribute, JSON.stringify(metadata));
  file.group(modelWeights);
  states(modelWeights);
  const names = layers.map((layer) => layer.name);
  file.texts(modelWeights, 'layer_names', names);
  for (const name of names) {
    const path = `${modelWeights}/${name}`;
    const layer = topology.layers.get(name)!;
    const variables = layer.className === 'InputLayer' ? [] : variablesOf(layer);
    const stored = variables.map((variable) => `${name}/${variable.name}:0`);
    file.group(path);
    file.texts(path, 'weight_names', stored);
    variables.forEach((variable, i) => {
      file.dataset(`${path}/${stored[i]!}`, weightOf(layer, variable.name)!);
    });
  }
  file.group(`${modelWeights}/${ownWeights}`);
  file.texts(`${modelWeights}/${ownWeights}`, 'weight_names', []);
  return file.finish();
}
