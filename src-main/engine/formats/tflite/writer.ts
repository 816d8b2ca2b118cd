// The writer of .tflite files, in all precisions.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors';
import type { Model } from '../../graph/types';
import { openLiteRt } from '../../measure/litert';
import type { Affine } from '../../quantize/types';
import { needsImages, noSuchPrecision } from '../precisions';
import type { ModelWriter, Precision, WrittenFile } from '../types';
import { tfliteUsage } from '../usage';
import { lowerGraph } from './lower-graph';
import { metadataEntries, withLabels } from './metadata/write';
import { parseFile } from './parse';
import { toDynamicRange } from './precision/dynamic-range';
import { reducedPrecision, toFloat16 } from './precision/float16';
import { quantizeModel } from './precision/int8/quantize';
import type { Port, ProgramData } from './program';
import { serializeProgram, type MetadataEntry } from './serialize';

export const tfliteWriter: ModelWriter = {
  format: 'tflite',
  write(model, { precision, name }) {
    const program = programOf(model, precision);
    const entries = precision === 'fp16' ? [reducedPrecision] : [];
    return Promise.resolve([fileOf(model, name, program, entries)]);
  },
  async quantize(model, options, context) {
    const { program, report } = await quantizeModel(model, options, context);
    return { files: [fileOf(model, options.name, program)], report };
  },
  usage: tfliteUsage,
  async openRunner(folder, files) {
    const file = files.find((path) => path.endsWith('.tflite'));
    if (file === undefined) {
      throw new AppError('NOT_FOUND', `There is no .tflite file in ${folder}.`, 'Export again.');
    }
    const bytes = new Uint8Array(await readFile(join(folder, file)));
    const { program } = parseFile(bytes);
    const scalesOf = (ports: readonly Port[]): readonly (Affine | null)[] =>
      ports.map(({ tensor }) => scaleOf(program, tensor));
    return openLiteRt(bytes, {
      scales: { input: scalesOf(program.inputs)[0] ?? null, outputs: scalesOf(program.outputs) },
    });
  },
};

function fileOf(
  model: Model,
  name: string,
  program: ProgramData,
  entries: readonly MetadataEntry[] = [],
): WrittenFile {
  const bytes = serializeProgram(program, [...entries, ...metadataEntries(model)]);
  return { path: `${name}.tflite`, bytes: withLabels(bytes, model) };
}

function programOf({ graph }: Model, precision: Precision): ProgramData {
  switch (precision) {
    case 'fp32':
      return lowerGraph(graph);
    case 'fp16':
      return toFloat16(lowerGraph(graph));
    case 'int8-dynamic':
      return toDynamicRange(lowerGraph(graph));
    case 'int8':
      throw needsImages();
    case 'uint8':
      throw noSuchPrecision(tfliteWriter.format, precision);
  }
}

function scaleOf(program: ProgramData, tensor: number): Affine | null {
  const quantization = program.tensors[tensor]!.quantization;
  if (quantization === null) return null;
  return { scale: quantization.scales[0]!, zeroPoint: quantization.zeroPoints[0]! };
}
