// Statistics against plain loops in double precision, written from the formulas of their papers.

import { describe, expect, it } from 'vitest';
import { silentContext, type Progress } from '../../../src-main/engine/context';
import { BatchLoader } from '../../../src-main/engine/data/loader';
import type { ImageSplit } from '../../../src-main/engine/data/types';
import type { GraphBuilder } from '../../../src-main/engine/graph/build';
import type { Graph, Model } from '../../../src-main/engine/graph/types';
import { analyse } from '../../../src-main/engine/prune/groups';
import { scoreChannels } from '../../../src-main/engine/prune/importance';
import { observedTensors } from '../../../src-main/engine/prune/observed';
import { collectStatistics } from '../../../src-main/engine/prune/statistics';
import { toyDataset } from '../train/toy';
import { makeModel } from './networks';
import { runReference } from '../reference';

const preprocessing = { scale: 1 / 255, mean: [0.4], std: [0.3], channelOrder: 'rgb' } as const;

function classifier(build: (b: GraphBuilder) => void): Model {
  return { ...makeModel(build), preprocessing, outputKind: 'logits' };
}

/** Residual block, a concatenation with its own batch norm, a linear layer, grouped filters, and flattening. */
const model = classifier((b) => {
  const conv = (x: string, name: string, filters: number, groups = 1): string =>
    b.conv2d(x, { name, filters, kernelSize: 3, groups, strides: name === 'stem' ? 2 : 1 });
  const stem = b.activation(
    b.batchNorm(conv(b.input('image', [8, 8, 3]), 'stem', 6), { name: 'stem_bn' }),
    'relu',
  );
  const inner = b.activation(conv(stem, 'inner', 4), 'swish');
  const sum = b.activation(b.add([stem, b.batchNorm(conv(inner, 'back', 6))]), 'relu');
  const joined = b.concat([sum, conv(sum, 'grown', 5)]);
  const both = b.activation(b.batchNorm(joined, { name: 'joined_bn' }), 'relu6');
  const pooled = b.maxPool2d(b.batchNorm(conv(both, 'linear', 4)), { poolSize: 2 });
  const grouped = b.activation(b.flatten(conv(pooled, 'grouped', 4, 2)), 'relu');
  b.output(b.dense(grouped, { name: 'head', units: 4 }));
});

const split = toyDataset({ train: 40, val: 0, test: 0 }).split('train');
const statistics = async (
  criterion: 'taylor' | 'activation' | 'apoz',
  images?: number,
): Promise<ReadonlyMap<string, ArrayLike<number>>> =>
  collectStatistics(
    model,
    analyse(model),
    split,
    { criterion, seed: 3, ...(images === undefined ? {} : { images }) },
    silentContext,
  );

/** One image as the network sees it. */
function sample(images: ImageSplit, index: number): Float64Array {
  const pixels = new Uint8Array(8 * 8 * 3);
  images.read(Int32Array.of(index), pixels);
  return Float64Array.from(pixels, (value) => (value / 255 - 0.4) / 0.3);
}

/** Values of a tensor for one image, with the number of channels. */
function valuesOf(graph: Graph, tensor: string, index: number): Float64Array {
  const output = { ...graph.outputs[0]!, tensor };
  return runReference({ ...graph, outputs: [output] }, [sample(split, index)])[0]!.data;
}

const all = Array.from({ length: split.count }, (_, i) => i);
const outputOf = (name: string): string =>
  model.graph.nodes.find((node) => node.name === name)!.outputs[0]!;
/** The tensor that the only activation behind a named node gives. */
const activated = (name: string): string =>
  model.graph.nodes.find((node) => node.op === 'activation' && node.inputs[0] === outputOf(name))!
    .outputs[0]!;
const sumOutput = model.graph.nodes.find((node) => node.op === 'add')!;
const afterSum = activated(sumOutput.name);
const afterFlatten = activated(model.graph.nodes.find((node) => node.op === 'flatten')!.name);

/** By layer: where it is observed, and the channel's place among how many in that tensor. */
const places: Record<string, { tensor: string; first: number; width: number }> = {
  stem: { tensor: activated('stem_bn'), first: 0, width: 6 },
  inner: { tensor: activated('inner'), first: 0, width: 4 },
  back: { tensor: afterSum, first: 0, width: 6 },
  grown: { tensor: activated('joined_bn'), first: 6, width: 11 },
  linear: {
    tensor: model.graph.nodes.find((node) => node.inputs[0] === outputOf('linear'))!.outputs[0]!,
    first: 0,
    width: 4,
  },
  grouped: { tensor: afterFlatten, first: 0, width: 4 },
  head: { tensor: outputOf('head'), first: 0, width: 4 },
};

describe('where channels are observed', () => {
  it('is behind the first activation that they reach, whatever carries them there', () => {
    const observed = observedTensors(analyse(model).flow);
    for (const [layer, { tensor }] of Object.entries(places)) {
      expect([layer, observed.get(layer)!.tensor]).toEqual([layer, tensor]);
    }
    const withZeros = [...observed].filter(([, { hasZeros }]) => hasZeros).map(([node]) => node);
    expect(withZeros.sort()).toEqual(['back', 'grouped', 'grown', 'stem']);
  });
});

