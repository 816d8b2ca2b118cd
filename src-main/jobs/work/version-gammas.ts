// The gammas that versions have, as histograms of the comparison show them.

import { gammasOf, type GammaSample } from '../../engine/train/gammas';
import type { Questions } from '../analyst-protocol';
import { examine } from './model-cache';

/** Null for a version without batch norm. @throws AppError MODEL_CORRUPT */
export async function versionGammas({
  files,
}: Questions['gammas']['args']): Promise<Questions['gammas']['reply']> {
  const samples: (GammaSample | null)[] = [];
  for (const file of files) samples.push(gammasOf((await examine(file)).model.graph));
  return samples;
}
