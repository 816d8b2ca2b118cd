// Writes a model as ONNX: one file, float32, operators of set 17, images with channels first.

import type { Model } from '../../graph/types';
import type { ModelWriter, WrittenFile } from '../types';
import { onnxUsage } from '../usage';
import { exportGraph } from './export/graph';
import { writtenMetadata } from './metadata';
import { encodeModelProto } from './proto/codec';
import { openOnnxRunner } from './runner';

export const onnxWriter: ModelWriter = {
  format: 'onnx',
  write: (model) => Promise.resolve([writeFile(model)]),
  usage: onnxUsage,
  openRunner: openOnnxRunner,
};

/** Of the versions that today's runtimes read: set 17 came with version 8 of the file format. */
const irVersion = 8;
const opset = 17;

const description =
  'Images are channels first, [batch, channels, height, width]. How a picture becomes the input is in the metadata ' +
  '"preprocessing", the names of the classes are in "labels".';

function writeFile(model: Model): WrittenFile {
  const { graph } = model;
  const { program, inputs, outputs } = exportGraph(graph);
  const bytes = encodeModelProto({
    irVersion,
    producerName: 'Secateur',
    docString: description,
    opsetImport: [{ domain: '', version: opset }],
    metadataProps: writtenMetadata(model),
    graph: {
      name: graph.name,
      node: program.nodes,
      initializer: program.initializers,
      input: inputs,
      output: outputs,
    },
  });
  return { path: 'model.onnx', bytes };
}
