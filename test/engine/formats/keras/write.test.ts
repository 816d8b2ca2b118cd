// Written Keras files: read back as the very same graph, run from what the file says without Secateur's notes in
// it, and, where a Python with Keras is at hand (SECATEUR_PYTHON), loaded and run by Keras itself.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { assembleModel } from '../../../../src-main/engine/formats/keras-config/assemble';
import { openContent } from '../../../../src-main/engine/formats/keras/reader';
import { kerasH5Writer, kerasWriter } from '../../../../src-main/engine/formats/keras/writer';
import { readModel } from '../../../../src-main/engine/formats/table';
import type { ModelWriter } from '../../../../src-main/engine/formats/types';
import type { Graph, Model } from '../../../../src-main/engine/graph/types';
import { buildZoo } from '../../../../src-main/engine/zoo';
import { askPython } from '../../../bench/judges/python';
import {
  commonActivations,
  commonGraphs,
  graphOf,
  image,
  joinGraph,
  joins,
  modelOf,
  oddModel,
  random,
  save,
  single,
  throughModel,
} from '../keras-graphs';
import { maxAbsDiff, runReference } from '../../reference';
import { expectSameGraph } from '../same-graph';
import { tempFolder } from '../temp-folder';

const writers: Readonly<Record<string, ModelWriter>> = {
  'model.keras': kerasWriter,
  'model.h5': kerasH5Writer,
};

const options = { precision: 'fp32', name: 'test' } as const;

/** The bilinear layer of Keras has its samples elsewhere than that of TensorFlow.js. */
const shared = Object.fromEntries(
  Object.entries(commonGraphs).filter(([name]) => name !== 'resize bilinear'),
);

/** What Keras can hold and TensorFlow.js cannot. */
const kerasGraphs: Readonly<Record<string, () => Graph>> = {
  'conv2d in groups': () =>
    graphOf(image, (b, x) => b.conv2d(x, { filters: 6, kernelSize: 3, groups: 2 })),
  'dilated depthwise': () =>
    graphOf(image, (b, x) => b.depthwiseConv2d(x, { kernelSize: 3, dilations: 2 })),
  'conv2dTranspose with output padding': () =>
    graphOf(image, (b, x) =>
      b.conv2dTranspose(x, { filters: 3, kernelSize: 3, strides: 2, outputPadding: [1, 1] }),
    ),
  'group norm': () =>
    single('groupNorm', image, { epsilon: 1e-3, groups: 2 }, { gamma: random([4]) }),
  'elu with a slope': () => graphOf(image, (b, x) => b.activation(x, 'elu', { alpha: 0.6 })),
  'softmax over columns': () => single('softmax', image, { axis: 1 }),
  'resize bilinear, by centres': () =>
    single('resize', image, {
      size: [12, 14],
      mode: 'bilinear',
      alignCorners: false,
      halfPixel: true,
    }),
  'resize to any size': () =>
    single('resize', image, {
      size: [9, 5],
      mode: 'bilinear',
      alignCorners: false,
      halfPixel: true,
    }),
  'resize to any size, nearest': () =>
    single('resize', image, {
      size: [9, 5],
      mode: 'nearest',
      alignCorners: false,
      halfPixel: true,
    }),
  exponential: () => single('activation', image, { fn: 'exp' }),
};

function inputsFor({ graph }: Model): readonly Float32Array[] {
  return graph.inputs.map(({ shape }) => random(shape, -2, 2).data as Float32Array);
}

const models: ReadonlyMap<string, () => Model> = new Map([
  ...Object.entries({ ...shared, ...kerasGraphs }).map(
    ([name, make]) => [name, () => modelOf(make())] as const,
  ),
  ...joins.map((op) => [`${op} of several`, () => modelOf(joinGraph(op))] as const),
  ...commonActivations.map(
    (fn) => [`activation ${fn}`, () => modelOf(single('activation', image, { fn }))] as const,
  ),
  ['names, sharing and provenance', oddModel],
  ['an output that is an input', throughModel],
  ['a residual network', () => buildZoo('resnet20-cifar', { seed: 5, inputShape: [8, 8, 3] })],
  ['inverted residuals', () => buildZoo('mobilenetv2-cifar', { seed: 5, inputShape: [8, 8, 3] })],
]);

