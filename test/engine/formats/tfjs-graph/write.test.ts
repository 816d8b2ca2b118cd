// Written graph models: loaded and run by TensorFlow.js itself, two samples at once, and read back, against formulas.

import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { formatWriter, readModel, writeModel } from '../../../../src-main/engine/formats/table';
import type { Precision } from '../../../../src-main/engine/formats/types';
import { GraphBuilder } from '../../../../src-main/engine/graph/build';
import { createRng } from '../../../../src-main/engine/graph/rng';
import type {
  ActivationFn,
  Graph,
  Model,
  Op,
  OpAttrs,
  Padding,
  Shape,
  Weight,
} from '../../../../src-main/engine/graph/types';
import { maxAbsDiff, runReference } from '../../reference';
import { tempFolder } from '../temp-folder';
import { execute, loadWritten, operationsOf, save } from './oracle';

const rng = createRng(20240611);
const tolerance = 1e-5;

function random(shape: Shape, min = -1, max = 1): Weight {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, () => rng.uniform(min, max));
  return { shape, dtype: 'float32', data };
}

function modelOf(graph: Graph, rest: Partial<Model> = {}): Model {
  const preprocessing = { scale: 1 / 255, mean: [0.5], std: [0.25], channelOrder: 'rgb' } as const;
  return { graph, preprocessing, labels: null, outputKind: 'values', ...rest };
}

const write = (model: Model, precision: Precision = 'fp32'): ReturnType<typeof writeModel> =>
  writeModel(model, 'tfjs-graph', { precision, name: 'net' });

/**
 * Largest difference of the file, run by TensorFlow.js, and of what is read back from it, from the formulas; as a share
 * of the largest number where that is above 1.
 */
async function difference(graph: Graph, min = -2, max = 2): Promise<number> {
  const files = await write(modelOf(graph));
  const samples = [0, 1].map(() =>
    graph.inputs.map(({ shape }) => random(shape, min, max).data as Float32Array),
  );
  const expected = samples.map((inputs) => runReference(graph, inputs));
  const loaded = await loadWritten(files);
  const named = graph.inputs.map(({ name }, i) => {
    return [name, samples.flatMap((inputs) => [...inputs[i]!])] as const;
  });
  const actual = await execute(loaded, Object.fromEntries(named), 2);
  loaded.dispose();
  const { model: read } = await readModel(await save(files, await tempFolder()), silentContext);
  expect(read.graph.outputs.map(({ name }) => name)).toEqual(graph.outputs.map(({ name }) => name));
  const again = samples.map((inputs) => runReference(read.graph, inputs));
  const differences = expected.flatMap((outputs, sample) =>
    outputs.map(({ data, shape }, i) => {
      expect(again[sample]![i]!.shape).toEqual(shape);
      const all = actual[graph.outputs[i]!.name]!;
      expect(all.length).toBe(2 * data.length);
      const part = all.subarray(sample * data.length, (sample + 1) * data.length);
      const largest = Math.max(maxAbsDiff(data, part), maxAbsDiff(data, again[sample]![i]!.data));
      return largest / Math.max(1, ...data.map(Math.abs));
    }),
  );
  return Math.max(...differences);
}

function graphOf(shape: Shape, add: (builder: GraphBuilder, input: string) => string): Graph {
  const builder = new GraphBuilder('test', { rng });
  builder.output(add(builder, builder.input('image', shape)), 'result');
  return builder.build();
}

function single<K extends Op>(
  op: K,
  shape: Shape,
  attrs: OpAttrs[K],
  weights: Readonly<Record<string, Weight>> = {},
): Graph {
  return graphOf(shape, (b, x) => b.apply(op, [x], attrs, { name: 'layer', weights }));
}

function norm(channels: number): Readonly<Record<string, Weight>> {
  return {
    gamma: random([channels], 0.5, 1.5),
    beta: random([channels]),
    mean: random([channels]),
    variance: random([channels], 0.5, 2),
  };
}

type Cases = Readonly<Record<string, () => Graph>>;

function expectAll(cases: Cases, min?: number, max?: number): void {
  for (const [name, make] of Object.entries(cases)) {
    it(name, async () => {
      expect(await difference(make(), min, max)).toBeLessThan(tolerance);
    });
  }
}

