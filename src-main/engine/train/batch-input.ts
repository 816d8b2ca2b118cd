// From batches of uint8 images to input tensors, shared by training and evaluation.

import type { Batch } from '../data/loader';
import { normalise } from '../data/preprocess';
import type { ImageShape } from '../data/types';
import type { Preprocessing } from '../graph/types';
import type { Tensor, TensorFlow } from '../runtime/primitives';

export class BatchInput {
  /** Room for the largest batch so far. */
  private values = new Float32Array(0);

  constructor(
    private readonly tf: TensorFlow,
    private readonly shape: ImageShape,
    private readonly preprocessing: Preprocessing,
  ) {}

  /** Preprocessed images [N, H, W, C]. They share memory with the next ones: dispose them before. */
  images(batch: Batch): Tensor {
    const { height, width, channels } = this.shape;
    if (this.values.length < batch.images.length) {
      this.values = new Float32Array(batch.images.length);
    }
    const values = this.values.subarray(0, batch.images.length);
    normalise(batch.images, values, this.preprocessing, channels);
    return this.tf.tensor(values, [batch.count, height, width, channels]);
  }
}
