// Writes TFLite metadata: how a picture becomes the input, and what the outputs are called. The form is that of the
// official image classifier writer, so that Android's and MediaPipe's tools find what they look for.

import { Builder, type Offset } from 'flatbuffers';
import { inferShapes } from '../../../graph/shapes';
import type { Model } from '../../../graph/types';
import { outputNames } from '../../output-names';
import {
  axisLabels,
  bgrMark,
  colorSpaces,
  contentTypes,
  fields,
  metadataIdentifier,
  metadataName,
  minParserVersion,
  normalizationUnit,
  tableSizes,
} from './schema';
import type { MetadataEntry } from '../serialize';
import { appendZip } from './zip';

const labelsFile = 'labels.txt';

type Table = keyof typeof fields;

/** Fields of a table: strings and vectors by their offsets, small numbers as they are. */
type Values = Readonly<Record<string, { readonly offset: Offset } | { readonly byte: number }>>;

class MetadataBuilder {
  private readonly builder = new Builder(1024);

  table(name: Table, values: Values): { readonly offset: Offset } {
    const ids: Readonly<Record<string, number>> = fields[name];
    this.builder.startObject(tableSizes[name]);
    for (const [field, value] of Object.entries(values)) {
      if ('offset' in value) this.builder.addFieldOffset(ids[field]!, value.offset, 0);
      else this.builder.addFieldInt8(ids[field]!, value.byte, 0);
    }
    return { offset: this.builder.endObject() };
  }

  text(value: string): { readonly offset: Offset } {
    return { offset: this.builder.createString(value) };
  }

  floats(values: readonly number[]): { readonly offset: Offset } {
    this.builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) this.builder.addFloat32(value);
    return { offset: this.builder.endVector() };
  }

  list(items: readonly { readonly offset: Offset }[]): { readonly offset: Offset } {
    this.builder.startVector(4, items.length, 4);
    for (const { offset } of [...items].reverse()) this.builder.addOffset(offset);
    return { offset: this.builder.endVector() };
  }

  finish({ offset }: { readonly offset: Offset }): Uint8Array {
    this.builder.finish(offset, metadataIdentifier);
    return this.builder.asUint8Array();
  }
}

/** The metadata entry of a model that takes one image; none for others. */
export function metadataEntries(model: Model): readonly MetadataEntry[] {
  const channels = imageChannels(model);
  if (channels === null) return [];
  const b = new MetadataBuilder();
  const outputs = model.graph.outputs.map(({ name }, i) => outputMetadata(b, model, name, i === 0));
  const subgraph = b.table('subgraph', {
    inputs: b.list([imageMetadata(b, model)]),
    outputs: b.list(outputs),
  });
  const root = b.table('modelMetadata', {
    name: b.text(model.graph.name),
    description: b.text(`${model.graph.name}, written by Secateur.`),
    subgraphs: b.list([subgraph]),
    minParserVersion: b.text(minParserVersion),
  });
  return [{ name: metadataName, bytes: b.finish(root) }];
}

/** The file with the class names behind it, as the official writer packs them. */
export function withLabels(bytes: Uint8Array, model: Model): Uint8Array {
  if (model.labels === null || imageChannels(model) === null) return bytes;
  const content = new TextEncoder().encode(`${model.labels.join('\n')}\n`);
  return appendZip(bytes, [{ name: labelsFile, content }]);
}

function imageChannels({ graph }: Model): 1 | 3 | null {
  const [input, ...others] = graph.inputs;
  const channels = input?.shape[2];
  const isImage = others.length === 0 && input?.shape.length === 3;
  return isImage && (channels === 1 || channels === 3) ? channels : null;
}

function imageMetadata(b: MetadataBuilder, { graph, preprocessing }: Model): { offset: Offset } {
  const { scale, channelOrder } = preprocessing;
  // (pixel * scale - mean) / std is (pixel - mean / scale) / (std / scale).
  const mean = preprocessing.mean.map((value) => value / scale);
  const std = preprocessing.std.map((value) => value / scale);
  const at = (pixel: number): readonly number[] => {
    const length = Math.max(mean.length, std.length);
    return Array.from({ length }, (_, i) => {
      return (pixel - (mean[i] ?? mean[0]!)) / (std[i] ?? std[0]!);
    });
  };
  const [height, width] = graph.inputs[0]!.shape;
  const order = channelOrder === 'gray' ? 'grey' : channelOrder === 'bgr' ? bgrMark : 'RGB';
  const space = { gray: colorSpaces.grayscale, rgb: colorSpaces.rgb, bgr: colorSpaces.unknown };
  const normalization = b.table('normalization', { mean: b.floats(mean), std: b.floats(std) });
  const unit = b.table('processUnit', {
    type: { byte: normalizationUnit },
    options: normalization,
  });
  const content = b.table('content', {
    type: { byte: contentTypes.image },
    properties: b.table('image', { colorSpace: { byte: space[channelOrder] } }),
  });
  const ends = [at(0), at(255)];
  const extreme = (pick: (...values: number[]) => number): readonly number[] =>
    ends[0]!.map((value, i) => pick(value, ends[1]![i]!));
  return b.table('tensor', {
    name: b.text('image'),
    description: b.text(`Image of ${width ?? 0} x ${height ?? 0} pixels, ${order}.`),
    content,
    processUnits: b.list([unit]),
    stats: b.table('stats', { max: b.floats(extreme(Math.max)), min: b.floats(extreme(Math.min)) }),
  });
}

const outputWords = {
  logits: 'logit',
  softmax: 'probability',
  'label-logits': 'logit',
  sigmoid: 'probability',
  values: null,
} as const;

function outputMetadata(
  b: MetadataBuilder,
  model: Model,
  name: string,
  isFirst: boolean,
): { offset: Offset } {
  const word = outputWords[model.outputKind];
  const hasLabels = isFirst && model.labels !== null;
  const file = hasLabels
    ? b.table('file', {
        name: b.text(labelsFile),
        description: b.text('Names in the order of the output.'),
        type: { byte: axisLabels },
      })
    : null;
  const content = b.table('content', {
    type: { byte: contentTypes.feature },
    // FeatureProperties has no fields.
    properties: b.table('image', {}),
  });
  const shape = inferShapes(model.graph).get(model.graph.outputs[0]!.tensor)!;
  return b.table('tensor', {
    name: b.text(word !== null && isFirst ? word : name),
    ...(word === null || !isFirst
      ? {}
      : {
          description: b.text(
            `One ${word} for each of ${shape.at(-1) ?? 1} ${outputNames[model.outputKind]}.`,
          ),
        }),
    content,
    ...(file === null ? {} : { files: b.list([file]) }),
  });
}
