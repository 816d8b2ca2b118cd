// Reads TFLite metadata: labels and normalisation, as far as they are there. What is damaged is left out, with a note:
// the model runs without.

import type { Preprocessing } from '../../../graph/types';
import { AppError } from '../../../errors';
import { FlatTable } from '../flat-table';
import { maxLabels } from '../limits';
import {
  axisLabels,
  bgrMark,
  colorSpaces,
  contentTypes,
  fields,
  normalizationUnit,
} from './schema';
import { readPacked } from './zip';

export interface ReadMetadata {
  readonly name: string | null;
  readonly preprocessing: Preprocessing | null;
  readonly labels: readonly string[] | null;
  readonly notes: readonly string[];
}

const nothing: ReadMetadata = { name: null, preprocessing: null, labels: null, notes: [] };

/**
 * @param metadata the entry of the file
 * @param file the whole file, behind which labels are packed
 * @param channels of the input image
 */
export async function readMetadata(
  metadata: Uint8Array | undefined,
  file: Uint8Array,
  channels: number,
): Promise<ReadMetadata> {
  if (metadata === undefined) return nothing;
  try {
    const root = FlatTable.root(metadata);
    const subgraph = root.tables(fields.modelMetadata.subgraphs)[0];
    const input = subgraph?.tables(fields.subgraph.inputs)[0];
    const labels = await labelsOf(subgraph?.tables(fields.subgraph.outputs)[0], file);
    return {
      name: root.string(fields.modelMetadata.name),
      preprocessing: input ? preprocessingOf(input, channels) : null,
      ...labels,
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...nothing, notes: ['The metadata in the file is damaged and was left aside.'] };
  }
}

async function labelsOf(
  output: FlatTable | undefined,
  file: Uint8Array,
): Promise<Pick<ReadMetadata, 'labels' | 'notes'>> {
  const entry = output
    ?.tables(fields.tensor.files)
    .find((table) => table.int8(fields.file.type) === axisLabels);
  const name = entry?.string(fields.file.name);
  if (!name) return { labels: null, notes: [] };
  const content = await readPacked(file, name);
  if (content === null) {
    return { labels: null, notes: [`The labels in "${name}" cannot be read and were left out.`] };
  }
  const lines = new TextDecoder().decode(content).split(/\r?\n/);
  const labels = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  return labels.length > maxLabels
    ? { labels: null, notes: [`"${name}" has ${labels.length} lines and was left out.`] }
    : { labels, notes: [] };
}

function preprocessingOf(input: FlatTable, channels: number): Preprocessing | null {
  const unit = input
    .tables(fields.tensor.processUnits)
    .find((table) => table.uint8(fields.processUnit.type) === normalizationUnit)
    ?.table(fields.processUnit.options);
  if (!unit) return null;
  const mean = unit.float32Vector(fields.normalization.mean);
  const std = unit.float32Vector(fields.normalization.std);
  const fits = [mean, std].every(
    (values) => values.length === 1 || (values.length > 0 && values.length === channels),
  );
  const isUsable =
    mean.every(Number.isFinite) && std.every((value) => value > 0 && value < Infinity);
  if (!fits || !isUsable) return null;
  return { ...scaled(mean, std), channelOrder: channelOrderOf(input, channels) };
}

/**
 * (pixel - mean) / std as (pixel * scale - mean) / std with the scale that people give: a common deviation goes into it,
 * several ones stand beside pixels from 0 to 1.
 */
function scaled(
  mean: readonly number[],
  std: readonly number[],
): Pick<Preprocessing, 'scale' | 'mean' | 'std'> {
  const isSame = (values: readonly number[]): boolean =>
    values.every((value) => value === values[0]);
  const scale = isSame(std) ? 1 / std[0]! : 1 / 255;
  const short = (values: readonly number[]): readonly number[] =>
    isSame(values) ? values.slice(0, 1) : values;
  return {
    scale,
    mean: short(mean.map((value) => value * scale)),
    std: isSame(std) ? [1] : std.map((value) => value * scale),
  };
}

function channelOrderOf(input: FlatTable, channels: number): Preprocessing['channelOrder'] {
  if (channels === 1) return 'gray';
  const content = input.table(fields.tensor.content);
  const isImage = content?.uint8(fields.content.type) === contentTypes.image;
  const properties = isImage ? content.table(fields.content.properties) : null;
  const space = properties?.int8(fields.image.colorSpace);
  const description = input.string(fields.tensor.description) ?? '';
  const isBgr = space === colorSpaces.unknown && description.includes(bgrMark);
  return isBgr ? 'bgr' : 'rgb';
}