const paddings: readonly Padding[] = [
  'same',
  'valid',
  [
    [1, 2],
    [2, 0],
  ],
];

describe('layers with filters', () => {
  for (const padding of paddings) {
    describe(`padding ${JSON.stringify(padding)}`, () => {
      expectAll({
        conv2d: () =>
          graphOf([7, 6, 3], (b, x) =>
            b.conv2d(x, { filters: 4, kernelSize: [3, 2], strides: 2, padding }),
          ),
        'conv2d in groups': () =>
          graphOf([5, 6, 6], (b, x) => {
            const y = b.conv2d(x, { filters: 4, kernelSize: 3, groups: 2, padding });
            return b.activation(y, 'relu');
          }),
        'conv2d, dilated': () =>
          graphOf([9, 8, 3], (b, x) =>
            b.conv2d(x, { filters: 4, kernelSize: 3, dilations: 2, padding }),
          ),
        'conv2d, dilated, with strides': () =>
          graphOf([9, 8, 3], (b, x) =>
            b.conv2d(x, { filters: 4, kernelSize: 3, dilations: [2, 1], strides: [2, 3], padding }),
          ),
        depthwiseConv2d: () =>
          graphOf([7, 6, 3], (b, x) =>
            b.depthwiseConv2d(x, { kernelSize: 3, multiplier: 2, strides: 2, padding }),
          ),
        'depthwiseConv2d, dilated': () =>
          graphOf([9, 8, 3], (b, x) => {
            const y = b.depthwiseConv2d(x, { kernelSize: 3, dilations: [2, 3], padding });
            return b.activation(y, 'relu6');
          }),
        'depthwiseConv2d, dilated, with strides': () =>
          graphOf([9, 8, 3], (b, x) =>
            b.depthwiseConv2d(x, { kernelSize: 3, dilations: 2, strides: 2, padding, bias: false }),
          ),
        conv2dTranspose: () =>
          graphOf([4, 5, 3], (b, x) =>
            b.conv2dTranspose(x, { filters: 2, kernelSize: [3, 4], strides: 2, padding }),
          ),
      });
    });
  }

  const half: Padding = [
    [1, 0],
    [0, 0],
  ];
  expectAll({
    'conv2dTranspose with a stride larger than the kernel': () =>
      graphOf([3, 4, 2], (b, x) =>
        b.conv2dTranspose(x, { filters: 3, kernelSize: 2, strides: 3, padding: 'same' }),
      ),
    'conv2dTranspose with output padding beyond the full result': () =>
      graphOf([3, 4, 2], (b, x) =>
        b.conv2dTranspose(x, {
          filters: 3,
          kernelSize: 3,
          strides: 2,
          padding: half,
          outputPadding: [1, 1],
        }),
      ),
    'conv2d with one input channel a group': () =>
      graphOf([5, 5, 4], (b, x) => {
        const y = b.conv2d(x, { filters: 8, kernelSize: 3, groups: 4 });
        return b.prelu(y, { weights: { alpha: random([8]) } });
      }),
    'dense on a vector': () =>
      graphOf([6], (b, x) => b.activation(b.dense(x, { units: 4 }), 'elu')),
    'dense on an image, without bias': () =>
      graphOf([2, 3, 6], (b, x) => b.dense(x, { units: 4, bias: false })),
    'dense on an image, with an activation': () =>
      graphOf([2, 3, 6], (b, x) => b.activation(b.dense(x, { units: 4 }), 'relu')),
  });
});

