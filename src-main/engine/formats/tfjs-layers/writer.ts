// Writes a model for TensorFlow.js: model.json and its weights in files of 4 MiB, as tfjs's own tools do.

import type { Model } from '../../graph/types';
import { encodeWeights, weightPrecision, type WeightPrecision } from '../tfjs-weights/encode';
import type { ModelWriter, WrittenFile } from '../types';
import { pageUsage } from '../usage';
import { exportGraph, type LayersModel } from '../keras-config/export/model';
import { describeMetadata } from '../keras-config/metadata';
import { openTfjsRunner } from './runner';

export const tfjsLayersWriter: ModelWriter = {
  format: 'tfjs-layers',
  write: (model, { precision }) => Promise.resolve(writeFiles(model, weightPrecision(precision))),
  usage: pageUsage,
  openRunner: openTfjsRunner,
};

function writeFiles(model: Model, precision: WeightPrecision): readonly WrittenFile[] {
  const exported = exportGraph(model.graph, 'tfjs');
  const { manifest, shards } = encodeWeights(exported.weights, precision);
  const json = {
    format: 'layers-model',
    generatedBy: 'Secateur',
    convertedBy: null,
    modelTopology: topology(model, exported),
    weightsManifest: manifest,
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
