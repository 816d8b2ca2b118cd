// The whole contract between window and main process. One entry here is one call, end to end: the preload
// lets through exactly `callNames`, the router asks for a schema (schemas.ts) and a handler (handlers/) for
// each, and the page calls it through src-renderer/api.ts. A missing one is a type error.

import type { LayerDiff } from '../engine/graph/diff';
import type { ErrorInfo } from '../engine/errors';
import type { Metric, Progress } from '../engine/context';
import type { DecodeOptions, SplitName, Task } from '../engine/data/types';
import type { StoredPrecision } from '../engine/graph/cost';
import type { QuantizedTensor, ReadFormat } from '../engine/formats/types';
import type { Cost, Preprocessing, Shape } from '../engine/graph/types';
import type { StructureCosts } from '../engine/prune/choices';
import type { FlipKind } from '../engine/measure/types';
import type { PruneSchedule } from '../engine/prune/schedule';
import type { SensitivityOptions } from '../engine/prune/sensitivity/types';
import type { Group, LayerReport, PruneOptions } from '../engine/prune/types';
import type { OptimizerDefaults, ScheduleDefaults, TrainPurpose } from '../engine/train/defaults';
import type { GammaSample } from '../engine/train/gammas';
import type { ScratchBudget } from '../engine/train/scratch';
import type {
  BackendName,
  DistillOptions,
  EpochRecord,
  RateCurve,
  RecalibrateOptions,
  TrainOptions,
} from '../engine/train/types';
import type { JobEvent, JobRequest, TrainRequest } from '../jobs/types';
import type {
  DatasetId,
  DatasetRecord,
  EvaluationRecord,
  ExportId,
  JobId,
  JobRecord,
  Recovery,
  SensitivityRecord,
  Timestamp,
  TrashEntry,
  VersionDetail,
  VersionId,
  VersionSummary,
} from '../project/types';

export type ThemeChoice = 'system' | 'light' | 'dark';

export interface AppInfo {
  readonly version: string;
  readonly electron: string;
  readonly platform: string;
  readonly device: { readonly cpu: string; readonly cores: number; readonly memoryBytes: number };
  readonly theme: ThemeChoice;
}

/** What trains here: native TensorFlow, a GPU by WebGPU, or the slow pure JavaScript backend. */
export interface BackendInfo {
  readonly name: BackendName;
  readonly detail: string;
  /** A GPU that is taken instead for trainings that it is faster at; null without one. */
  readonly rival: string | null;
}

export interface RecentProject {
  /** Opaque; the page never names a path. */
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  readonly openedAt: Timestamp;
  readonly missing: boolean;
}

export interface ProjectState {
  readonly name: string;
  readonly folder: string;
  readonly baseline: VersionId | null;
  readonly versions: readonly VersionSummary[];
  readonly datasets: readonly DatasetRecord[];
  readonly jobs: readonly JobRecord[];
  /** What became of each cut, oldest first. */
  readonly recoveries: readonly Recovery[];
  readonly trash: readonly TrashEntry[];
  /** What start-up found and mended: damaged blobs, restored backup. */
  readonly warnings: readonly string[];
}

/** A model file that was looked at but not yet imported. */
export interface ImportPreview {
  /** Names the file in a later import request, in place of its path. */
  readonly token: string;
  readonly fileName: string;
  readonly format: ReadFormat;
  readonly modelName: string;
  readonly inputShape: Shape;
  readonly classes: number;
  readonly labels: readonly string[] | null;
  readonly preprocessing: Preprocessing;
  readonly preprocessingKnown: boolean;
  readonly cost: Cost;
  readonly layers: readonly {
    readonly name: string;
    readonly op: string;
    readonly outputShape: Shape;
    readonly params: number;
    readonly macs: number;
    readonly group: number | null;
    /** Why its channels cannot be cut, or null. */
    readonly frozen: string | null;
  }[];
  readonly groups: readonly Group[];
  readonly prunableLayers: number;
  readonly frozen: readonly { readonly layer: string; readonly reason: string }[];
  /** Convolutions that could be cut by gammas if a batch norm followed them. */
  readonly withoutNorm: number;
  /** Tensors of a model of integers, which can only be looked at; null of any other. */
  readonly quantized: readonly QuantizedTensor[] | null;
  readonly notes: readonly string[];
}

/** A path with images that was looked at but not yet attached. */
export interface DataPreview {
  readonly token: string;
  readonly folder: string;
  readonly suggestedName: string;
}