describe('normalisations', () => {
  const { mean, variance } = norm(5);
  expectAll({
    'batch norm of an image': () =>
      single('batchNorm', [3, 4, 5], { epsilon: 1e-3, momentum: 0.9 }, norm(5)),
    'batch norm of an image, statistics alone': () =>
      single(
        'batchNorm',
        [3, 4, 5],
        { epsilon: 0.1, momentum: 0.9 },
        { mean: mean!, variance: variance! },
      ),
    'batch norm of a vector': () =>
      single('batchNorm', [5], { epsilon: 1e-3, momentum: 0.9 }, norm(5)),
    'layer norm over channels': () =>
      single(
        'layerNorm',
        [3, 4, 6],
        { epsilon: 1e-3, axes: [-1] },
        { gamma: random([6], 0.5, 1.5), beta: random([6]) },
      ),
    'layer norm over everything': () =>
      single(
        'layerNorm',
        [3, 2, 4],
        { epsilon: 1e-2, axes: [0, 1, 2] },
        { gamma: random([3, 2, 4], 0.5, 1.5), beta: random([3, 2, 4]) },
      ),
    'group norm': () =>
      single(
        'groupNorm',
        [3, 4, 6],
        { epsilon: 1e-3, groups: 3 },
        { gamma: random([6], 0.5, 1.5), beta: random([6]) },
      ),
  });

  for (const layer of ['conv2d', 'depthwiseConv2d', 'conv2dTranspose', 'dense'] as const) {
    for (const bias of [true, false]) {
      it(`batch norm and ReLU in ${layer} ${bias ? 'with' : 'without'} bias`, async () => {
        const graph = graphOf(layer === 'dense' ? [4] : [6, 6, 4], (b, x) => {
          const y =
            layer === 'dense'
              ? b.dense(x, { units: 8, bias })
              : layer === 'depthwiseConv2d'
                ? b.depthwiseConv2d(x, { kernelSize: 3, multiplier: 2, bias })
                : b[layer](x, { filters: 8, kernelSize: 3, strides: 2, bias });
          return b.activation(b.batchNorm(y, { weights: norm(8) }), 'relu');
        });
        const fused = {
          conv2d: ['_FusedConv2D'],
          depthwiseConv2d: ['FusedDepthwiseConv2dNative'],
          conv2dTranspose: ['Conv2DBackpropInput', 'BiasAdd', 'Relu'],
          dense: ['_FusedMatMul'],
        }[layer];
        expect(operationsOf(await write(modelOf(graph)))).toEqual([...fused, 'Identity']);
        expect(await difference(graph)).toBeLessThan(tolerance);
      });
    }
  }

  it('keeps a batch norm whose input has another reader, and what is an output', async () => {
    const builder = new GraphBuilder('test', { rng });
    const y = builder.conv2d(builder.input('image', [4, 4, 3]), { filters: 3, kernelSize: 1 });
    const z = builder.batchNorm(y, { weights: norm(3) });
    builder.output(z, '2');
    builder.output(builder.activation(builder.add([y, z]), 'relu'), '1');
    const graph = builder.build();
    expect(operationsOf(await write(modelOf(graph)))).toEqual([
      '_FusedConv2D',
      'FusedBatchNormV3',
      'AddV2',
      'Relu',
      'Identity',
      'Identity',
    ]);
    expect(await difference(graph)).toBeLessThan(tolerance);
  });
});

const activations = {
  relu: [undefined],
  relu6: [undefined],
  leakyRelu: [undefined, 0.37],
  elu: [undefined, 0.37],
  selu: [undefined],
  sigmoid: [undefined],
  hardSigmoid: [undefined, 1 / 6, 0.37],
  tanh: [undefined],
  softplus: [undefined],
  softsign: [undefined],
  swish: [undefined],
  hardSwish: [undefined],
  gelu: [undefined],
  geluTanh: [undefined],
  mish: [undefined],
  exp: [undefined],
  log: [undefined],
  sqrt: [undefined],
  abs: [undefined],
  neg: [undefined],
  linear: [undefined],
} satisfies Readonly<Record<ActivationFn, readonly (number | undefined)[]>>;

/** Those that are read back as the one layer that they were. */
const splitActivations: readonly string[] = ['elu 0.37', 'hardSigmoid 0.37', 'linear'];

