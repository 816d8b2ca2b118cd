// The size of a model is that of its .tflite file.

import { expect, it } from 'vitest';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';
import { graphCost } from '../../../src-main/engine/graph/cost';
import { exportedBytes, tfliteBytes } from '../../../src-main/engine/measure/size';
import { buildZoo } from '../../../src-main/engine/zoo';

it('is the length of the file: all weights, and a little structure', async () => {
  const model = buildZoo('lenet5', { seed: 1 });
  const bytes = await exportedBytes(model);
  expect(bytes).toBe((await tfliteBytes(model)).length);
  const { weightBytes } = graphCost(model.graph);
  expect(bytes).toBeGreaterThan(weightBytes);
  expect(bytes).toBeLessThan(weightBytes + 4096);
});

it('is not known of a model that TFLite cannot hold', async () => {
  const builder = new GraphBuilder('dilated', { rng: createRng(1) });
  const x = builder.input('x', [4, 4, 1]);
  builder.output(builder.conv2dTranspose(x, { filters: 1, kernelSize: 3, dilations: 2 }));
  const model: Model = { ...buildZoo('lenet5', { seed: 1 }), graph: builder.build() };
  expect(await exportedBytes(model)).toBeNull();
});
