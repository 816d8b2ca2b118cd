// Results of measuring a model: accuracy, latency, size.

import type { SplitName } from '../data/types';
import type { QuantizationReport } from '../quantize/types';

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

/** How a changed answer changed: right now, right before, or wrong in another way. */
export type FlipKind = 'gained' | 'lost' | 'other';

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

/** What a file in a smaller precision must keep: its numbers are others, its answers must not be. */
export interface RoundingLimits {
  /** Largest drop of top-1 accuracy below the version's, as a share, where classes are known. */
  readonly maxDrop: number;
  /** Smallest cosine between the outputs of file and version, over all samples, where they are not. */
  readonly minCosine: number;
}

/** Agreement of a file, run by its real runtime, with the version it was made from. */
export interface Verification {
  readonly runtime: string;
  readonly samples: number;
  readonly maxAbsDiff: number;
  readonly meanAbsDiff: number;
  /** Between all outputs of both; absent in records of older versions. */
  readonly cosine?: number;
  /** Share of samples on which both choose the same class, 0 to 1. */
  readonly top1Agreement: number;
  /** Accuracy of both on these samples where labels are known. */
  readonly accuracy: { readonly version: number; readonly file: number } | null;
  /** Largest difference that passes; null where a smaller precision is held to `limits`. */
  readonly tolerance: number | null;
  readonly limits?: RoundingLimits;
  readonly passed: boolean;
  /** How integers were found for a file of full int8. */
  readonly quantization?: QuantizationReport;
}
