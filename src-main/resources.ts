// Where files that ship with the app lie: beside the sources, or in the packaged app's resources folder.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Absolute path of `resources` for a bundle in out/main, packaged (outside the archive) or not. */
export function resourcesFolder(): string {
  const packaged = join(process.resourcesPath ?? '', 'resources');
  if (process.resourcesPath && existsSync(packaged)) return packaged;
  return join(__dirname, '..', '..', 'resources');
}

/** The bundled sample: images, labels and model. */
export const sampleFolder = (): string => join(resourcesFolder(), 'sample');
