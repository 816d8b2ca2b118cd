// A model made and run by Keras 3 (test/fixtures/keras3/make.py), in the JSON that Keras 3 writes.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { tfjsLayersReader } from '../../../../src-main/engine/formats/tfjs-layers/reader';
import { maxAbsDiff, runReference } from '../../reference';

const folder = join(import.meta.dirname, '../../../fixtures/keras3');

it('computes what Keras computed', async () => {
  const expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as {
    input: number[];
    outputs: number[][];
  };
  const { model, notes } = await tfjsLayersReader.read(join(folder, 'model.json'), silentContext);
  const outputs = runReference(model.graph, [expected.input]);
  expect(outputs.length).toBe(2);
  outputs.forEach(({ data }, i) => {
    expect(maxAbsDiff(data, expected.outputs[i]!)).toBeLessThan(1e-5);
  });
  expect(model.graph.nodes.filter(({ name }) => name.startsWith('shared')).length).toBe(2);
  expect(model.graph.nodes.filter(({ name }) => name.startsWith('inner_conv')).length).toBe(2);
  expect(notes).toEqual([
    'The separable convolution "sep" became a depthwise and a 1 x 1 convolution.',
    '"up" interpolates as Keras does, which TensorFlow.js itself does not.',
  ]);
});
