// What the results are made of: how long is trained, and with which options, in the proportions of the papers.

import {
  fineTuneDefaults,
  fullTrainingDefaults,
  distillDefaults,
} from '../../../src-main/engine/train/defaults';
import type { TrainOptions } from '../../../src-main/engine/train/types';

/** Batches of the papers' trainings from random weights: 160 epochs of 50,000 images by 128. */
const paperSteps = 160 * Math.ceil(50_000 / 128);
/** Of Network Slimming for residual networks (Liu et al. 2017, section 4.2). */
const paperSparsity = 1e-5;

export interface Recipe {
  /** Epochs from random weights: the baseline, and Scratch-E. */
  readonly epochs: number;
  /** Epochs of fine-tuning: a quarter, as 40 beside 160 (Li et al. 2017). */
  readonly tuneEpochs: number;
  readonly seed: number;
}

export function recipe(epochs: number, seed: number): Recipe {
  return { epochs, tuneEpochs: Math.max(1, Math.round(epochs / 4)), seed };
}

/** The last epoch counts, not the best on the test images. */
const plain = { keepBest: false } as const;

export function fromScratch({ seed }: Recipe, epochs: number): TrainOptions {
  return { ...fullTrainingDefaults(epochs), ...plain, seed };
}

/**
 * L1 on gamma, as strong over this many steps as over those of the paper: both rates begin at 0.1, and their means
 * are about the same (cosine 0.05; 0.1, 0.01 and 0.001 over half and quarters 0.053).
 */
export function sparse(recipe: Recipe, images: number): TrainOptions {
  const { epochs } = recipe;
  const steps = epochs * Math.ceil(images / 128);
  return { ...fromScratch(recipe, epochs), gammaSparsity: (paperSparsity * paperSteps) / steps };
}

export function fineTune({ seed }: Recipe, epochs: number): TrainOptions {
  return { ...fineTuneDefaults(epochs), ...plain, seed };
}

export function distil(recipe: Recipe, epochs: number): TrainOptions {
  return { ...fineTune(recipe, epochs), distill: distillDefaults };
}