describe('activations', () => {
  for (const [fn, alphas] of Object.entries(activations) as [
    ActivationFn,
    (number | undefined)[],
  ][]) {
    for (const alpha of alphas) {
      const name = alpha === undefined ? fn : `${fn} ${alpha.toPrecision(2)}`;
      it(`${name}, alone and behind a convolution`, async () => {
        const graph = (before: boolean): Graph =>
          graphOf([4, 5, 3], (b, x) => {
            const positive = fn === 'log' || fn === 'sqrt';
            const y = before ? b.conv2d(x, { filters: 3, kernelSize: 1 }) : x;
            const z = positive
              ? b.apply('rescale', [b.activation(y, 'abs')], { scale: [1], offset: [0.1] })
              : y;
            return b.activation(z, fn, alpha === undefined ? {} : { alpha });
          });
        expect(await difference(graph(false), -3, 3)).toBeLessThan(tolerance);
        expect(await difference(graph(true), -3, 3)).toBeLessThan(tolerance);
        const folder = await save(await write(modelOf(graph(false))), await tempFolder());
        const { model } = await readModel(folder, silentContext);
        const layers = graph(false).nodes.length;
        expect(model.graph.nodes.length === layers).toBe(!splitActivations.includes(name));
      });
    }
  }

  expectAll({
    'prelu with a slope a channel': () => single('prelu', [3, 4, 5], {}, { alpha: random([5]) }),
    'prelu with one slope': () => single('prelu', [3, 4, 5], {}, { alpha: random([1, 1, 1]) }),
    'prelu with a slope a place': () =>
      single('prelu', [3, 4, 5], {}, { alpha: random([3, 4, 5]) }),
    'prelu with a slope a row behind a convolution': () =>
      graphOf([3, 4, 2], (b, x) =>
        b.prelu(b.conv2d(x, { filters: 5, kernelSize: 1 }), {
          weights: { alpha: random([3, 1, 1]) },
        }),
      ),
    'softmax of a vector': () => single('softmax', [7], { axis: -1 }),
    'softmax along another axis': () => single('softmax', [3, 4, 5], { axis: 0 }),
    'rescale by one number': () =>
      single('rescale', [2, 2, 3], { scale: [1 / 127.5], offset: [-1] }),
    'rescale by one number a channel': () =>
      single('rescale', [2, 2, 3], { scale: [2, 3, 4], offset: [0, 1, -1] }),
  });
});

describe('arithmetic', () => {
  const cases: Record<string, () => Graph> = {};
  for (const op of ['add', 'sub', 'mul', 'div', 'max', 'min', 'average'] as const) {
    cases[`${op}, also with a channel vector and a constant`] = () =>
      graphOf([3, 4, 5], (b, x) => {
        const shifted = b.apply('rescale', [x], { scale: [0.5], offset: [3] });
        const vector = b.globalAvgPool(shifted);
        const value = b.constant(random([4, 1], 1, 2));
        const y = b.apply(op, [x, shifted], {});
        return b.apply(op, [b.apply(op, [y, vector], {}), value], {});
      });
  }
  expectAll({
    ...cases,
    'more than two tensors at once': () =>
      graphOf([3, 4, 5], (b, x) =>
        b.activation(b.add([x, b.activation(x, 'neg'), b.activation(x, 'abs')]), 'relu6'),
      ),
    'matrix product': () =>
      graphOf([3, 4], (b, x) => {
        const y = b.apply('matmul', [x, x], { transposeA: true, transposeB: false });
        return b.apply('matmul', [y, x], { transposeA: false, transposeB: true });
      }),
    'two inputs': () => {
      const builder = new GraphBuilder('test', { rng });
      const [a, b] = [builder.input('b/first', [2, 3]), builder.input('a:second', [2, 3])];
      builder.output(builder.apply('sub', [a, b], {}), 'an output');
      builder.output(a, 'as it is');
      return builder.build();
    },
  });
});

describe('pooling and reductions', () => {
  const cases: Record<string, () => Graph> = {};
  for (const padding of paddings) {
    const attrs = { poolSize: [3, 3], strides: [2, 2], padding } as const;
    const name = `padding ${JSON.stringify(padding)}`;
    cases[`maxPool2d, ${name}`] = () => single('maxPool2d', [7, 8, 3], attrs);
    for (const countPadding of [false, true]) {
      cases[`avgPool2d, ${name}, ${countPadding ? '' : 'not '}counted`] = () =>
        single('avgPool2d', [7, 8, 3], { ...attrs, countPadding });
    }
  }
  const around: Padding = [
    [1, 1],
    [1, 1],
  ];
  for (const countPadding of [false, true]) {
    cases[`avgPool2d, explicit padding that is SAME, ${countPadding ? '' : 'not '}counted`] = () =>
      single('avgPool2d', [5, 5, 2], {
        poolSize: [3, 3],
        strides: [1, 1],
        padding: around,
        countPadding,
      });
  }
  for (const keepDims of [false, true]) {
    for (const op of ['globalAvgPool', 'globalMaxPool'] as const) {
      cases[`${op}, ${keepDims ? 'keeping' : 'dropping'} the axes`] = () =>
        single(op, [4, 5, 3], { keepDims });
    }
    for (const fn of ['mean', 'sum', 'max', 'min', 'prod'] as const) {
      cases[`reduce ${fn}, ${keepDims ? 'keeping' : 'dropping'} the axes`] = () =>
        single('reduce', [3, 4, 5], { fn, axes: [0, -1], keepDims });
    }
  }
  expectAll(cases, -5, -1);
});

