import { describe, expect, it } from 'vitest';
import { graphCost } from '../../../src-main/engine/graph/cost';
import { fineTuneDefaults, fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import { controlTraining, scratchEpochs } from '../../../src-main/engine/train/scratch';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import { buildZoo } from '../../../src-main/engine/zoo';

describe('the epochs of a training from scratch', () => {
  // Epochs of Scratch-B for 160 of the original, from the MACs of Li et al. 2017, Table 1.
  it.each([
    ['VGG-16-A', 313_463_808, 206_279_680, 243],
    ['ResNet-56-A', 125_485_696, 112_435_840, 178],
    ['ResNet-56-B', 125_485_696, 90_907_264, 220],
    ['ResNet-110-A', 252_887_680, 212_779_648, 190],
    ['ResNet-110-B', 252_887_680, 155_124_352, 260],
  ])('%s', (_, original, slim, epochs) => {
    expect(scratchEpochs('b', 160, { original, slim })).toBe(epochs);
    expect(scratchEpochs('e', 160, { original, slim })).toBe(160);
  });

  it('follow from the MACs of real networks, and are at least one', () => {
    const macs = (architecture: string): number =>
      graphCost(buildZoo(architecture, { seed: 1 }).graph).macs;
    const [original, slim] = [macs('resnet56-cifar'), macs('resnet20-cifar')];
    expect(scratchEpochs('b', 10, { original, slim })).toBe(Math.floor((10 * original) / slim));
    expect(scratchEpochs('b', 1, { original: slim, slim: original })).toBe(1);
  });
});

describe('the training of a control', () => {
  it('is a full one that has the images and the loss of the fine-tuning', () => {
    const fineTune: TrainOptions = {
      ...fineTuneDefaults(3),
      batchSize: 32,
      augment: { flip: false, padCrop: 1 },
      samplesPerEpoch: 500,
      valueLoss: 'mae',
      clipNorm: 2,
      labelSmoothing: 0.2,
      seed: 9,
    };
    expect(controlTraining(20, 4, fineTune)).toEqual({
      ...fullTrainingDefaults(20),
      batchSize: 32,
      augment: { flip: false, padCrop: 1 },
      samplesPerEpoch: 500,
      valueLoss: 'mae',
      clipNorm: 2,
      seed: 4,
    });
    expect(controlTraining(20, 4, null)).toEqual({ ...fullTrainingDefaults(20), seed: 4 });
  });
});
