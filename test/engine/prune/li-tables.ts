// The tables of Li et al. 2017, "Pruning Filters for Efficient ConvNets", as channels to keep by layer.

/** By layer, the channels to keep. */
export type Table = Readonly<Record<string, number>>;

/**
 * First convolutions of the blocks of a ResNet, each keeping floor(width * (1 - p)) filters. Layers count from 1
 * with the stem; a block's first convolution has an even number. `skip` names layers left whole.
 */
function firstConvolutions(
  blocks: readonly number[],
  width: number,
  percents: readonly number[],
  skip: readonly number[],
  nameOf: (stage: number, block: number) => string,
): Table {
  const table: Record<string, number> = {};
  let layer = 2;
  for (const [stage, percent] of percents.entries()) {
    for (let block = 0; block < blocks[stage]!; block++, layer += 2) {
      if (percent === 0 || skip.includes(layer)) continue;
      // In integers: 0.9 * 10 is not 9 in floating point everywhere.
      const kept = Math.floor((width * 2 ** stage * (100 - percent)) / 100);
      table[nameOf(stage, block)] = kept;
    }
  }
  return table;
}

const cifar = (blocks: number, percents: readonly number[], skip: readonly number[]): Table =>
  firstConvolutions(
    [blocks, blocks, blocks],
    16,
    percents,
    skip,
    (stage, block) => `stage${stage + 1}.block${block + 1}.conv1`,
  );

const imageNet = (percents: readonly number[], skip: readonly number[]): Table =>
  firstConvolutions(
    [3, 4, 6, 3],
    64,
    percents,
    skip,
    (stage, block) => `layer${stage + 1}.${block}.conv1`,
  );

/** The sensitive layers of ResNet-34. */
const skipped34 = [2, 8, 14, 16, 26, 28, 30, 32];

export const liTables = {
  vgg16A: {
    conv1: 32,
    ...Object.fromEntries([8, 9, 10, 11, 12, 13].map((i) => [`conv${i}`, 256])),
  },
  resnet56A: cifar(9, [10, 10, 10], [16, 20, 38, 54]),
  resnet56B: cifar(9, [60, 30, 10], [16, 18, 20, 34, 38, 54]),
  resnet110A: cifar(18, [50, 0, 0], [36]),
  resnet110B: cifar(18, [50, 40, 30], [36, 38, 74]),
  resnet34A: imageNet([30, 30, 30, 0], skipped34),
  resnet34B: imageNet([50, 60, 40, 0], skipped34),
} as const satisfies Record<string, Table>;

/** Parameters and multiply-accumulates of the networks so cut, without batch norm in the latter. */
export const liCounts = [
  ['vgg16-cifar', 'vgg16A', 5_397_034, 206_279_680],
  ['resnet56-cifar', 'resnet56A', 773_336, 112_435_840],
  ['resnet56-cifar', 'resnet56B', 735_712, 90_907_264],
  ['resnet110-cifar', 'resnet110A', 1_688_522, 212_779_648],
  ['resnet110-cifar', 'resnet110B', 1_168_424, 155_124_352],
] as const satisfies readonly (readonly [string, keyof typeof liTables, number, number])[];
