// Where everything lies inside a project folder.

import { join } from 'node:path';

export interface ProjectPaths {
  readonly folder: string;
  readonly database: string;
  readonly lock: string;
  /** Content-addressed files, named by their sha256. */
  readonly blobs: string;
  /** Copies of the database. */
  readonly backups: string;
  readonly exports: string;
  /** One sub-folder a running job; emptied at each start. */
  readonly temp: string;
  /** One sub-folder a job that stands in the middle of a training: what it needs to go on. */
  readonly checkpoints: string;
  /** Blobs that a restored backup does not know: kept, never deleted. */
  readonly recovered: string;
}

/** @param folder absolute path of the project folder */
export function projectPaths(folder: string): ProjectPaths {
  return {
    folder,
    database: join(folder, 'project.db'),
    lock: join(folder, 'project.lock'),
    blobs: join(folder, 'blobs'),
    backups: join(folder, 'backups'),
    exports: join(folder, 'exports'),
    temp: join(folder, 'temp'),
    checkpoints: join(folder, 'checkpoints'),
    recovered: join(folder, 'recovered'),
  };
}