/** What a training is set to at first, and what each choice in it sets. */
export interface TrainDefaults {
  readonly options: TrainOptions;
  readonly optimizers: OptimizerDefaults;
  readonly schedules: ScheduleDefaults;
  readonly distill: DistillOptions;
  /** Norm that gradients are clipped to, by the task of the data; `options` are for classes. */
  readonly clip: Readonly<Record<Task, number | null>>;
}

/** What a training from scratch beside a fine-tuning would be. */
export interface ScratchPlan {
  /** The uncut network, and for how many epochs it was trained; null where that is not known. */
  readonly original: {
    readonly id: VersionId;
    readonly name: string;
    readonly epochs: number | null;
  };
  /** Of each budget; null while the original's are neither known nor given. */
  readonly epochs: Readonly<Record<ScratchBudget, number>> | null;
}

export interface PrunePreview {
  readonly before: Cost;
  readonly after: Cost;
  /** Bytes of the float32 .tflite file before, and estimated for after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly layers: readonly LayerReport[];
  readonly groups: readonly Group[];
  readonly layersCut: number;
  readonly layersPrunable: number;
  /** Bytes of the weights before the cut, by the precision that an export writes them in. */
  readonly weightBytes: Readonly<Record<StoredPrecision, number>>;
  /** True where a limit on latency stands behind it: the job measures, this takes MACs for time. */
  readonly latencyGuessed: boolean;
  /** The share of the limited figure that is left after each step. */
  readonly stepShares: readonly number[];
  /** By layer, the channels to keep: makes the same cut again as a table. */
  readonly table: Readonly<Record<string, number>>;
  /** What the cut comes to under each choice that the structure of the model leaves. */
  readonly choices: StructureCosts;
  /** The command that does the same. */
  readonly command: string;
}

export interface SampleImage {
  /** data: URL of a PNG. */
  readonly image: string;
  /** Class index; null where an image has not one class. */
  readonly label: number | null;
  /** What the version says, where one was asked and there are classes: class index and probability. */
  readonly predicted: { readonly label: number; readonly probability: number } | null;
  /** Where an image has not one class: 1 or 0 for each label, or the values; else null. */
  readonly targets: readonly number[] | null;
  /** What the version says of each target, where one was asked: a probability, or a value. */
  readonly answers: readonly number[] | null;
}

/** What is stored of a version's training and tests. */
export interface VersionResults {
  readonly version: VersionId;
  readonly history: readonly EpochRecord[];
  /** Oldest first. */
  readonly evaluations: readonly EvaluationRecord[];
}

type Answer = NonNullable<SampleImage['predicted']>;

/** An image that two versions answer otherwise. */
export interface FlippedImage {
  /** Within its split. */
  readonly index: number;
  /** data: URL of a PNG. */
  readonly image: string;
  readonly label: number;
  readonly a: Answer;
  readonly b: Answer;
}

export interface FlipPage {
  /** Images of the split. */
  readonly samples: number;
  readonly counts: Readonly<Record<FlipKind, number>>;
  /** How many there are of the kind and the class that were asked for. */
  readonly total: number;
  /** The most certain answers of the second version first. */
  readonly images: readonly FlippedImage[];
}

/** Requests as the page makes them: tokens in place of paths. */
export type PageJobRequest =
  | Exclude<JobRequest, { kind: 'import' | 'add-data' | 'export' }>
  | (Omit<Extract<JobRequest, { kind: 'import' }>, 'path'> & { readonly token: string })
  | (Omit<Extract<JobRequest, { kind: 'add-data' }>, 'path'> & { readonly token: string })
  | (Omit<Extract<JobRequest, { kind: 'export' }>, 'folder'> & {
      /** From `export.chooseFolder`; null puts it into the project's exports folder. */
      readonly folderToken: string | null;
    });

export interface Calls {
  'app.info': { args: Record<string, never>; reply: AppInfo };
  /** Loads the library to see, which takes seconds: nothing that is shown first may wait for it. */
  'app.backend': { args: Record<string, never>; reply: BackendInfo };
  'app.setTheme': { args: { theme: ThemeChoice }; reply: void };
  'app.showLog': { args: Record<string, never>; reply: void };
  'app.copyText': { args: { text: string }; reply: void };
  'app.saveText': {
    args: { suggestedName: string; text: string };
    /** False when the user closed the dialog. */
    reply: boolean;
  };
  'app.saveImage': { args: { suggestedName: string; pngDataUrl: string }; reply: boolean };

  'recents.list': { args: Record<string, never>; reply: readonly RecentProject[] };
  'recents.forget': { args: { id: string }; reply: void };

