// The writer of float32 .tflite files.

import { join } from 'node:path';
import { AppError } from '../../errors';
import { openLiteRt } from '../../measure/litert';
import type { ModelWriter } from '../types';
import { tfliteUsage } from '../usage';
import { lowerGraph } from './lower-graph';
import { serializeProgram } from './serialize';

export const tfliteWriter: ModelWriter = {
  format: 'tflite',
  title: 'TensorFlow Lite',
  precisions: ['fp32'],
  write(model, options) {
    return Promise.resolve([
      { path: `${options.name}.tflite`, bytes: serializeProgram(lowerGraph(model.graph)) },
    ]);
  },
  usage: tfliteUsage,
  openRunner(folder, files) {
    const file = files.find((path) => path.endsWith('.tflite'));
    if (file === undefined) {
      throw new AppError('NOT_FOUND', `There is no .tflite file in ${folder}.`, 'Export again.');
    }
    return openLiteRt(join(folder, file));
  },
};
