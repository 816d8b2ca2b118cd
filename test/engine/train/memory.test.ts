// Memory that really runs out, in a process whose TensorFlow has little.

import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { AppError } from '../../../src-main/engine/errors';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import { fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import { asMemoryError } from '../../../src-main/engine/train/memory';
import { localCompute } from '../../../src-main/engine/train/step';
import { train } from '../../../src-main/engine/train/trainer';
import { toyClasses, toyDataset, toyModel } from './toy';

/** Copies of the image that need four and then eight times its memory, by an op that only copies. */
function copyingModel(): Model {
  const b = new GraphBuilder('copies', { rng: createRng(1) });
  const x = b.input('image', [8, 8, 3]);
  const many = b.concat([x, x, x, x]);
  b.output(b.dense(b.globalAvgPool(b.concat([many, many])), { units: toyClasses }));
  return { ...toyModel(), graph: b.build() };
}

describe('a batch that does not fit', () => {
  it('says so, and which one may', async () => {
    process.env['TF_CPU_BFC_MEM_LIMIT_IN_MB'] = '16';
    const compute = localCompute(await loadBackend('tensorflow'));
    const dataset = toyDataset({ train: 2048, val: 0, test: 0 });
    const options = { ...fullTrainingDefaults(1), batchSize: 2048 };
    await expect(
      train(copyingModel(), dataset, options, silentContext, {}, { compute }),
    ).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      hint: expect.stringContaining('1024'),
      details: { batchSize: 2048, suggestedBatchSize: 1024 },
    });
    const smaller = { ...options, batchSize: 64, samplesPerEpoch: 128 };
    const { history } = await train(
      copyingModel(),
      dataset,
      smaller,
      silentContext,
      {},
      { compute },
    );
    expect(history).toHaveLength(1);
  });

  it.each([
    'OOM when allocating tensor with shape[128,32,32,64] and type float',
    'Array buffer allocation failed',
  ])('is known by its words: %s', (words) => {
    expect(asMemoryError(new Error(words), 1)).toMatchObject({
      code: 'OUT_OF_MEMORY',
      details: { batchSize: 1 },
    });
  });

  it.each([new Error('ROOM is short'), new AppError('CANCELLED', 'OOM', 'x')])(
    'leaves other errors as they are',
    (error) => expect(asMemoryError(error, 8)).toBe(error),
  );
});
