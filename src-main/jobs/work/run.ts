// The table of job kinds: the one place that knows which function does which job.

import type { JobContext, JobKind, JobRequest, JobSpec } from '../types';
import { runAddData } from './add-data';
import { runEvaluate, runMeasure } from './examine';
import { runExport } from './export';
import { runImport, runZoo } from './import';
import { runPrune } from './prune';
import { runRecalibrate } from './recovery';
import { runSensitivity } from './sensitivity';
import { runTrain } from './train';

type Runner<K extends JobKind> = (
  request: Extract<JobRequest, { kind: K }>,
  spec: JobSpec,
  context: JobContext,
) => Promise<void>;

const runners: { readonly [K in JobKind]: Runner<K> } = {
  import: runImport,
  zoo: runZoo,
  prune: runPrune,
  train: runTrain,
  recalibrate: runRecalibrate,
  evaluate: runEvaluate,
  measure: runMeasure,
  sensitivity: runSensitivity,
  export: runExport,
  'add-data': runAddData,
};

/** Does a job; its results go through `context.save`. Resolves when all is done and saved. */
export async function runJob(spec: JobSpec, context: JobContext): Promise<void> {
  const run = runners[spec.request.kind] as Runner<JobKind>;
  await run(spec.request as never, spec, context);
}
