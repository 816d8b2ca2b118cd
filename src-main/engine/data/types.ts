// Data sets as the engine sees them: decoded uint8 images of one size, each with what is to be told of it, in splits.

import type { EngineContext } from '../context';

export type SplitName = 'train' | 'val' | 'test';
export type DatasetFormat = 'image-folder' | 'image-csv' | 'idx' | 'cifar-binary' | 'npz';

/** What is told of an image: its one class, any number of labels, or values (regression). */
export type Task = 'classes' | 'labels' | 'values';

/** What is told of each sample of a split where that is not one class. */
export interface Targets {
  readonly task: Exclude<Task, 'classes'>;
  /** Labels or values of a sample. */
  readonly width: number;
  /** [count, width] row after row: 1 for a label that applies and 0 for one that does not, or the values. */
  readonly rows: Float32Array;
}

export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** Random access to the samples of a split. */
export interface ImageSplit extends ImageShape {
  readonly count: number;
  /** Class index of each sample; all 0 where there are targets. */
  readonly labels: Int32Array;
  /** Absent where each image has one class. */
  readonly targets?: Targets;
  /**
   * Copies the pixels (uint8, HWC) of the samples into `target`, one after the other.
   * `target.length` is at least indices.length * height * width * channels.
   */
  read(indices: Int32Array, target: Uint8Array): void;
}

export interface DatasetInfo extends ImageShape {
  readonly format: DatasetFormat;
  readonly task: Task;
  /** Names of the classes, of the labels or of the values. */
  readonly classes: readonly string[];
  readonly counts: Readonly<Record<SplitName, number>>;
  /** What was found and decided, for people: splits made by seed, files skipped, sizes unified. */
  readonly notes: readonly string[];
}

export interface Dataset extends DatasetInfo {
  /** An empty split has count 0. */
  split(name: SplitName): ImageSplit;
  close(): void;
}

export interface DecodeOptions {
  /** Size and channels that images are brought to; null takes them from the first image. */
  readonly size: { readonly height: number; readonly width: number } | null;
  readonly channels: 1 | 3 | null;
  /**
   * How an image of another aspect ratio is brought to the size: 'cover' scales it until it covers the size and
   * crops the middle, 'fill' stretches it.
   */
  readonly fit: 'cover' | 'fill';
  /** Seed and fraction of the splits that the source does not have itself. */
  readonly seed: number;
  readonly valFraction: number;
  readonly testFraction: number;
  /** What to do with an image that cannot be decoded: stop with DATA_IMAGE_UNREADABLE, or leave it out. */
  readonly onUnreadable: 'error' | 'skip';
}

/**
 * Recognises what lies at a path, decodes it once into a cache file and describes it.
 * Implemented by `data/decode.ts`; `openDataset` of the same file opens the cache again.
 */
export type DecodeDataset = (
  path: string,
  cacheFile: string,
  options: DecodeOptions,
  context: EngineContext,
) => Promise<DatasetInfo>;
