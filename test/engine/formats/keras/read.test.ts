// Files that Keras wrote, read here: what they compute, against what Keras computed.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext, type Progress } from '../../../../src-main/engine/context';
import { AppError } from '../../../../src-main/engine/errors';
import { detectFormat, readModel } from '../../../../src-main/engine/formats/table';
import type { ImportResult } from '../../../../src-main/engine/formats/types';
import type { NodeOf } from '../../../../src-main/engine/graph/types';
import { runForward } from '../../../../src-main/engine/train/executor';
import { expected, fixtures, inputsOf } from './fixtures';
import { relativeDifference } from './wave';

function read(name: string): Promise<ImportResult> {
  return readModel(join(fixtures, name), silentContext);
}

describe('computes what Keras computed', () => {
  for (const name of Object.keys(expected)) {
    it(name, async () => {
      const { model, format } = await read(name);
      expect(format).toBe(name.endsWith('.h5') ? 'keras-h5' : 'keras');
      const outputs = await runForward(model, inputsOf(model.graph, name), 1);
      const wanted = expected[name]!.outputs;
      expect(outputs.length).toBe(wanted.length);
      // Numbers of 11 bits, as float16 has them, were used by Keras in one of the files.
      const tolerance = name === 'mixed.keras' ? 5e-3 : 1e-5;
      outputs.forEach((output, i) => {
        expect(relativeDifference(output, wanted[i]!)).toBeLessThan(tolerance);
      });
    });
  }
});

describe('what else a file says', () => {
  it('names, labels and meaning of a network', async () => {
    const { model, notes, preprocessingKnown } = await read('mobilenet.keras');
    expect(model.graph.nodes[0]).toMatchObject({ name: 'conv1', op: 'conv2d' });
    expect(model.graph.nodes.filter(({ op }) => op === 'depthwiseConv2d').length).toBe(13);
    expect(model.outputKind).toBe('softmax');
    expect(model.labels).toBeNull();
    expect(preprocessingKnown).toBe(false);
    expect(notes).toEqual([]);
  });

  it('rescaling and normalisation at the beginning are preprocessing that the model does itself', async () => {
    for (const name of ['preprocessing.keras', 'preprocessing.h5', 'efficientnet.keras']) {
      const { model, preprocessingKnown } = await read(name);
      expect(preprocessingKnown).toBe(true);
      expect(model.preprocessing).toMatchObject({ scale: 1, mean: [0], std: [1] });
      const [first, second] = model.graph.nodes;
      expect([first!.op, second!.op]).toEqual(['rescale', 'rescale']);
      const scale = (second as NodeOf<'rescale'>).attrs.scale;
      expect(scale.length).toBe(3);
    }
  });

  it('layers called twice share their weights, and models in models keep apart layers of one name', async () => {
    const { model } = await read('nested.keras');
    const convolutions = model.graph.nodes.filter(({ op }) => op === 'conv2d');
    expect(convolutions.map(({ name }) => name)).toEqual([
      'stem',
      'shared',
      'conv',
      'conv_1',
      'shared_call2',
      'conv_2',
      'conv_3',
      'conv_4',
    ]);
    const kernels = convolutions.map(({ weights }) => weights.kernel);
    expect(kernels[1]).toBe(kernels[4]);
    expect(kernels[2]).toBe(kernels[5]);
    expect(kernels[3]).toBe(kernels[6]);
    expect(new Set(kernels).size).toBe(5);
  });

  it('the width of numbers that Keras computed in', async () => {
    const { notes } = await read('mixed.keras');
    expect(notes).toEqual([
      'The model was made to compute in float16; here it computes in float32.',
    ]);
  });
});

describe('what Secateur cannot run is refused by name', () => {
  const cases = {
    'lambda.keras': ['MODEL_UNSUPPORTED_OP', 'Layer "doubling" (Lambda)'],
    'custom.keras': ['MODEL_UNSUPPORTED_OP', 'Layer "twice" (Twice)'],
    'keras2-training.h5': ['MODEL_UNSUPPORTED_OP', 'Layer "always" (Dropout)'],
    'only.weights.h5': ['MODEL_FORMAT_UNKNOWN', 'but not the model itself'],
  } as const;
  for (const [name, [code, message]] of Object.entries(cases)) {
    it(name, async () => {
      const error = await read(name).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).message).toContain(message);
      expect((error as AppError).code).toBe(code);
    });
  }
});

it('tells the formats by content', async () => {
  expect(await detectFormat(join(fixtures, 'vgg.h5'))).toBe('keras-h5');
  expect(await detectFormat(join(fixtures, 'vgg.keras'))).toBe('keras');
});

it('reports how far reading is, and stops when the job is cancelled', async () => {
  for (const name of ['resnet.h5', 'resnet.keras']) {
    const steps: Progress[] = [];
    await readModel(join(fixtures, name), {
      ...silentContext,
      progress: (step) => steps.push(step),
    });
    expect(steps.map(({ phase }) => phase)).toEqual(steps.map(() => 'reading'));
    expect(steps.at(-1)!.label).toBe('Reading weights');
    expect(steps.every(({ done, total }) => done <= total)).toBe(true);

    const controller = new AbortController();
    const reason = new AppError('CANCELLED', 'cancelled', 'start again');
    controller.abort(reason);
    const reading = readModel(join(fixtures, name), {
      ...silentContext,
      signal: controller.signal,
    });
    await expect(reading).rejects.toBe(reason);
  }
});
