// Records of a project: what the database holds and what every front end (window, command line) is shown.

import type { DatasetFormat, DatasetInfo, SplitName, Task } from '../engine/data/types';
import type { ErrorInfo } from '../engine/errors';
import type { Precision, ReadFormat, WriteFormat } from '../engine/formats/types';
import type { Cost, NodeId, Op, OutputKind, Preprocessing, Shape } from '../engine/graph/types';
import type {
  Accuracy,
  Evaluation,
  LabelScores,
  Latency,
  ValueErrors,
  Verification,
} from '../engine/measure/types';
import type { Verdict } from '../engine/measure/verdict';
import type { StructureChoices } from '../engine/prune';
import type { SensitivityMap } from '../engine/prune/sensitivity/types';
import type { Equivalence, Group, LayerReport } from '../engine/prune/types';
import type { EpochRecord } from '../engine/train/types';
import type { JobRequest } from '../jobs/types';

export type VersionId = string;
export type DatasetId = string;
export type JobId = string;
export type ExportId = string;
export type SensitivityId = string;
/** ISO 8601, UTC. */
export type Timestamp = string;

export type Operation = 'import' | 'zoo' | 'prune' | 'recalibrate' | 'train' | 'scratch';

/** The figures of an evaluation that lists show, with what they were measured on. */
export type AccuracyFigure = {
  readonly data: DatasetId;
  readonly dataName: string;
  readonly split: SplitName;
  readonly samples: number;
} & (
  | Pick<Accuracy, 'task' | 'top1' | 'top5' | 'macroF1'>
  | Pick<LabelScores, 'task' | 'accuracy' | 'microF1' | 'macroF1'>
  | Pick<ValueErrors, 'task' | 'mae' | 'rmse'>
);

/** What was done to a cut network to win back accuracy, or as a control. */
export type StageName = 'raw' | 'recalibrated' | 'fine-tuned' | 'scratch-e' | 'scratch-b';

/** One of the accuracies of a cut network, which are always kept apart. */
export interface RecoveryStage {
  readonly stage: StageName;
  /** Runs of one recipe that differ by their seeds alone, oldest first. */
  readonly versions: readonly VersionId[];
  /** Epochs of each run; null where nothing was trained. */
  readonly epochs: number | null;
  /** Score of each run (top-1, macro-F1 or mean absolute error) that was evaluated on the images of the recovery. */
  readonly runs: readonly number[];
  /** Their mean, and how far they spread (sample standard deviation); null for none, and for a single one. */
  readonly score: number | null;
  readonly spread: number | null;
}

/** What became of a cut. */
export interface Recovery {
  readonly cut: VersionId;
  /** The network before it was pruned. */
  readonly original: VersionId;
  readonly measuredOn: {
    readonly data: DatasetId;
    readonly split: SplitName;
    readonly samples: number;
    readonly task: Task;
  } | null;
  /** Those that were made, in the order of their names. */
  readonly stages: readonly RecoveryStage[];
  /** Fine-tuned against from scratch, where both were run and evaluated on images of one class each. */
  readonly verdict: Verdict | null;
}

/** A version as lists show it. */
export interface VersionSummary {
  readonly id: VersionId;
  readonly name: string;
  readonly parent: VersionId | null;
  readonly operation: Operation;
  readonly createdAt: Timestamp;
  readonly params: number;
  readonly macs: number;
  /** Bytes of the float32 .tflite file, the size that a device sees; of the raw weights where it has none. */
  readonly bytes: number;
  readonly bytesOf: 'tflite' | 'weights';
  readonly inputShape: Shape;
  readonly classes: number;
  /** Newest figure (test split before validation), or null. */
  readonly accuracy: AccuracyFigure | null;
  /** Newest figure of each runtime and thread count. */
  readonly latency: readonly Latency[];
  readonly equivalence: Equivalence | null;
  /** True when its blob is missing or does not match its checksum. */
  readonly damaged: boolean;
}

export interface LayerRow {
  readonly node: NodeId;
  readonly name: string;
  readonly op: Op;
  readonly outputShape: Shape;
  readonly params: number;
  readonly macs: number;
  /** Output channels in the first imported ancestor, in the parent and now. */
  readonly channels: { readonly original: number; readonly parent: number; readonly now: number };
  readonly group: number | null;
  /** Present for layers with channels: why this one was (not) cut, or cannot be. */
  readonly report: Pick<LayerReport, 'code' | 'reason' | 'cause'> | null;
}

/** Everything the version page shows. */
export interface VersionDetail extends VersionSummary {
  readonly cost: Cost;
  readonly labels: readonly string[] | null;
  readonly preprocessing: Preprocessing;
  readonly outputKind: OutputKind;
  readonly source: {
    readonly format: ReadFormat | 'zoo' | null;
    readonly notes: readonly string[];
  };
  /** Every option of the operation, so that it can be run again. */
  readonly options: unknown;
  readonly engineVersion: string;
  readonly seed: number | null;
  readonly layers: readonly LayerRow[];
  readonly groups: readonly Group[];
  /** What its structure leaves to the user. */
  readonly choices: StructureChoices;
  readonly history: readonly EpochRecord[];
  readonly evaluations: readonly EvaluationRecord[];
  readonly measurements: readonly MeasurementRecord[];
  readonly exports: readonly ExportRecord[];
}

export interface EvaluationRecord {
  readonly version: VersionId;
  readonly data: DatasetId;
  readonly createdAt: Timestamp;
  readonly accuracy: Evaluation;
}

export interface MeasurementRecord {
  readonly version: VersionId;
  readonly createdAt: Timestamp;
  readonly latency: Latency;
}

/** A sensitivity map of a version, as far as it has come. */
export interface SensitivityRecord {
  readonly id: SensitivityId;
  readonly version: VersionId;
  readonly data: DatasetId;
  readonly createdAt: Timestamp;
  readonly map: SensitivityMap;
}

export interface ExportedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ExportRecord {
  readonly id: ExportId;
  readonly version: VersionId;
  readonly format: WriteFormat;
  readonly precision: Precision;
  /** Absolute folder. */
  readonly folder: string;
  readonly files: readonly ExportedFile[];
  readonly verification: Verification | null;
  readonly createdAt: Timestamp;
}

export interface DatasetRecord extends DatasetInfo {
  readonly id: DatasetId;
  readonly name: string;
  readonly sourcePath: string;
  readonly format: DatasetFormat;
  readonly cacheBytes: number;
  readonly createdAt: Timestamp;
}

export type JobState =
  'queued' | 'running' | 'cancelling' | 'done' | 'failed' | 'cancelled' | 'interrupted';

export interface JobRecord {
  readonly id: JobId;
  readonly request: JobRequest;
  /** A short sentence for people: "Prune sample to 50 % of MACs". */
  readonly title: string;
  readonly state: JobState;
  readonly createdAt: Timestamp;
  readonly startedAt: Timestamp | null;
  readonly endedAt: Timestamp | null;
  readonly error: ErrorInfo | null;
  /** Whether it has ended in a way that it can go on from: `resume` does. */
  readonly resumable: boolean;
  /** Versions, in order, that the job has made. */
  readonly versions: readonly VersionId[];
  readonly exports: readonly ExportId[];
  /** Data sets that it has attached. */
  readonly datasets: readonly DatasetId[];
  /** Last lines of its log. */
  readonly log: readonly string[];
}

export interface TrashEntry {
  readonly kind: 'version' | 'dataset';
  readonly id: string;
  readonly name: string;
  readonly deletedAt: Timestamp;
}