describe('ops that move values', () => {
  const cases: Record<string, () => Graph> = {};
  for (const axis of [-1, 0]) {
    cases[`concat and split along axis ${axis}`] = () => {
      const builder = new GraphBuilder('test', { rng });
      const x = builder.input('x', [6, 4, 6]);
      const parts = builder.applyAll('split', [x], { axis, sizes: [1, 3, 2] });
      builder.output(builder.concat([parts[2]!, parts[0]!, x, parts[1]!], { axis }), 'joined');
      builder.output(parts[1]!, 'part');
      return builder.build();
    };
  }
  const mirrored = [
    [1, 2],
    [2, 1],
    [0, 0],
  ] as const;
  const around = [
    [1, 0],
    [2, 1],
    [0, 3],
  ] as const;
  for (const mode of ['nearest', 'bilinear'] as const) {
    for (const [alignCorners, halfPixel] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const) {
      cases[`resize ${mode}, corners ${alignCorners}, half pixel ${halfPixel}`] = () =>
        single('resize', [3, 4, 2], { size: [7, 9], mode, alignCorners, halfPixel });
    }
  }
  expectAll({
    ...cases,
    slice: () =>
      single('slice', [6, 5, 4], { begin: [1, 0, 2], end: [5, 5, 4], strides: [1, 1, 1] }),
    'slice with steps': () =>
      single('slice', [6, 5, 4], { begin: [0, 1, 0], end: [6, 5, 4], strides: [2, 2, 1] }),
    gather: () => single('gather', [3, 2, 6], { indices: [5, 0, 0, 3] }),
    crop: () =>
      single('crop', [6, 5, 4], {
        amounts: [
          [1, 2],
          [0, 3],
        ],
      }),
    'pad with zeros': () =>
      single('pad', [3, 4, 5], { paddings: around, mode: 'constant', value: 0 }),
    'pad with a number': () =>
      single('pad', [3, 4, 5], { paddings: around, mode: 'constant', value: -1.5 }),
    'pad, reflected': () =>
      single('pad', [3, 4, 5], { paddings: mirrored, mode: 'reflect', value: 0 }),
    'pad, symmetric': () =>
      single('pad', [3, 4, 5], { paddings: mirrored, mode: 'symmetric', value: 0 }),
    flatten: () => single('flatten', [3, 4, 5], {}),
    reshape: () => single('reshape', [3, 4, 5], { shape: [12, 5] }),
    permute: () => single('permute', [3, 4, 5], { perm: [2, 0, 1] }),
    'channel shuffle': () =>
      graphOf([3, 2, 6], (b, x) => {
        const grouped = b.apply('reshape', [x], { shape: [3, 2, 2, 3] });
        const moved = b.apply('permute', [grouped], { perm: [0, 1, 3, 2] });
        return b.apply('reshape', [moved], { shape: [3, 2, 6] });
      }),
    depthToSpace: () => single('depthToSpace', [2, 3, 8], { block: 2, order: 'dcr' }),
    "depthToSpace in PyTorch's order": () =>
      single('depthToSpace', [2, 3, 8], { block: 2, order: 'crd' }),
    spaceToDepth: () => single('spaceToDepth', [4, 6, 3], { block: 2 }),
    dropout: () => single('dropout', [4], { rate: 0.5 }),
  });
});

