// Jobs: what can be asked for, what a worker is told, and what it says back.

import type { DecodeOptions, DatasetInfo, SplitName } from '../engine/data/types';
import type { Metric, Progress } from '../engine/context';
import type { ErrorInfo } from '../engine/errors';
import type { Precision, QuantizeOptions, ReadFormat, WriteFormat } from '../engine/formats/types';
import type { Cost, Preprocessing, Shape } from '../engine/graph/types';
import type { Scored } from '../engine/measure/score';
import type { Evaluation, Latency, LatencyRuntime, Verification } from '../engine/measure/types';
import type {
  SensitivityHead,
  SensitivityOptions,
  SensitivityPoint,
} from '../engine/prune/sensitivity/types';
import type { PruneSchedule } from '../engine/prune/schedule';
import type { Equivalence, LayerReport, PruneOptions } from '../engine/prune/types';
import type { ScratchBudget, ScratchStart } from '../engine/train/scratch';
import type { EpochRecord, RecalibrateOptions, TrainOptions } from '../engine/train/types';
import type {
  DatasetId,
  ExportedFile,
  ExportId,
  JobId,
  JobState,
  Operation,
  SensitivityId,
  SensitivityRecord,
  VersionId,
} from '../project/types';
import type { RepeatableType, SavedOutput } from './saved-outputs';

/** Everything a job needs to be repeated exactly; stored with the job and with what it makes. */
export type JobRequest =
  | ImportRequest
  | ZooRequest
  | PruneRequest
  | TrainRequest
  | RecalibrateRequest
  | EvaluateRequest
  | MeasureRequest
  | SensitivityRequest
  | ExportRequest
  | AddDataRequest;

export type JobKind = JobRequest['kind'];

export interface ImportRequest {
  readonly kind: 'import';
  readonly path: string;
  readonly name: string | null;
  /** Overrides what the file says or leaves open. */
  readonly preprocessing: Preprocessing | null;
  readonly labels: readonly string[] | null;
  /** Evaluate on this data set afterwards. */
  readonly data: DatasetId | null;
  /** Put batch norms back where a converter has folded them; not unless said. */
  readonly reinsertBatchNorms?: boolean;
  readonly measure: boolean;
}

export interface ZooRequest {
  readonly kind: 'zoo';
  readonly architecture: string;
  readonly inputShape: Shape | null;
  readonly classes: number | null;
  readonly seed: number;
  /** Batch norm's gamma at the start; 1 unless given. */
  readonly gamma?: number;
  readonly name: string | null;
}

export interface PruneRequest {
  readonly kind: 'prune';
  readonly version: VersionId;
  readonly options: PruneOptions;
  /** Cut in this many steps, recovering after each; 1 is one shot. */
  readonly steps: number;
  /** A training before each cut that pushes gammas towards 0 (Network Slimming, whose passes the steps are). */
  readonly sparsify?: TrainOptions;
  /** How far each of several steps goes; 'linear' unless given. */
  readonly schedule?: PruneSchedule;
  /** Data for criteria that are measured, evaluation, recalibration and fine-tuning; null leaves these out. */
  readonly data: DatasetId | null;
  /** Recompute BN statistics on training images after the cut (a version of its own). */
  readonly recalibrate: boolean;
  /** Fine-tune after the cut; null leaves it out. */
  readonly fineTune: TrainOptions | null;
  /** What the fine-tuning learns from, as its options of distillation say. */
  readonly teacher?: VersionId;
  /** Trainings of the same slim network from scratch, each a job of its own behind this one. */
  readonly controls?: ControlsRequest;
  readonly measure: boolean;
  readonly name: string | null;
}

export interface ControlsRequest {
  readonly budgets: readonly ScratchBudget[];
  /** Epochs that the original was trained for. */
  readonly originalEpochs: number;
  /** Runs of each budget, whose seeds count up. */
  readonly seeds: number;
}

