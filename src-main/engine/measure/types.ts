// Results of measuring a model: accuracy, latency, size.

import type { SplitName } from '../data/types';

export interface Accuracy {
  readonly split: SplitName;
  readonly samples: number;
  readonly top1: number;
  /** Null with five classes or fewer, which are always among the first five. */
  readonly top5: number | null;
  /** Mean F1 of the classes. */
  readonly macroF1: number;
  readonly loss: number;
  /** Recall of each class. */
  readonly perClass: readonly number[];
  /** confusion[actual][predicted] in samples. */
  readonly confusion: readonly (readonly number[])[];
  readonly backend: string;
}

export type LatencyRuntime = 'litert' | 'tfjs';

export interface Latency {
  readonly runtime: LatencyRuntime;
  /** What exactly ran: name and version of the runtime, delegate. */
  readonly runtimeDetail: string;
  readonly threads: number;
  readonly batch: 1;
  readonly warmup: number;
  readonly runs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly minMs: number;
  /** Processor the figures belong to. */
  readonly device: string;
}

/** Agreement of a file, run by its real runtime, with the version it was made from. */
export interface Verification {
  readonly runtime: string;
  readonly samples: number;
  readonly maxAbsDiff: number;
  readonly meanAbsDiff: number;
  /** Share of samples on which both choose the same class, 0 to 1. */
  readonly top1Agreement: number;
  /** Accuracy of both on these samples where labels are known. */
  readonly accuracy: { readonly version: number; readonly file: number } | null;
  readonly tolerance: number;
  readonly passed: boolean;
}
