// Network Slimming: the training with a penalty on gamma that stands before each cut.
import type { TrainOptions } from '../../../src-main/engine/train/types';

export class SlimmingDraft {
  wanted = $state(false);
  epochs = $state(10);
  /** Strength of the penalty. */
  sparsity = $state(1e-3);

  /** The options of that training: those of the fine-tuning behind the cut, but for what makes it slim. */
  options(training: TrainOptions | null): TrainOptions | null {
    if (!this.wanted || training === null) return null;
    return {
      ...training,
      epochs: this.epochs,
      gammaSparsity: this.sparsity,
      distill: null,
      patience: null,
      // The last epoch, whose gammas have come closest to 0.
      keepBest: false,
    };
  }
}