  /** Null wherever the user closed the dialog. */
  'project.create': { args: { name: string }; reply: ProjectState | null };
  'project.open': { args: Record<string, never>; reply: ProjectState | null };
  'project.openRecent': { args: { id: string }; reply: ProjectState };
  'project.openSample': { args: Record<string, never>; reply: ProjectState };
  'project.current': { args: Record<string, never>; reply: ProjectState | null };
  'project.close': { args: Record<string, never>; reply: void };
  'project.setBaseline': { args: { version: VersionId }; reply: void };
  'project.showFolder': { args: Record<string, never>; reply: void };

  'import.choose': { args: Record<string, never>; reply: ImportPreview | null };
  'data.choose': { args: Record<string, never>; reply: DataPreview | null };
  'data.samples': {
    args: { data: DatasetId; split: SplitName; count: number; version: VersionId | null };
    reply: readonly SampleImage[];
  };
  'data.decodeDefaults': { args: Record<string, never>; reply: DecodeOptions };

  'versions.detail': { args: { version: VersionId }; reply: VersionDetail };
  /** Two versions layer by layer; either may be of another family. */
  'versions.diff': { args: { a: VersionId; b: VersionId }; reply: readonly LayerDiff[] };
  'compare.results': {
    args: { versions: readonly VersionId[] };
    reply: readonly VersionResults[];
  };
  /** The gammas of each version; null for one without batch norm. */
  'compare.gammas': {
    args: { versions: readonly VersionId[] };
    reply: readonly (GammaSample | null)[];
  };
  /** Images that two versions answer otherwise: the first page for two versions takes as long as both need to answer. */
  'compare.flips': {
    args: {
      a: VersionId;
      b: VersionId;
      data: DatasetId;
      split: SplitName;
      kind: FlipKind;
      /** Images of this class alone; null takes all. */
      label: number | null;
      offset: number;
      count: number;
    };
    reply: FlipPage;
  };
  /** Gives up comparing answers, which then ends with CANCELLED. */
  'compare.stopFlips': { args: Record<string, never>; reply: void };
  'versions.rename': { args: { version: VersionId; name: string }; reply: void };
  'trash.put': { args: { kind: 'version' | 'dataset'; id: string }; reply: void };
  'trash.restore': { args: { kind: 'version' | 'dataset'; id: string }; reply: void };

  'prune.preview': {
    args: {
      version: VersionId;
      options: PruneOptions;
      steps: number;
      schedule: PruneSchedule;
      /** What criteria that are measured look at: the first preview for it takes as long as that. */
      data: DatasetId | null;
    };
    reply: PrunePreview;
  };
  /** Gives up measuring for a preview, which then ends with CANCELLED. */
  'prune.stopMeasuring': { args: Record<string, never>; reply: void };
  'prune.defaults': { args: Record<string, never>; reply: PruneOptions };
  /** Maps of a version, also those not finished, oldest first. */
  'sensitivity.list': { args: { version: VersionId }; reply: readonly SensitivityRecord[] };
  'sensitivity.defaults': { args: Record<string, never>; reply: SensitivityOptions };
  'train.defaults': {
    args: { version: VersionId; purpose: TrainPurpose };
    reply: TrainDefaults;
  };
  /** Tries learning rates for a training to come. */
  'train.findRate': {
    args: Pick<TrainRequest, 'version' | 'data' | 'options' | 'init' | 'teacher'>;
    reply: RateCurve;
  };
  /** Gives up a search for a learning rate, which then ends with CANCELLED. */
  'train.stopFinding': { args: Record<string, never>; reply: void };

  'train.scratchPlan': {
    args: {
      version: VersionId;
      /** Of the slim network; null takes those of the version. */
      macs: number | null;
      /** Epochs of the original; null takes what is known. */
      originalEpochs: number | null;
    };
    reply: ScratchPlan;
  };
  /** Images a second of a training with these options, from a few steps that are thrown away. */
  'train.speed': {
    args: Pick<TrainRequest, 'version' | 'data' | 'options'>;
    reply: number;
  };
  'recalibrate.defaults': { args: Record<string, never>; reply: RecalibrateOptions };
  /** How far the penalty on gamma moves a gamma that nothing needs; null where that cannot be told. */
  'train.gammaTravel': {
    args: { options: TrainOptions; images: number };
    reply: number | null;
  };

  'export.chooseFolder': {
    args: Record<string, never>;
    reply: { token: string; folder: string } | null;
  };
  'export.reveal': { args: { export: ExportId }; reply: void };

  'zoo.list': {
    args: Record<string, never>;
    reply: readonly {
      id: string;
      title: string;
      description: string;
      inputShape: Shape;
      classes: number;
    }[];
  };

