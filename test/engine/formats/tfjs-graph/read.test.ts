// Models that TensorFlow made (test/fixtures/tfjs-graph/make.py), read here and run by formulas, against what
// TensorFlow computed and what TensorFlow.js computes from the same files.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { readModel } from '../../../../src-main/engine/formats/table';
import type { ImportResult } from '../../../../src-main/engine/formats/types';
import { runReference } from '../../reference';
import type { GraphInput, Node } from '../../../../src-main/engine/graph/types';
import { execute, fixtures, loadFolder } from './oracle';

interface Expected {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

/** Largest difference from what is expected, as a share of the largest number expected. */
function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  const largest = Math.max(...Array.from(expected, Math.abs));
  return Math.max(...Array.from(expected, (value, i) => Math.abs(value - actual[i]!))) / largest;
}

interface Judges {
  /** Whether TensorFlow.js has all operations of the file. */
  readonly isRunByTfjs?: boolean;
  /** From what TensorFlow computed, which had the weights before they were quantised. */
  readonly tolerance?: number;
}

async function expectSameAsFile(
  name: string,
  { isRunByTfjs = true, tolerance = 1e-5 }: Judges = {},
): Promise<ImportResult> {
  const folder = join(fixtures, name);
  const expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as Expected;
  const result = await readModel(folder, silentContext);
  const { graph } = result.model;
  const names = (list: readonly { readonly name: string }[]): string[] =>
    list.map((entry) => entry.name).sort();
  expect(names(graph.inputs)).toEqual(Object.keys(expected.inputs).sort());
  expect(names(graph.outputs)).toEqual(Object.keys(expected.outputs).sort());
  const inputs = graph.inputs.map((input) => inOurOrder(result, input, expected.inputs));
  const actual = runReference(graph, inputs);
  const judged = isRunByTfjs ? await execute(await loadFolder(folder), expected.inputs) : null;
  graph.outputs.forEach((output, i) => {
    const wanted = expected.outputs[output.name]!;
    expect(relativeDifference(actual[i]!.data, wanted)).toBeLessThan(tolerance);
    if (judged === null) return;
    expect(relativeDifference(actual[i]!.data, judged[output.name]!)).toBeLessThan(1e-5);
  });
  return result;
}

/** An input as the graph wants it: channels last. */
function inOurOrder(
  { notes }: ImportResult,
  { name, shape }: GraphInput,
  inputs: Expected['inputs'],
): readonly number[] {
  const values = inputs[name]!;
  if (!notes.some((note) => note.includes('channels first'))) return values;
  const [height, width, channels] = shape as [number, number, number];
  return values.map((_, i) => {
    const [place, channel] = [Math.floor(i / channels), i % channels];
    return values[channel * height * width + place]!;
  });
}

/** The layers of a model, as "name op". */
function layersOf({ model }: ImportResult): readonly string[] {
  return model.graph.nodes.map(({ name, op }) => `${name} ${op}`);
}

function nodeOf({ model }: ImportResult, name: string): Node {
  return model.graph.nodes.find((node) => node.name === name)!;
}

