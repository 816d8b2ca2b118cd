// Sensitivity analysis as a job: each point is stored as it comes, so that a run that was cancelled or killed goes
// on where it stopped when it is started again.

import { scanSensitivity, sensitivitySplit } from '../../engine/prune/sensitivity';
import { requireClasses } from '../../engine/data/fit';
import type { JobContext, JobSpec, SensitivityRequest } from '../types';
import { datasetSource } from './files';
import { loadVersion, openFittingDataset } from './versions';

/** @throws AppError INVALID_ARGUMENT, DATA_MISMATCH, CANCELLED; points already stored stay. */
export async function runSensitivity(
  request: SensitivityRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  const { data, options } = request;
  const version = await loadVersion(spec, request.version);
  requireClasses(datasetSource(spec, data).info, 'Sensitivity maps');
  const dataset = openFittingDataset(spec, data, version.model);
  let id = spec.sensitivity?.id ?? '';
  try {
    const known = spec.sensitivity?.map ?? null;
    const split = sensitivitySplit(dataset);
    const images = Math.min(options.samples, dataset.counts[split]);
    context.log('info', `Scored on ${images} images of the split "${split}".`);
    if (known !== null) {
      context.log('info', `${known.points.length} points of an earlier run are used.`);
    }
    await scanSensitivity(
      version.model,
      dataset,
      options,
      {
        head: async (head) => {
          id = await context.save({ type: 'sensitivity', version: version.id, data, head });
        },
        point: async (point) => {
          await context.save({ type: 'sensitivity-point', map: id, point });
        },
      },
      context,
      { known },
    );
  } finally {
    dataset.close();
  }
}
