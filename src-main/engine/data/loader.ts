// Batches of a split: shuffled epochs by seed, augmentation on uint8, a position that can be saved.
//
// A batch is made in the caller's thread. Reading, flipping and cropping 128 images of 32 x 32 x 3 takes about
// a millisecond beside a training step of some hundred: a thread of its own would cost more than it hides.

import { createRng } from '../graph/rng';
import type { Rng, RngState } from '../graph/rng';
import type { AugmentOptions } from '../train/types';
import { drawPlacement, placeImage } from './augment';
import type { ImageSplit } from './types';

export interface LoaderOptions {
  readonly batchSize: number;
  /** Fixes the order of all epochs and every augmentation. */
  readonly seed: number;
  /** A new order each epoch; false keeps the order of the split. */
  readonly shuffle: boolean;
  /** null leaves the images as they are. */
  readonly augment: AugmentOptions | null;
  /** Ends each epoch after this many samples; null takes all. */
  readonly samplesPerEpoch: number | null;
}

/** The arrays belong to the loader and are overwritten by the next call of `next`. */
export interface Batch {
  /** uint8 [count, height, width, channels]. */
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  /** [count, width] as the split has them; absent where each image has one class. */
  readonly targets?: Float32Array;
  readonly count: number;
}

/** Where a loader stands: plain data for a checkpoint. */
export interface LoaderState {
  /** Epochs completed. */
  readonly epoch: number;
  /** Samples of the current epoch that were given out. */
  readonly position: number;
  /** State from which the current epoch's order is shuffled. */
  readonly order: RngState;
  readonly augmentation: RngState;
}

/** Gives out a split in batches, epoch after epoch. The last batch of an epoch may be smaller. */
export class BatchLoader {
  readonly samplesPerEpoch: number;
  readonly batchesPerEpoch: number;
  private readonly orderRng: Rng;
  private readonly augmentRng: Rng;
  private readonly order: Int32Array;
  private readonly sampleBytes: number;
  private readonly images: Uint8Array;
  private readonly labels: Int32Array;
  private readonly targets: Float32Array;
  /** Images as they are, where augmentation then places them into the batch. */
  private readonly staging: Uint8Array | null;
  private orderState: RngState;
  private epoch = 0;
  private position = 0;

  constructor(
    private readonly split: ImageSplit,
    private readonly options: LoaderOptions,
  ) {
    const { batchSize, samplesPerEpoch, augment } = options;
    this.samplesPerEpoch = Math.min(split.count, samplesPerEpoch ?? split.count);
    this.batchesPerEpoch = Math.ceil(this.samplesPerEpoch / batchSize);
    this.sampleBytes = split.height * split.width * split.channels;
    this.images = new Uint8Array(batchSize * this.sampleBytes);
    this.labels = new Int32Array(batchSize);
    this.targets = new Float32Array(batchSize * (split.targets?.width ?? 0));
    const augmenting = augment !== null && (augment.flip || augment.padCrop > 0);
    this.staging = augmenting ? new Uint8Array(this.images.length) : null;
    this.order = new Int32Array(split.count);
    this.orderRng = createRng(options.seed);
    this.augmentRng = createRng(this.orderRng.uint32());
    this.orderState = this.orderRng.getState();
    this.arrange();
  }

  /** The next batch of this epoch, or null once at its end; the call after that begins the next epoch. */
  async next(): Promise<Batch | null> {
    const count = Math.min(this.options.batchSize, this.samplesPerEpoch - this.position);
    if (count <= 0) {
      this.epoch++;
      this.position = 0;
      this.orderState = this.orderRng.getState();
      this.arrange();
      return null;
    }
    const indices = this.order.subarray(this.position, this.position + count);
    const images = this.images.subarray(0, count * this.sampleBytes);
    this.split.read(indices, this.staging ?? images);
    if (this.staging) this.place(this.staging, images, count);
    indices.forEach((index, i) => (this.labels[i] = this.split.labels[index]!));
    this.position += count;
    const labels = this.labels.subarray(0, count);
    const { targets } = this.split;
    if (targets === undefined) return { images, labels, count };
    const { rows, width } = targets;
    indices.forEach((index, i) =>
      this.targets.set(rows.subarray(index * width, (index + 1) * width), i * width),
    );
    return { images, labels, targets: this.targets.subarray(0, count * width), count };
  }

  state(): LoaderState {
    return {
      epoch: this.epoch,
      position: this.position,
      order: this.orderState,
      augmentation: this.augmentRng.getState(),
    };
  }

  /** Continues where a loader of the same split and options stood: the same batches follow. */
  restore(state: LoaderState): void {
    this.epoch = state.epoch;
    this.position = state.position;
    this.orderState = state.order;
    this.orderRng.setState(state.order);
    this.augmentRng.setState(state.augmentation);
    this.arrange();
  }

  private arrange(): void {
    for (let i = 0; i < this.order.length; i++) this.order[i] = i;
    if (this.options.shuffle) this.orderRng.shuffle(this.order);
  }

  private place(staging: Uint8Array, images: Uint8Array, count: number): void {
    const { flip = false, padCrop = 0 } = this.options.augment ?? {};
    for (let i = 0; i < count; i++) {
      const at = i * this.sampleBytes;
      const placement = drawPlacement(this.augmentRng, flip, padCrop);
      placeImage(staging, at, images, at, this.split, placement);
    }
  }
}
