// Attaching a data set: decoded once into a cache that becomes a blob of the project.

import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';

import { decodeDataset } from '../../engine/data/decode';
import type { AddDataRequest, JobContext, JobSpec } from '../types';
import { begin } from './context';
import { stagedFile } from './files';

/** @throws AppError DATA_FORMAT_UNKNOWN, DATA_CORRUPT, DATA_IMAGE_UNREADABLE, CANCELLED */
export async function runAddData(
  request: AddDataRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  if (context.earlier('dataset') !== null) return;
  const cacheFile = join(spec.tempDir, randomUUID());
  const info = await decodeDataset(request.path, cacheFile, request.decode, context);
  await begin(context, 'writing', 'Saving the image cache');
  await context.save({
    type: 'dataset',
    name: request.name ?? basename(request.path),
    sourcePath: request.path,
    info,
    cache: await stagedFile(cacheFile),
  });
}
