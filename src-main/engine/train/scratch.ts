// Scratch-E and Scratch-B: a cut network trained from new random weights, as a control beside its fine-tuning.

import { fullTrainingDefaults } from './defaults';
import type { TrainOptions } from './types';

/** 'e': as many epochs as the original was trained for; 'b': as many as take the same computation. */
export type ScratchBudget = 'e' | 'b';

/** How a training from scratch begins, and what its epochs follow from. */
export interface ScratchStart {
  readonly budget: ScratchBudget;
  /** Epochs that the original was trained for. */
  readonly originalEpochs: number;
  /** Batch norm's gamma at the start: 1, or 0.5 as in Network Slimming. */
  readonly gamma: number;
}

/**
 * Epochs of a training from scratch (Liu et al. 2019, "Rethinking the Value of Network Pruning", section 3, "Training
 * budget"). Those of Scratch-B are rounded down, as their code does: int(160 * base / pruned).
 */
export function scratchEpochs(
  budget: ScratchBudget,
  originalEpochs: number,
  macs: { readonly original: number; readonly slim: number },
): number {
  if (budget === 'e') return originalEpochs;
  return Math.max(1, Math.floor((originalEpochs * macs.original) / macs.slim));
}

/** A full training with the images and the loss of the fine-tuning, where there is one: a fair control. */
export function controlTraining(
  epochs: number,
  seed: number,
  fineTune: TrainOptions | null,
): TrainOptions {
  const full = fullTrainingDefaults(epochs);
  if (fineTune === null) return { ...full, seed };
  const { batchSize, augment, samplesPerEpoch, valueLoss, clipNorm } = fineTune;
  return { ...full, batchSize, augment, samplesPerEpoch, valueLoss, clipNorm, seed };
}
