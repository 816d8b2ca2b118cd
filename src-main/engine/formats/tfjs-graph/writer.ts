// Writes a model as a TensorFlow.js graph model: model.json and its weights in files of 4 MiB, as the converter does.
//
// Batch norms behind filters are folded into them: of the ways to write a model this is the smallest and the fastest,
// one fused operation a convolution. Other batch norms stay operations of their own.

import type { Model } from '../../graph/types';
import { encodeWeights, weightPrecision } from '../tfjs-weights/encode';
import type { ModelWriter, WriteOptions, WrittenFile } from '../types';
import { pageUsage } from '../usage';
import { exportGraph } from './export/model';
import type { SecateurMetadata } from './metadata';
import { openGraphRunner } from './runner';

export const tfjsGraphWriter: ModelWriter = {
  format: 'tfjs-graph',
  write: (model, options) => Promise.resolve(writeFiles(model, options)),
  usage: pageUsage,
  openRunner: openGraphRunner,
};

/** The GraphDef version of TensorFlow 2.16: what its converter writes. */
const producer = 1882;

function writeFiles(model: Model, { precision }: WriteOptions): readonly WrittenFile[] {
  const { builder, signature } = exportGraph(model.graph);
  const { manifest, shards } = encodeWeights(builder.weights, weightPrecision(precision));
  const json = {
    format: 'graph-model',
    generatedBy: 'Secateur',
    convertedBy: null,
    signature,
    userDefinedMetadata: userMetadata(model),
    modelTopology: { node: builder.nodes, library: {}, versions: { producer } },
    weightsManifest: manifest,
  };
  return [{ path: 'model.json', bytes: new TextEncoder().encode(JSON.stringify(json)) }, ...shards];
}

function userMetadata({ graph, labels, preprocessing, outputKind }: Model): object {
  const secateur: SecateurMetadata = {
    version: 1,
    name: graph.name,
    preprocessing: {
      ...preprocessing,
      mean: [...preprocessing.mean],
      std: [...preprocessing.std],
    },
    outputKind,
    outputs: graph.outputs.map(({ name }) => name),
  };
  return { ...(labels === null ? {} : { labels }), secateur };
}
