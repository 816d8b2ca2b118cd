// Network Slimming: the training with a penalty on gamma that stands before each cut.
import { call } from '../../api';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import type { Args } from '../../../src-main/ipc/contract';
import { Latest } from '../../state/latest';

/** Gammas start about 1: what nothing needs shall have time to arrive at 0, and stay there. */
const fittingTravel = 1.5;

export class SlimmingDraft {
  wanted = $state(false);
  epochs = $state(10);
  /** Strength of the penalty as it was given; null fits it to the training. */
  given = $state<number | null>(null);
  /** How far a penalty of 1 moves a gamma that nothing needs; null where that cannot be told. */
  #reach = $state<number | null>(null);

  #latest = new Latest<Args<'train.gammaTravel'>, number | null>({
    delayMs: 60,
    run: (question) => call('train.gammaTravel', question),
    onResult: (reach) => (this.#reach = reach),
    onError: () => (this.#reach = null),
    onBusy: () => undefined,
  });

  /** One digit: the fit is a rule of thumb. Without one, what Network Slimming took for VGG. */
  readonly fitted: number = $derived(
    this.#reach ? Math.min(1, Number((fittingTravel / this.#reach).toPrecision(1))) : 1e-4,
  );
  readonly sparsity: number = $derived(this.given ?? this.fitted);
  /** How far a gamma falls that nothing needs; null where that cannot be told. */
  readonly travel: number | null = $derived(this.#reach && this.#reach * this.sparsity);

  /** Asks how far the penalty reaches. @param images of an epoch; 0 while there is no data set */
  refresh(training: TrainOptions | null, images: number): void {
    if (!this.wanted || training === null || images === 0) return;
    this.#latest.ask({ options: this.#options(training, 1), images });
  }

  /** The options of that training. */
  options(training: TrainOptions): TrainOptions {
    return this.#options(training, this.sparsity);
  }

  /** Those of the fine-tuning behind the cut, but for what makes it slim. */
  #options(training: TrainOptions, gammaSparsity: number): TrainOptions {
    return {
      ...training,
      epochs: this.epochs,
      gammaSparsity,
      distill: null,
      patience: null,
      // The last epoch, whose gammas have come closest to 0.
      keepBest: false,
    };
  }
}
