// When a run has gone astray: a loss that is no number, or one that grew far beyond where it began.

import { AppError } from '../errors';

/** How often the first loss the smoothed one may be: spikes of a high rate stay below, runaways pass it. */
const explosion = 100;
/** Weight of the past in the smoothed loss. */
const inertia = 0.9;

export interface WatchState {
  /** Loss of a blind guess, or of the first batch where that is more: what a run can start from. */
  readonly reference: number;
  /** Sum of the weights times the losses; divided by the sum of the weights it is the smoothed loss. */
  readonly sum: number;
  readonly weight: number;
}

/** Follows the loss of a run. */
export class LossWatch {
  constructor(private current: WatchState) {}

  /** @param blindLoss of a guess that knows nothing of the images */
  static begin(blindLoss: number): LossWatch {
    return new LossWatch({ reference: blindLoss, sum: 0, weight: 0 });
  }

  get state(): WatchState {
    return this.current;
  }

  /** The loss as it was lately. */
  get smoothed(): number {
    return this.current.sum / this.current.weight;
  }

  /** Takes in the mean loss of a batch; false where the run has diverged. */
  accept(loss: number): boolean {
    const { reference, sum, weight } = this.current;
    this.current = {
      reference: weight === 0 ? Math.max(reference, loss) : reference,
      sum: inertia * sum + (1 - inertia) * loss,
      weight: inertia * weight + (1 - inertia),
    };
    return Number.isFinite(loss) && this.smoothed <= explosion * this.current.reference;
  }
}

export function diverged(epoch: number, where: string, learningRate: number | null): AppError {
  const at = learningRate === null ? '' : ` with a learning rate of ${learningRate.toPrecision(3)}`;
  return new AppError(
    'TRAIN_DIVERGED',
    `The loss ran away or became no number in epoch ${epoch}, ${where}${at}.`,
    'Lower the learning rate, add epochs of warm-up, or clip the gradients.',
    { details: { epoch, lastGoodEpoch: epoch - 1, learningRate } },
  );
}
