// All repositories over one connection or over one transaction.

import type { Sql } from '../database';
import { BlobsRepository } from './blobs';
import { DatasetsRepository } from './datasets';
import { EvaluationsRepository } from './evaluations';
import { ExportsRepository } from './exports';
import { JobsRepository } from './jobs';
import { MeasurementsRepository } from './measurements';
import { MetricsRepository } from './metrics';
import { SensitivityRepository } from './sensitivity';
import { SettingsRepository } from './settings';
import { VersionsRepository } from './versions';

export interface Repositories {
  readonly blobs: BlobsRepository;
  readonly datasets: DatasetsRepository;
  readonly evaluations: EvaluationsRepository;
  readonly exports: ExportsRepository;
  readonly jobs: JobsRepository;
  readonly measurements: MeasurementsRepository;
  readonly metrics: MetricsRepository;
  readonly sensitivity: SensitivityRepository;
  readonly settings: SettingsRepository;
  readonly versions: VersionsRepository;
}

export function repositoriesOver(sql: Sql): Repositories {
  return {
    blobs: new BlobsRepository(sql),
    datasets: new DatasetsRepository(sql),
    evaluations: new EvaluationsRepository(sql),
    exports: new ExportsRepository(sql),
    jobs: new JobsRepository(sql),
    measurements: new MeasurementsRepository(sql),
    metrics: new MetricsRepository(sql),
    sensitivity: new SensitivityRepository(sql),
    settings: new SettingsRepository(sql),
    versions: new VersionsRepository(sql),
  };
}