  'jobs.start': { args: { request: PageJobRequest }; reply: JobId };
  'jobs.cancel': { args: { job: JobId }; reply: void };
  /** Starts an interrupted, failed or cancelled job again with the same request. */
  /** Ends a job early so that it can be resumed. */
  'jobs.pause': { args: { job: JobId }; reply: void };
  /** Goes on with an interrupted, paused or failed job where it stood. */
  'jobs.resume': { args: { job: JobId }; reply: void };
  'jobs.retry': { args: { job: JobId }; reply: JobId };
  /** Removes an ended job from the list. */
  'jobs.dismiss': { args: { job: JobId }; reply: void };
  /** What a job has measured so far, oldest first: the curves of a page that was not there from the start. */
  'jobs.metrics': { args: { job: JobId }; reply: readonly Metric[] };
  /** The command line that does the same as a request. */
  'jobs.command': { args: { request: PageJobRequest }; reply: string };
}

export type CallName = keyof Calls;
export type Args<N extends CallName> = Calls[N]['args'];
export type Reply<N extends CallName> = Calls[N]['reply'];

/** What the preload lets the page invoke: every call (a type test keeps this list complete). */
export const callNames = [
  'app.info',
  'app.backend',
  'app.setTheme',
  'app.showLog',
  'app.copyText',
  'app.saveText',
  'app.saveImage',
  'recents.list',
  'recents.forget',
  'project.create',
  'project.open',
  'project.openRecent',
  'project.openSample',
  'project.current',
  'project.close',
  'project.setBaseline',
  'project.showFolder',
  'import.choose',
  'data.choose',
  'data.samples',
  'data.decodeDefaults',
  'versions.detail',
  'versions.diff',
  'compare.results',
  'compare.gammas',
  'compare.flips',
  'compare.stopFlips',
  'versions.rename',
  'trash.put',
  'trash.restore',
  'prune.preview',
  'prune.stopMeasuring',
  'prune.defaults',
  'sensitivity.list',
  'sensitivity.defaults',
  'train.defaults',
  'train.findRate',
  'train.stopFinding',
  'train.scratchPlan',
  'train.speed',
  'train.gammaTravel',
  'recalibrate.defaults',
  'export.chooseFolder',
  'export.reveal',
  'zoo.list',
  'jobs.start',
  'jobs.cancel',
  'jobs.pause',
  'jobs.resume',
  'jobs.retry',
  'jobs.dismiss',
  'jobs.metrics',
  'jobs.command',
] as const satisfies readonly CallName[];

type Missing = Exclude<CallName, (typeof callNames)[number]>;
/** A type error here means that `callNames` lacks a call. */
export const callNamesAreComplete: Missing extends never ? true : Missing = true;

/**
 * Calls that the preload makes itself for a dropped File: the path comes from the operating system
 * (webUtils.getPathForFile), never from the page.
 */
export interface DropCalls {
  'drop.inspect': {
    args: { path: string };
    reply:
      | { readonly kind: 'model'; readonly preview: ImportPreview }
      | { readonly kind: 'data'; readonly preview: DataPreview }
      | { readonly kind: 'project'; readonly state: ProjectState };
  };
}

/** Commands of the application menu and its accelerators, carried out by the page. */
export type MenuCommand =
  | 'home'
  | 'new-project'
  | 'open-project'
  | 'open-sample'
  | 'import'
  | 'add-data'
  | 'prune'
  | 'compare'
  | 'export'
  | 'settings'
  | 'shortcuts'
  | 'cancel-job';

export interface Events {
  job: JobEvent;
  /** Versions, data sets, jobs or trash changed: here is everything again. */
  project: ProjectState | null;
  menu: MenuCommand;
  /** How far the measuring for a preview is. */
  measuring: Progress;
  /** How far the search for a learning rate is. */
  finding: Progress;
  /** How far the answers of versions that are compared have come. */
  comparing: Progress;
  /** A model given on the command line or opened from the system, already looked at. */
  openModel: ImportPreview;
  /** An error that no call waits for. */
  problem: ErrorInfo;
}

export type EventName = keyof Events;
export const eventNames = [
  'job',
  'project',
  'menu',
  'measuring',
  'finding',
  'comparing',
  'openModel',
  'problem',
] as const satisfies readonly EventName[];

/** Every reply crosses in an envelope, since thrown errors lose their code on the way. */
export type Envelope<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ErrorInfo };

/** What the preload puts on `window.secateur`. */
export interface Bridge {
  invoke<N extends CallName>(name: N, args: Args<N>): Promise<Envelope<Reply<N>>>;
  on<E extends EventName>(name: E, listener: (payload: Events[E]) => void): () => void;
  dropped(file: File): Promise<Envelope<DropCalls['drop.inspect']['reply']>>;
}