describe('where no activation is to be seen', () => {
  it('another layer with filters ends the way, and a linear activation does not', () => {
    const separable = makeModel((b) => {
      const x = b.conv2d(b.input('image', [8, 8, 3]), { name: 'a', filters: 4, kernelSize: 1 });
      const linear = b.batchNorm(x, { name: 'a_bn' });
      const y = b.activation(b.depthwiseConv2d(linear, { name: 'dw', kernelSize: 3 }), 'relu');
      const z = b.activation(b.conv2d(y, { name: 'z', filters: 5, kernelSize: 1 }), 'linear');
      b.output(b.dense(b.globalAvgPool(b.activation(z, 'relu')), { name: 'head', units: 4 }));
    });
    const { graph } = separable;
    const observed = observedTensors(analyse(separable).flow);
    const behind = (name: string): string => graph.nodes.find((n) => n.name === name)!.outputs[0]!;
    expect(observed.get('a')).toEqual({ tensor: behind('a_bn'), hasZeros: false });
    const [, linearOutput] = graph.nodes.filter(({ op }) => op === 'activation');
    const last = graph.nodes.find(({ inputs }) => inputs[0] === linearOutput!.outputs[0]);
    expect(observed.get('z')).toEqual({ tensor: last!.outputs[0], hasZeros: true });
  });
});

/** Mean of f over all images and positions, by channel of a layer. */
function plainMeans(layer: string, channels: number, f: (value: number) => number): number[] {
  const { tensor, first, width } = places[layer]!;
  const sums = new Array<number>(channels).fill(0);
  let positions = 0;
  for (const index of all) {
    const values = valuesOf(model.graph, tensor, index);
    for (let at = 0; at < values.length; at += width) {
      positions++;
      for (let channel = 0; channel < channels; channel++) {
        sums[channel]! += f(values[at + first + channel]!);
      }
    }
  }
  return sums.map((sum) => sum / positions);
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[], digits = 1e-4): void {
  const scale = Math.max(...expected.map(Math.abs));
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value)).toBeLessThan(digits * scale);
  });
}

/** Slots of two groups are one channel: each counts with the mean of both. */
const pairs = ([a, b, c, d]: number[]): number[] => {
  const [first, second] = [(a! + c!) / 2, (b! + d!) / 2];
  return [first, second, first, second];
};

describe('activation', () => {
  it('is the mean absolute value over images and positions', async () => {
    const found = await statistics('activation');
    expect([...found.keys()].sort()).toEqual(Object.keys(places).sort());
    for (const layer of ['stem', 'inner', 'back', 'grown', 'head']) {
      expectClose(found.get(layer)!, plainMeans(layer, found.get(layer)!.length, Math.abs));
    }
    for (const layer of ['linear', 'grouped']) {
      expectClose(found.get(layer)!, pairs(plainMeans(layer, 4, Math.abs)));
    }
  });
});

