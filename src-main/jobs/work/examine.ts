// Evaluating and measuring versions that exist.

import type { EvaluateRequest, JobContext, JobSpec, MeasureRequest } from '../types';
import { loadModel, versionSource } from './files';
import { evaluateVersion, measureVersion, openFittingDataset } from './versions';

/** @throws AppError DATA_MISMATCH, CANCELLED; figures of versions already done stay. */
export async function runEvaluate(
  request: EvaluateRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  for (const id of request.versions) {
    const model = await loadModel(versionSource(spec, id).file);
    const dataset = openFittingDataset(spec, request.data, model);
    try {
      const data = { id: request.data, dataset, split: request.split };
      await evaluateVersion(context, { version: id, model }, data);
    } finally {
      dataset.close();
    }
  }
}

/** @throws AppError EXPORT_UNSUPPORTED where the runtime cannot take the model, CANCELLED */
export async function runMeasure(
  request: MeasureRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  for (const id of request.versions) {
    const model = await loadModel(versionSource(spec, id).file);
    await measureVersion(context, { version: id, model }, request);
  }
}