describe('a network for edge devices', () => {
  it('as the converter writes it: fused, folded, with shapes that it calculates', async () => {
    const result = await expectSameAsFile('official');
    expect(layersOf(result)).toEqual([
      'stem_1 conv2d',
      'stem_relu_1 activation',
      'spatial_1 depthwiseConv2d',
      'pad_again_1 pad',
      'spatial_norm_1 rescale',
      'spatial_relu_1 activation',
      'project_1 conv2d',
      'project_1_relu activation',
      'squeeze_1 globalAvgPool',
      'excite_1 conv2d',
      'excite_1_truediv activation',
      'scale_1 mul',
      'crop_1 slice',
      'swish_1 activation',
      'up_1 conv2dTranspose',
      'slopes_1 prelu',
      'pointwise_1 dense',
      'pointwise_1_mul activation',
      'dilated_1 conv2d',
      'dilated_1_leakyrelu activation',
      'bigger_1 resize',
      'smooth_1 conv2d',
      'pool_1 maxPool2d',
      'smooth_1_elu activation',
      'mean_pool_1 avgPool2d',
      'side_1 conv2d',
      'join_1 concat',
      'separable_1 depthwiseConv2d',
      'separable_1_conv2d conv2d',
      'flat_1 flatten',
      'hidden_1 dense',
      'hidden_relu_1 activation',
      'classes_1 dense',
      'classes_1_softmax softmax',
    ]);
    expect(nodeOf(result, 'spatial_1').attrs).toMatchObject({
      padding: [
        [0, 1],
        [0, 1],
      ],
    });
    expect(nodeOf(result, 'dilated_1').attrs).toMatchObject({ dilations: [2, 2], padding: 'same' });
    expect(nodeOf(result, 'excite_1_truediv').attrs).toEqual({ fn: 'hardSigmoid', alpha: 1 / 6 });
    expect(nodeOf(result, 'swish_1').attrs).toEqual({ fn: 'hardSwish' });
    expect(nodeOf(result, 'up_1').attrs).toMatchObject({ padding: 'same', outputPadding: null });
    expect(result.model).toMatchObject({
      labels: ['a', 'b', 'c', 'd'],
      outputKind: 'softmax',
      graph: { name: 'official' },
    });
    expect(result).toMatchObject({ format: 'tfjs-graph', preprocessingKnown: false });
  });

  it('says why Network Slimming is not possible with it', async () => {
    const { notes } = await readModel(join(fixtures, 'official'), silentContext);
    expect(notes).toEqual([
      expect.stringMatching(/no batch normalisation.*Slimming is not possible/),
    ]);
  });

  it('as it was before the converter optimised it', async () => {
    const result = await expectSameAsFile('frozen');
    expect(nodeOf(result, 'stem_1').weights).toHaveProperty('bias');
    expect(layersOf(result)).toContain('pointwise_1_mul activation');
    expect(layersOf(result)).toContain('slopes_1 prelu');
    expect(layersOf(result)).not.toContain('nothing_1 pad');
  });
});

describe('batch norms', () => {
  it('that the converter folded', async () => {
    const result = await expectSameAsFile('norms');
    expect(layersOf(result).filter((layer) => layer.endsWith('batchNorm'))).toEqual([]);
    expect(layersOf(result).filter((layer) => layer.endsWith('rescale')).length).toBe(1);
  });

  it('that are operations of their own', async () => {
    const result = await expectSameAsFile('plain-norms');
    expect(layersOf(result).filter((layer) => layer.endsWith('batchNorm')).length).toBe(3);
    expect(result.notes).toEqual([]);
  });

  it('within fused convolutions, which TensorFlow.js does not run', async () => {
    const result = await expectSameAsFile('fused-norms', { isRunByTfjs: false });
    expect(layersOf(result).filter((layer) => layer.endsWith('batchNorm')).length).toBe(1);
  });
});

it('sums that the converter takes for biases: of shortcuts, and of one number', async () => {
  const result = await expectSameAsFile('sums', { isRunByTfjs: false });
  const count = (op: string): number =>
    layersOf(result).filter((layer) => layer.endsWith(` ${op}`)).length;
  expect([count('add'), count('rescale'), count('conv2d'), count('dense')]).toEqual([4, 2, 4, 1]);
  // A folded batch norm whose term the optimiser moved behind the sum.
  const biased = result.model.graph.nodes.filter(({ weights }) => weights.bias !== undefined);
  expect(biased.map(({ op }) => op)).toEqual(['conv2d']);
});

describe('weights in fewer bits', () => {
  it.each([
    ['uint8', 1e-2],
    ['uint16', 1e-4],
    ['float16', 1e-3],
  ] as const)('%s', async (name, tolerance) => {
    expect(layersOf(await expectSameAsFile(name, { tolerance }))).toEqual([
      'conv conv2d',
      'relu activation',
      'globalMaxPool globalMaxPool',
      'classes dense',
    ]);
  });
});

it('channels first: convolutions, pooling and joins with the channels last, one turn before dense', async () => {
  const result = await expectSameAsFile('channels-first', { isRunByTfjs: false });
  expect(result.model.graph.inputs[0]!.shape).toEqual([9, 9, 3]);
  expect(nodeOf(result, 'first').attrs).toMatchObject({
    padding: [
      [1, 0],
      [0, 1],
    ],
    strides: [2, 2],
  });
});

describe('one of each other operation', () => {
  it('as they are', async () => {
    await expectSameAsFile('operations');
  });

  it('optimised by TensorFlow', async () => {
    await expectSameAsFile('operations-optimised');
  });
});
