// Writes a model for TensorFlow.js: model.json and its weights in files of 4 MiB, as tfjs's own tools do.

import type { Model, Weight } from '../../graph/types';
import type { ModelWriter, WrittenFile } from '../types';
import { pageUsage } from '../usage';
import { exportGraph, type LayersModel } from '../keras-config/export/model';
import { describeMetadata } from '../keras-config/metadata';
import { openTfjsRunner } from './runner';

/** Browsers cache files up to this size (tfjs-converter, write_weights.py). */
const shardBytes = 4 * 1024 * 1024;

export const tfjsLayersWriter: ModelWriter = {
  format: 'tfjs-layers',
  title: 'TensorFlow.js Layers',
  precisions: ['fp32'],
  write: (model) => Promise.resolve(writeFiles(model)),
  usage: pageUsage,
  openRunner: openTfjsRunner,
};

function writeFiles(model: Model): readonly WrittenFile[] {
  const exported = exportGraph(model.graph, 'tfjs');
  const data = concatenate(exported.weights);
  const shards = splitIntoShards(data);
  const json = {
    format: 'layers-model',
    generatedBy: 'Secateur',
    convertedBy: null,
    modelTopology: topology(model, exported),
    weightsManifest: [
      {
        paths: shards.map(({ path }) => path),
        weights: [...exported.weights].map(([name, { shape, dtype }]) => ({ name, shape, dtype })),
      },
    ],
    userDefinedMetadata: describeMetadata(model, exported.notes),
  };
  return [{ path: 'model.json', bytes: new TextEncoder().encode(JSON.stringify(json)) }, ...shards];
}

function topology(model: Model, exported: LayersModel): Readonly<Record<string, unknown>> {
  return {
    class_name: 'Functional',
    config: {
      name: model.graph.name,
      layers: exported.layers,
      input_layers: exported.inputs,
      output_layers: exported.outputs,
    },
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  };
}

function concatenate(weights: ReadonlyMap<string, Weight>): Uint8Array {
  const total = [...weights.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const { data } of weights.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

function splitIntoShards(data: Uint8Array): readonly WrittenFile[] {
  const count = Math.max(1, Math.ceil(data.length / shardBytes));
  return Array.from({ length: count }, (_, i) => ({
    path: `group1-shard${i + 1}of${count}.bin`,
    bytes: data.subarray(i * shardBytes, (i + 1) * shardBytes),
  }));
}
