// A data set that a small network learns in a few steps, and the network.

import type { Dataset, ImageSplit, SplitName } from '../../../src-main/engine/data/types';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';

export const toyClasses = 4;
const size = 8;

/** Images 8 x 8 x 3 whose class is the quadrant that is brighter, in noise. */
function makeSplit(count: number, seed: number): ImageSplit {
  const rng = createRng(seed);
  const labels = Int32Array.from({ length: count }, () => rng.int(toyClasses));
  const bytes = size * size * 3;
  const pixels = Uint8Array.from({ length: count * bytes }, (_, i) => {
    const label = labels[Math.floor(i / bytes)]!;
    const place = Math.floor((i % bytes) / 3);
    const quadrant = Math.floor(place / size / 4) * 2 + (Math.floor((place % size) / 4) % 2);
    return rng.int(128) + (quadrant === label ? 100 : 0);
  });
  return {
    count,
    height: size,
    width: size,
    channels: 3,
    labels,
    read: (indices, target) =>
      indices.forEach((index, i) =>
        target.set(pixels.subarray(index * bytes, (index + 1) * bytes), i * bytes),
      ),
  };
}

export function toyDataset(counts: Readonly<Record<SplitName, number>>): Dataset {
  const splits = {
    train: makeSplit(counts.train, 1),
    val: makeSplit(counts.val, 2),
    test: makeSplit(counts.test, 3),
  };
  return {
    format: 'npz',
    task: 'classes',
    classes: ['0', '1', '2', '3'],
    height: size,
    width: size,
    channels: 3,
    counts,
    notes: [],
    split: (name) => splits[name],
    close: () => undefined,
  };
}

/** Conv, batch norm, ReLU, a residual block, dropout, dense; ends in a softmax where asked. */
export function toyModel(
  options: { readonly softmax?: boolean; readonly seed?: number } = {},
): Model {
  const b = new GraphBuilder('toy', { rng: createRng(options.seed ?? 1) });
  const conv = { kernelSize: 3, filters: 6, bias: false };
  let x = b.conv2d(b.input('image', [size, size, 3]), { ...conv, name: 'stem' });
  x = b.activation(b.batchNorm(x, { name: 'bn1' }), 'relu');
  const y = b.batchNorm(b.conv2d(x, { ...conv, name: 'block' }), { name: 'bn2' });
  x = b.activation(b.add([x, y]), 'relu');
  x = b.maxPool2d(x, { poolSize: 4 });
  x = b.apply('dropout', [b.flatten(x)], { rate: 0.1 });
  x = b.dense(x, { units: toyClasses, name: 'classes' });
  if (options.softmax) x = b.apply('softmax', [x], { axis: -1 });
  b.output(x);
  return {
    graph: b.build(),
    preprocessing: { scale: 1 / 255, mean: [0.25], std: [0.2], channelOrder: 'rgb' },
    labels: null,
    outputKind: options.softmax ? 'softmax' : 'logits',
  };
}
