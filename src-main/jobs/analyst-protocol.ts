// Questions that the long-lived analyst process answers: everything that parses foreign files or needs the
// engine while nobody waits for a job. The window's main process itself never loads a model.

import type { Progress } from '../engine/context';
import type { ErrorInfo } from '../engine/errors';
import type { SplitName } from '../engine/data/types';
import type { LayerDiff } from '../engine/graph/diff';
import type { Model } from '../engine/graph/types';
import type { StructureChoices } from '../engine/prune';
import type { PruneSchedule } from '../engine/prune/schedule';
import type { SensitivityMap } from '../engine/prune/sensitivity/types';
import type { Group, LayerReport, PruneOptions } from '../engine/prune/types';
import type { GammaSample } from '../engine/train/gammas';
import type { RateCurve, TrainOptions } from '../engine/train/types';
import type {
  Args,
  BackendInfo,
  FlipPage,
  ImportPreview,
  PrunePreview,
  SampleImage,
} from '../ipc/contract';
import type { LayerRow } from '../project/types';
import type { DatasetSource, TrainRequest } from './types';

export interface ModelDescription extends Pick<Model, 'labels' | 'preprocessing' | 'outputKind'> {
  readonly layers: readonly LayerRow[];
  readonly groups: readonly Group[];
  readonly choices: StructureChoices;
}

export interface Questions {
  /** Reads a foreign model file and says what it is. */
  inspect: { args: { path: string }; reply: Omit<ImportPreview, 'token'> };
  /** The layer table of a version beside its parent and its first ancestor (blob files). */
  describe: {
    args: {
      file: string;
      parent: string | null;
      original: string | null;
      reports: readonly LayerReport[] | null;
    };
    reply: ModelDescription;
  };
  /** Two versions layer by layer (blob files). */
  diff: { args: { a: string; b: string }; reply: readonly LayerDiff[] };
  preview: {
    args: {
      file: string;
      options: PruneOptions;
      bytesBefore: number;
      /** For the scope of that name. */
      sensitivity: SensitivityMap | null;
      /** For criteria that are measured. */
      data: DatasetSource | null;
      steps: number;
      schedule: PruneSchedule;
    };
    reply: Omit<PrunePreview, 'command'>;
  };
  /** Makes previews give up what they measure. */
  stopMeasuring: { args: Record<string, never>; reply: void };
  samples: {
    args: { data: DatasetSource; split: SplitName; count: number; versionFile: string | null };
    reply: readonly SampleImage[];
  };
  /** Images of a split that two versions (blob files) answer otherwise. */
  flips: {
    args: Omit<Args<'compare.flips'>, 'a' | 'b' | 'data'> & {
      a: string;
      b: string;
      data: DatasetSource;
    };
    reply: FlipPage;
  };
  /** Makes `flips` give up. */
  stopComparing: { args: Record<string, never>; reply: void };
  /** Of each version (blob files); null without batch norm. */
  gammas: { args: { files: readonly string[] }; reply: readonly (GammaSample | null)[] };
  /** Tries learning rates for a training to come. */
  findRate: {
    args: {
      file: string;
      teacherFile: string | null;
      data: DatasetSource;
      options: TrainOptions;
      init: TrainRequest['init'];
    };
    reply: RateCurve;
  };
  /** Makes `findRate` give up. */
  stopFinding: { args: Record<string, never>; reply: void };
  /** Images a second of a training to come. */
  speed: {
    args: { file: string; data: DatasetSource; options: TrainOptions };
    reply: number;
  };
  /** The backend that training will use here. */
  backend: {
    args: Record<string, never>;
    reply: BackendInfo;
  };
}

export type QuestionName = keyof Questions;

export type AnalystRequest = {
  [Q in QuestionName]: {
    readonly type: 'ask';
    readonly ref: number;
    readonly name: Q;
    readonly args: Questions[Q]['args'];
  };
}[QuestionName];

/** Any number of progress messages, then one answer or refusal. */
export type AnalystReply =
  | { readonly type: 'progress'; readonly ref: number; readonly progress: Progress }
  | { readonly type: 'answer'; readonly ref: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly ref: number; readonly error: ErrorInfo };