export interface TrainRequest {
  readonly kind: 'train';
  readonly version: VersionId;
  readonly data: DatasetId;
  readonly options: TrainOptions;
  /** What it learns from beside the labels, as the options of distillation say. */
  readonly teacher?: VersionId;
  /** What it starts from: the weights of the version, or new random ones of the same architecture. */
  readonly init: 'weights' | ScratchStart;
  readonly measure: boolean;
  readonly name: string | null;
}

/** New batch norm statistics: a version of its own. */
export interface RecalibrateRequest {
  readonly kind: 'recalibrate';
  readonly version: VersionId;
  readonly data: DatasetId;
  readonly options: RecalibrateOptions;
  readonly name: string | null;
}

export interface EvaluateRequest {
  readonly kind: 'evaluate';
  readonly versions: readonly VersionId[];
  readonly data: DatasetId;
  readonly split: SplitName;
}

export interface MeasureRequest {
  readonly kind: 'measure';
  readonly versions: readonly VersionId[];
  readonly runtime: LatencyRuntime;
  readonly threads: number;
  readonly runs: number;
}

export interface SensitivityRequest {
  readonly kind: 'sensitivity';
  readonly version: VersionId;
  readonly data: DatasetId;
  readonly options: SensitivityOptions;
}

export interface ExportRequest {
  readonly kind: 'export';
  readonly version: VersionId;
  readonly format: WriteFormat;
  readonly precision: Precision;
  /** Images for the verification, and for int8 to calibrate on; null verifies on random input. */
  readonly data: DatasetId | null;
  /** How activations become integers at precision 'int8'; `quantizeDefaults` unless given. */
  readonly quantize?: QuantizeChoices;
  /** Absolute folder; null means exports/<version name>-<format> inside the project. */
  readonly folder: string | null;
}

/** What one can choose about full int8. */
export type QuantizeChoices = Pick<QuantizeOptions, 'method' | 'io' | 'keepFloat'>;

export interface AddDataRequest {
  readonly kind: 'add-data';
  readonly path: string;
  readonly name: string | null;
  readonly decode: DecodeOptions;
}

/** A request with everything it names resolved to files: the worker knows no database. */
export interface JobSpec {
  readonly jobId: JobId;
  readonly request: JobRequest;
  readonly versions: Readonly<Record<VersionId, VersionSource>>;
  readonly datasets: Readonly<Record<DatasetId, DatasetSource>>;
  /** What a sensitivity analysis goes on from, or what a cut by sensitivity goes by. */
  readonly sensitivity: SensitivityRecord | null;
  /** For staged blobs; same file system as the project's blob store. */
  readonly tempDir: string;
  /** Where exports go that name no folder. */
  readonly exportsDir: string;
  /** Kept until the job is done: where a training stands. */
  readonly checkpointDir: string;
  /** What an earlier run of the job has saved, in order. */
  readonly saved: readonly SavedOutput[];
  readonly engineVersion: string;
}

export interface VersionSource {
  readonly id: VersionId;
  readonly name: string;
  readonly file: string;
  readonly accuracy: (Scored & { readonly dataName: string }) | null;
  readonly latency: readonly Latency[];
  /** Names from the first ancestor to this version, for model cards. */
  readonly lineage: readonly { readonly name: string; readonly operation: Operation }[];
}

export interface DatasetSource {
  readonly id: DatasetId;
  readonly name: string;
  readonly cacheFile: string;
  readonly info: DatasetInfo;
}

