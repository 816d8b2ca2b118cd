// Evaluating and measuring versions that exist.

import type { EvaluateRequest, JobContext, JobSpec, MeasureRequest } from '../types';
import { evaluateVersion, loadVersion, measureVersion, openFittingDataset } from './versions';

/** @throws AppError DATA_MISMATCH, CANCELLED; figures of versions already done stay. */
export async function runEvaluate(
  request: EvaluateRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  for (const id of request.versions) {
    const version = await loadVersion(spec, id);
    const dataset = openFittingDataset(spec, request.data, version.model);
    try {
      await evaluateVersion(context, version, { id: request.data, dataset }, request.split);
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
    await measureVersion(context, await loadVersion(spec, id), request);
  }
}
