// What a reader of one data set format gives: parts with labels, whose samples are pulled in order.

import type { DatasetFormat, DecodeOptions, ImageShape, SplitName, Task } from '../types';

/** The shape to bring samples to, and how. */
export interface SampleRequest {
  readonly shape: ImageShape;
  readonly fit: DecodeOptions['fit'];
  readonly onUnreadable: DecodeOptions['onUnreadable'];
}

/** A sample that was left out, and why. */
export interface SkippedSample {
  readonly skipped: string;
}

/** Samples that the source keeps together: one of its own splits, or everything it has. */
export interface SourcePart {
  /** 'train' when the source makes no splits. */
  readonly split: SplitName;
  readonly labels: Int32Array;
  /** A row for each sample, as long as there are names; absent where the task is classes. */
  readonly targets?: readonly Float32Array[];
  /**
   * The pixels (uint8, HWC) in the order of `labels`.
   * @throws AppError DATA_CORRUPT, DATA_IMAGE_UNREADABLE, FILE_UNREADABLE
   */
  samples(request: SampleRequest): AsyncIterable<Uint8Array | SkippedSample>;
}

export interface Source {
  readonly format: DatasetFormat;
  readonly task: Task;
  /** Names of the classes, of the labels or of the values. */
  readonly classes: readonly string[];
  /** Shape of the samples, or of the first image where they differ. */
  readonly shape: ImageShape;
  readonly parts: readonly SourcePart[];
  /** What was found, for people. */
  readonly notes: readonly string[];
}
