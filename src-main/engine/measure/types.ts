// Results of measuring a model: accuracy, latency, size.

import type { SplitName } from '../data/types';
import type { QuantizationReport } from '../quantize/types';

interface EveryEvaluation {
  readonly split: SplitName;
  readonly samples: number;
  /** Mean over samples of what training minimises; of values the mean squared error. */
  readonly loss: number;
  /** What computed it. */
  readonly backend: string;
}

/** Of a classifier. */
export interface Accuracy extends EveryEvaluation {
  readonly task: 'classes';
  readonly top1: number;
  /** Null with five classes or fewer, which are always among the first five. */
  readonly top5: number | null;
  /** Mean F1 of the classes. */
  readonly macroF1: number;
  /** Recall of each class. */
  readonly perClass: readonly number[];
  /** confusion[actual][predicted] in samples. */
  readonly confusion: readonly (readonly number[])[];
}

/** Of a network that says of each label whether it applies, at a probability above 0.5. */
export interface LabelScores extends EveryEvaluation {
  readonly task: 'labels';
  /** Share of right answers, mean over labels. */
  readonly accuracy: number;
  /** F1 of all answers together, and the mean of those of the labels. */
  readonly microF1: number;
  readonly macroF1: number;
  readonly perLabel: readonly {
    readonly accuracy: number;
    /** Null where the label neither applies nor is answered anywhere. */
    readonly f1: number | null;
    /** Samples that it applies to. */
    readonly positives: number;
  }[];
}

/** Mean absolute error, and the root of the mean squared one. */
export interface Errors {
  readonly mae: number;
  readonly rmse: number;
}

/** Of a network that gives values. */
export interface ValueErrors extends EveryEvaluation, Errors {
  readonly task: 'values';
  readonly perValue: readonly Errors[];
}

export type Evaluation = Accuracy | LabelScores | ValueErrors;

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
  /** Share of samples on which both choose the same class, 0 to 1; null where the outputs are not of classes. */
  readonly top1Agreement: number | null;
  /** Accuracy of both on these samples where labels are known. */
  readonly accuracy: { readonly version: number; readonly file: number } | null;
  /** Largest difference that passes; null where a smaller precision is held to `limits`. */
  readonly tolerance: number | null;
  readonly limits?: RoundingLimits;
  readonly passed: boolean;
  /** How integers were found for a file of full int8. */
  readonly quantization?: QuantizationReport;
}