/** A file in the job's temp folder, on its way into the blob store. */
export interface StagedBlob {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface VersionDraft {
  readonly blob: StagedBlob;
  readonly suggestedName: string;
  readonly parent: VersionId | null;
  readonly operation: Operation;
  readonly options: unknown;
  readonly seed: number | null;
  readonly cost: Cost;
  readonly bytes: number;
  readonly bytesOf: 'tflite' | 'weights';
  readonly inputShape: Shape;
  readonly classes: number;
  readonly source: {
    readonly format: ReadFormat | 'zoo' | null;
    readonly notes: readonly string[];
  };
  readonly equivalence: Equivalence | null;
  readonly layers: readonly LayerReport[] | null;
  readonly history: readonly EpochRecord[];
}

/** What a job gives the project while it runs; each is committed at once and answered with its id. */
export type JobOutput =
  | { readonly type: 'version'; readonly draft: VersionDraft }
  | {
      readonly type: 'evaluation';
      readonly version: VersionId;
      readonly data: DatasetId;
      readonly accuracy: Evaluation;
    }
  | { readonly type: 'measurement'; readonly version: VersionId; readonly latency: Latency }
  | {
      readonly type: 'sensitivity';
      readonly version: VersionId;
      readonly data: DatasetId;
      readonly head: SensitivityHead;
    }
  | {
      readonly type: 'sensitivity-point';
      readonly map: SensitivityId;
      readonly point: SensitivityPoint;
    }
  | {
      readonly type: 'export';
      readonly version: VersionId;
      readonly format: WriteFormat;
      readonly precision: Precision;
      readonly folder: string;
      readonly files: readonly ExportedFile[];
      readonly verification: Verification | null;
    }
  | {
      readonly type: 'dataset';
      readonly name: string;
      readonly sourcePath: string;
      readonly info: DatasetInfo;
      readonly cache: StagedBlob;
    };

/** Given to the job functions in `jobs/work`; implemented over messages, see `jobs/job-server.ts`. */
export interface JobContext {
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  metric(metric: Metric): void;
  log(level: 'info' | 'warn', text: string): void;
  /** Hands over a result and waits until the project has it; the id given to it. */
  save(output: JobOutput): Promise<string>;
  /** The id of the next output if an earlier run of the job has made it: then it need not be made again. */
  earlier(type: RepeatableType): string | null;
  /** Outputs so far. */
  position(): number;
  /**
   * Says that a training begins, or goes on behind so many points of its curves: those behind them will come again.
   * @param backend what computes it
   */
  trainingFrom(points: number, backend: string): void;
  /** Whether the job was asked to stop so that it can go on later: the signal is aborted then. */
  isPausing(): boolean;
}

/** Main to worker. */
export type WorkerCommand =
  | { readonly type: 'start'; readonly spec: JobSpec }
  /** Stop, for good or (`pause`) to go on later. */
  | { readonly type: 'cancel' }
  | { readonly type: 'pause' }
  | { readonly type: 'saved'; readonly ref: number; readonly id: string }
  | { readonly type: 'save-failed'; readonly ref: number; readonly error: ErrorInfo };

/** Worker to main. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: Progress }
  /** `part` counts the outputs before it. */
  | { readonly type: 'metric'; readonly part: number; readonly metric: Metric }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly text: string }
  | {
      readonly type: 'training-from';
      readonly part: number;
      readonly points: number;
      readonly backend: string;
    }
  | { readonly type: 'save'; readonly ref: number; readonly output: JobOutput }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: ErrorInfo };

/** What front ends are told about jobs; at most ten progress events a second. */
export type JobEvent =
  | {
      readonly type: 'progress';
      readonly jobId: JobId;
      readonly progress: Progress;
      readonly elapsedMs: number;
      /** Null while it cannot be told (before 5 %). */
      readonly etaMs: number | null;
    }
  | { readonly type: 'metric'; readonly jobId: JobId; readonly metric: Metric }
  /** What computes the training that begins. */
  | { readonly type: 'training'; readonly jobId: JobId; readonly backend: string }
  | {
      readonly type: 'log';
      readonly jobId: JobId;
      readonly level: 'info' | 'warn';
      readonly text: string;
    }
  | {
      readonly type: 'state';
      readonly jobId: JobId;
      readonly state: JobState;
      readonly error: ErrorInfo | null;
    }
  | {
      readonly type: 'output';
      readonly jobId: JobId;
      readonly kind: JobOutput['type'];
      readonly id: VersionId | ExportId | DatasetId | SensitivityId;
    };