describe('what lies beside the operations', () => {
  const network = (): Graph =>
    graphOf([8, 8, 3], (b, x) => {
      const y = b.conv2d(x, { filters: 40, kernelSize: 3 });
      const z = b.activation(b.batchNorm(y, { weights: norm(40) }), 'relu');
      return b.dense(b.globalAvgPool(z), { units: 5 });
    });

  it('labels, preprocessing and the name are read back', async () => {
    const labels = ['a', 'b', 'c', 'd', 'e'];
    const model = modelOf(network(), { labels, outputKind: 'logits' });
    const read = await readModel(await save(await write(model), await tempFolder()), silentContext);
    expect({ ...read.model, graph: null }).toEqual({ ...model, graph: null });
    expect(read.model.graph.name).toBe('test');
    expect(read).toMatchObject({ format: 'tfjs-graph', preprocessingKnown: true });
  });

  it('is described as the converter does: open batch, whole numbers as texts', async () => {
    const [file] = await write(modelOf(network()));
    const json = JSON.parse(new TextDecoder().decode(file!.bytes)) as object;
    const tensorShape = { dim: [{ size: '-1' }, { size: '8' }, { size: '8' }, { size: '3' }] };
    expect(json).toMatchObject({
      format: 'graph-model',
      signature: {
        inputs: { image: { name: 'image:0', dtype: 'DT_FLOAT', tensorShape } },
        outputs: { result: { name: 'result:0' } },
      },
      weightsManifest: [{ paths: ['group1-shard1of1.bin'] }],
    });
  });

  it('weights lie in files of 4 MiB', async () => {
    const graph = graphOf([1200], (b, x) => b.dense(x, { units: 1000, bias: false }));
    const files = await write(modelOf(graph));
    expect(files.map(({ path }) => path)).toEqual([
      'model.json',
      'group1-shard1of2.bin',
      'group1-shard2of2.bin',
    ]);
    expect(files.slice(1).map(({ bytes }) => bytes.length)).toEqual([4194304, 4.8e6 - 4194304]);
    expect(await difference(graph)).toBeLessThan(tolerance);
  });

  it.each(['tfjs-graph', 'tfjs-layers'] as const)(
    '%s: kernels in fewer bits are what the runtime makes of them',
    async (format) => {
      const model = modelOf(network());
      const size = (files: Awaited<ReturnType<typeof write>>): number =>
        files.slice(1).reduce((sum, { bytes }) => sum + bytes.length, 0);
      const whole = await writeModel(model, format, { precision: 'fp32', name: 'net' });
      const input = random([8, 8, 3]).data as Float32Array;
      const [exact] = runReference(model.graph, [input]);
      const largest = Math.max(...exact!.data.map(Math.abs));
      for (const [precision, share, error] of [
        ['fp16', 2, 1e-3],
        ['uint8', 4, 2e-2],
      ] as const) {
        const files = await writeModel(model, format, { precision, name: 'net' });
        // Kernels of 1080 and 200 numbers; vectors stay float32.
        expect(size(whole) - size(files)).toBe(1280 * 4 * (1 - 1 / share));
        const folder = await save(files, await tempFolder());
        const { model: read } = await readModel(folder, silentContext);
        const [rounded] = runReference(read.graph, [input]);
        const runner = await formatWriter(format).openRunner(folder, []);
        const [run] = await runner.run(input);
        runner.close();
        expect(maxAbsDiff(rounded!.data, run!) / largest).toBeLessThan(tolerance);
        const apart = maxAbsDiff(exact!.data, run!) / largest;
        expect(apart).toBeLessThan(error);
        expect(apart).toBeGreaterThan(1e-6);
      }
    },
  );

  it('zero stays zero in 8 bits, and a kernel of one number keeps it', async () => {
    const graph = graphOf([3], (b, x) => {
      const kernel = {
        shape: [3, 2],
        dtype: 'float32',
        data: Float32Array.of(0, 1, -0.3, 0, 0.7, 0),
      } as const;
      const same = {
        shape: [2, 2],
        dtype: 'float32',
        data: new Float32Array(4).fill(0.123),
      } as const;
      const y = b.dense(x, { units: 2, bias: false, weights: { kernel } });
      return b.dense(y, { units: 2, bias: false, weights: { kernel: same } });
    });
    const folder = await save(await write(modelOf(graph), 'uint8'), await tempFolder());
    const { graph: read } = (await readModel(folder, silentContext)).model;
    const [first, second] = read.nodes.map(
      ({ weights }) => read.weights.get(weights.kernel!)!.data,
    );
    expect([first![0], first![3], first![5]]).toEqual([0, 0, 0]);
    expect(first![1]).toBeCloseTo(1, 2);
    expect(second).toEqual(new Float32Array(4).fill(0.123));
  });

  it('refuses a precision that there is not', async () => {
    const written = Promise.resolve().then(() => write(modelOf(network()), 'int8'));
    await expect(written).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
