// The sample project, made the same way as any other: by jobs that attach the images and import the model.

import { join } from 'node:path';

import { defaultDecodeOptions } from '../engine/data/defaults';
import type { JobRecord } from '../project/types';
import type { JobRequest } from './types';

/** Names in the sample project; the first-run screen and the README speak of them. */
export const sampleNames = {
  project: 'Fashion sample',
  data: 'fashion',
  version: 'fashion-resnet',
} as const;

/**
 * Fills an empty project from the sample folder.
 * @param run runs a job to its end (command line) or queues it (window); data must be there before the model
 */
export async function createSampleProject(
  folder: string,
  run: (request: JobRequest) => Promise<JobRecord>,
): Promise<void> {
  const attached = await run({
    kind: 'add-data',
    path: join(folder, 'images'),
    name: sampleNames.data,
    decode: defaultDecodeOptions,
  });
  await run({
    kind: 'import',
    path: join(folder, 'model', 'model.json'),
    name: sampleNames.version,
    preprocessing: null,
    labels: null,
    data: attached.datasets[0] ?? null,
    measure: true,
  });
}