describe('apoz', () => {
  it('is one minus the share of zeros, where there is a ReLU', async () => {
    const found = await statistics('apoz');
    expect([...found.keys()].sort()).toEqual(['back', 'grouped', 'grown', 'stem']);
    const isActive = (value: number): number => (value === 0 ? 0 : 1);
    for (const layer of ['stem', 'back', 'grown']) {
      const expected = plainMeans(layer, found.get(layer)!.length, isActive);
      expectClose(found.get(layer)!, expected, 1e-3);
      expect(Math.min(...expected)).toBeLessThan(0.95);
    }
    expectClose(found.get('grouped')!, pairs(plainMeans('grouped', 4, isActive)), 1e-3);
  });

  it('says nothing of layers without zeros, which then stay', async () => {
    const analysis = analyse(model);
    const scores = scoreChannels(
      analysis,
      { criterion: 'apoz', reduction: 'mean', seed: 0 },
      await statistics('apoz'),
    );
    const group = analysis.groups.find(({ producers }) => producers.includes('inner'))!;
    expect([...scores[group.id]!]).toEqual([NaN, NaN, NaN, NaN]);
  });

  it('is refused where nothing gives zeros', async () => {
    const smooth = classifier((b) => {
      const x = b.conv2d(b.input('image', [8, 8, 3]), { name: 'a', filters: 4, kernelSize: 3 });
      b.output(b.dense(b.globalAvgPool(b.activation(x, 'tanh')), { units: 4 }));
    });
    const asked = collectStatistics(
      smooth,
      analyse(smooth),
      split,
      { criterion: 'apoz', seed: 0 },
      silentContext,
    );
    await expect(asked).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

/** Mean cross-entropy of a batch of images. */
function plainLoss(graph: Graph, indices: readonly number[]): number {
  const losses = indices.map((index) => {
    const scores = runReference(graph, [sample(split, index)])[0]!.data;
    const largest = Math.max(...scores);
    const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
    return Math.log(sum) + largest - scores[split.labels[index]!]!;
  });
  return losses.reduce((a, b) => a + b, 0) / losses.length;
}

/** The graph with one filter multiplied. */
function scaled(graph: Graph, layer: string, filter: number, factor: number): Graph {
  const id = graph.nodes.find(({ name }) => name === layer)!.weights.kernel!;
  const kernel = graph.weights.get(id)!;
  const filters = kernel.shape.at(-1)!;
  const data = Float64Array.from(kernel.data, (value, i) =>
    i % filters === filter ? value * factor : value,
  );
  const weights = new Map(graph.weights).set(id, { ...kernel, data: data as never });
  return { ...graph, weights };
}

describe('taylor', () => {
  it('is the mean over batches of the squared sum of weight times gradient', async () => {
    const found = await statistics('taylor');
    const loader = new BatchLoader(split, {
      batchSize: 32,
      seed: 3,
      shuffle: true,
      augment: null,
      samplesPerEpoch: null,
    });
    // The batches of the same seed, by where their images stand in the split.
    const batches: number[][] = [];
    const pixels = all.map((index) => String(sample(split, index)));
    for (let batch = await loader.next(); batch; batch = await loader.next()) {
      const bytes = 8 * 8 * 3;
      const { images, count } = batch;
      batches.push(
        Array.from({ length: count }, (_, i) =>
          pixels.indexOf(
            String(
              Float64Array.from(
                images.subarray(i * bytes, (i + 1) * bytes),
                (value) => (value / 255 - 0.4) / 0.3,
              ),
            ),
          ),
        ),
      );
    }
    expect(batches.map(({ length }) => length)).toEqual([32, 8]);
    // The sum of w dL/dw over a filter is dL/ds where s multiplies the filter: a central difference at s = 1.
    const step = 1e-4;
    for (const layer of ['stem', 'back', 'grouped']) {
      const expected = Array.from({ length: found.get(layer)!.length }, (_, filter) => {
        const squares = batches.map((batch) => {
          const up = plainLoss(scaled(model.graph, layer, filter, 1 + step), batch);
          const down = plainLoss(scaled(model.graph, layer, filter, 1 - step), batch);
          return ((up - down) / (2 * step)) ** 2;
        });
        return squares.reduce((a, b) => a + b, 0) / squares.length;
      });
      expectClose(found.get(layer)!, expected, 1e-3);
    }
  });

  it('reads transposed kernels along their own axis', async () => {
    const up = classifier((b) => {
      const x = b.conv2dTranspose(b.input('image', [8, 8, 3]), {
        name: 'up',
        filters: 5,
        kernelSize: 3,
        strides: 2,
      });
      b.output(b.dense(b.globalAvgPool(b.activation(x, 'relu')), { units: 4 }));
    });
    const found = await collectStatistics(
      up,
      analyse(up),
      split,
      { criterion: 'taylor', seed: 0 },
      silentContext,
    );
    expect(found.get('up')).toHaveLength(5);
    expect(Math.min(...Array.from(found.get('up')!))).toBeGreaterThan(0);
  });

  it('needs a classifier', async () => {
    const values: Model = { ...model, outputKind: 'values' };
    const asked = collectStatistics(
      values,
      analyse(values),
      split,
      { criterion: 'taylor', seed: 0 },
      silentContext,
    );
    await expect(asked).rejects.toMatchObject({ code: 'DATA_MISMATCH' });
  });
});

describe('collecting', () => {
  it('looks at no more images than it may, tells how far it is, and repeats', async () => {
    const seen: Progress[] = [];
    const context = {
      ...silentContext,
      progress: (progress: Progress) => void seen.push(progress),
    };
    const options = { criterion: 'activation', images: 35, seed: 1 } as const;
    const once = await collectStatistics(model, analyse(model), split, options, context);
    expect(seen.map(({ done, total }) => [done, total])).toEqual([
      [32, 35],
      [35, 35],
    ]);
    expect(await collectStatistics(model, analyse(model), split, options, context)).toEqual(once);
    const other = { ...options, seed: 2 };
    expect(await collectStatistics(model, analyse(model), split, other, context)).not.toEqual(once);
  });

  it('stops between batches', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const context = { ...silentContext, signal: abort.signal, progress: () => abort.abort(reason) };
    const asked = collectStatistics(
      model,
      analyse(model),
      split,
      { criterion: 'taylor', seed: 0 },
      context,
    );
    await expect(asked).rejects.toBe(reason);
  });

  it('refuses a data set without training images', async () => {
    const empty = toyDataset({ train: 0, val: 4, test: 0 }).split('train');
    const asked = collectStatistics(
      model,
      analyse(model),
      empty,
      { criterion: 'activation', seed: 0 },
      silentContext,
    );
    await expect(asked).rejects.toMatchObject({ code: 'DATA_MISMATCH' });
  });
});