async function write(writer: ModelWriter, model: Model): Promise<string> {
  const [file] = await writer.write(model, options);
  return join(await save([file!]), file!.path);
}

/** What one of the formats cannot hold: Keras 3 forgets there that a layer has several axes. */
const refused: Readonly<Record<string, readonly string[]>> = {
  'model.h5': ['layerNorm over several axes'],
};

describe.each(Object.entries(writers))('%s', (file, writer) => {
  for (const [name, make] of models) {
    if (refused[file]?.includes(name)) {
      it(`refuses ${name}`, async () => {
        const writing = writer.write(make(), options);
        await expect(writing).rejects.toMatchObject({ code: 'EXPORT_UNSUPPORTED' });
      });
      continue;
    }
    it(name, async () => {
      const model = make();
      const path = await write(writer, model);
      const { model: read, preprocessingKnown, format } = await readModel(path, silentContext);
      expect(format).toBe(writer.format);
      expect(preprocessingKnown).toBe(true);
      expect({ ...read, graph: null }).toEqual({ ...model, graph: null });
      expectSameGraph(read.graph, model.graph);

      const inputs = inputsFor(model);
      const expected = runReference(model.graph, inputs);
      const content = await openContent(path, silentContext);
      const bare = assembleModel({ ...content, metadata: {} }).model;
      const actual = runReference(bare.graph, inputs);
      expect(actual.length).toBe(expected.length);
      expected.forEach(({ data }, i) => {
        expect(maxAbsDiff(data, actual[i]!.data)).toBeLessThan(1e-5);
      });
    });
  }
});

interface Answer {
  readonly outputs?: readonly (readonly number[])[];
  readonly error?: string;
}

/** Has Keras load and run all models, where there is one. */
async function judge(
  fileName: string,
  options: { readonly keras2: boolean },
): Promise<readonly { name: string; difference: number; error: string }[]> {
  const written = [];
  for (const [name, make] of models) {
    if (refused[fileName]?.includes(name)) continue;
    const model = make();
    const inputs = inputsFor(model);
    const path = await write(writers[fileName]!, model);
    const expected = runReference(model.graph, inputs).map(({ data }) => data);
    written.push({ name, path, expected, inputs: inputs.map((values) => [...values]) });
  }
  const file = join(await tempFolder(), 'models.json');
  await writeFile(
    file,
    JSON.stringify({ models: written.map(({ path, inputs }) => ({ path, inputs })) }),
  );
  const reply = await askPython<{ answers: readonly Answer[] }>(
    ['keras', 'tensorflow'],
    'keras_load.py',
    { file, ...options },
  );
  if ('why' in reply) throw new Error(reply.why);
  return written.map(({ name, expected }, i) => {
    const { outputs, error } = reply.answers[i]!;
    const differences = expected.map((data, k) => maxAbsDiff(data, outputs?.[k] ?? []));
    return { name, difference: Math.max(...differences), error: error ?? '' };
  });
}

describe.skipIf(process.env['SECATEUR_PYTHON'] === undefined)('as Keras itself runs them', () => {
  it.each(Object.keys(writers))(
    '%s',
    async (fileName) => {
      for (const { name, difference, error } of await judge(fileName, { keras2: false })) {
        expect(error, name).toBe('');
        expect(difference, name).toBeLessThan(1e-4);
      }
    },
    600_000,
  );

  it('model.h5, in Keras 2', async () => {
    // The Keras 2 that TensorFlow carries lacks some layers of Keras 2.
    const lacking = /Unknown layer: (LayerNormalization|GroupNormalization|Resizing)/;
    const results = await judge('model.h5', { keras2: true });
    const run = results.filter(({ error }) => !lacking.test(error));
    expect(run.length).toBeGreaterThan(results.length - 8);
    for (const { name, difference, error } of run) {
      expect(error, name).toBe('');
      expect(difference, name).toBeLessThan(1e-4);
    }
  }, 600_000);
});
