// Hints against plain loops: which maps are compared, the loss with its gradient, and what a training makes of them.

import { beforeAll, describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { BatchLoader } from '../../../src-main/engine/data/loader';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Graph, Model } from '../../../src-main/engine/graph/types';
import { defaultPruneOptions, prune } from '../../../src-main/engine/prune';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import type { Tensor } from '../../../src-main/engine/runtime/primitives';
import { fineTuneDefaults } from '../../../src-main/engine/train/defaults';
import { runForward } from '../../../src-main/engine/train/executor';
import { attentionOf, hintLoss, hintPairs } from '../../../src-main/engine/train/hints';
import { classifierHead } from '../../../src-main/engine/train/loss';
import { TrainStep } from '../../../src-main/engine/train/step';
import { train } from '../../../src-main/engine/train/trainer';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import { buildZoo } from '../../../src-main/engine/zoo';
import { toyDataset, toyModel } from './toy';

type Places = readonly [height: number, width: number];

/** Squares summed over the channels, place by place, scaled to length 1. */
function attention(map: readonly number[], [height, width]: Places): number[] {
  const places = height * width;
  const channels = map.length / places;
  const sums: number[] = [];
  for (let place = 0; place < places; place++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += map[place * channels + c]! ** 2;
    sums.push(sum);
  }
  const length = Math.sqrt(sums.reduce((total, sum) => total + sum ** 2, 0));
  return sums.map((sum) => (length === 0 ? 0 : sum / length));
}

/** Of one sample and one pair of maps. */
function distance(a: readonly number[], b: readonly number[], places: Places): number {
  const [q, t] = [attention(a, places), attention(b, places)];
  return q.reduce((sum, value, i) => sum + (value - t[i]!) ** 2, 0);
}

const headOf = (model: Model): { graph: Graph; tensor: string } => ({
  graph: model.graph,
  tensor: classifierHead(model).tensor,
});

const pairsOf = (student: Model, teacher: Model): [string, string][] =>
  hintPairs(headOf(student), headOf(teacher)).map((pair) => [pair.student, pair.teacher]);

describe('hintPairs', () => {
  it('takes the ends of the stages of a network and of what was cut out of it', () => {
    const teacher = buildZoo('resnet20-cifar', { seed: 1 });
    const slim = prune(teacher, { ...defaultPruneOptions, target: { macs: 0.5 } }).model;
    const output = (name: string): string =>
      teacher.graph.nodes.find((node) => node.name === name)!.outputs[0]!;
    const ends = [1, 2, 3].map((stage) => output(`stage${stage}.block3.relu`));
    expect(pairsOf(slim, teacher)).toEqual(ends.map((end) => [end, end]));
  });

  /** A stage of 8 x 8 with one more layer where asked, one of 4 x 4, and a 1 x 1 that has no attention. */
  function network(prefix: string, more: boolean, size = 8): Model {
    const b = new GraphBuilder(prefix, { rng: createRng(1) });
    const conv = (x: string, name: string, strides = 1): string =>
      b.conv2d(x, { kernelSize: 3, filters: 2, strides, name: `${prefix}${name}` });
    let x = conv(b.input(`${prefix}image`, [size, size, 3]), 'a');
    if (more) x = conv(x, 'b');
    const paddings = [
      [1, 1],
      [1, 1],
      [0, 0],
    ] as const;
    x = b.apply('pad', [x], { paddings, mode: 'constant', value: 0 }, { name: `${prefix}frame` });
    x = b.apply(
      'crop',
      [x],
      {
        amounts: [
          [1, 1],
          [1, 1],
        ],
      },
      { name: `${prefix}inner` },
    );
    x = conv(x, 'c', 2);
    x = b.globalAvgPool(x, { keepDims: true, name: `${prefix}mean` });
    b.output(b.dense(b.flatten(x), { units: 4, name: `${prefix}last` }));
    return { ...toyModel(), graph: b.build() };
  }

  it('meets strangers at the last maps of the resolutions that both have', () => {
    // With the same names, and another layer: no family.
    expect(pairsOf(network('x', false), network('x', true))).toEqual([
      ['xinner', 'xinner'],
      ['xc', 'xc'],
    ]);
    expect(pairsOf(network('x', false), network('y', true))).toEqual([
      ['xinner', 'yinner'],
      ['xc', 'yc'],
    ]);
    expect(pairsOf(toyModel(), network('y', true))).toEqual([[expect.any(String), 'yinner']]);
  });

  it('looks past what only one of a family has', () => {
    const teacher = network('x', false);
    const [own] = pairsOf(teacher, teacher);
    const nodes = teacher.graph.nodes.flatMap((node) =>
      node.id === 'xc'
        ? [
            {
              ...node,
              id: 'pick',
              name: 'pick',
              op: 'gather' as const,
              outputs: ['pick'],
              attrs: { indices: [0, 1] },
              weights: {},
            },
            { ...node, inputs: ['pick'] },
          ]
        : [node],
    );
    const student = { ...teacher, graph: { ...teacher.graph, nodes } };
    expect(pairsOf(student, teacher)[0]).toEqual(own);
    expect(pairsOf(teacher, student)[0]).toEqual(own);
  });

  it('says so where no resolution is the same', () => {
    expect(() => pairsOf(network('x', false), network('y', false, 12))).toThrow(
      expect.objectContaining({
        code: 'DATA_MISMATCH',
        message: expect.stringContaining('no hints') as string,
        hint: expect.stringContaining('same architecture') as string,
      }),
    );
  });
});

describe.each(['tensorflow', 'cpu'] as const)('on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend(name);
  });

  it('is half of beta times the squared distances of the attention, with its gradient', () => {
    const { tf } = backend;
    const rng = createRng(3);
    const draw = (length: number): number[] => Array.from({ length }, () => rng.normal(0, 1.5));
    const samples = 2;
    const beta = 3;
    /** The teacher has more channels. */
    const shapes = [
      { places: [3, 2] as const, own: 2, taught: 5 },
      { places: [2, 2] as const, own: 3, taught: 4 },
    ];
    const students = shapes.map(({ places: [h, w], own }) => draw(samples * h * w * own));
    const teachers = shapes.map(({ places: [h, w], taught }) => draw(samples * h * w * taught));
    // The second sample of the second map is dead.
    students[1]!.fill(0, students[1]!.length / samples);
    const row = (values: readonly number[], n: number): number[] =>
      values.slice((n * values.length) / samples, ((n + 1) * values.length) / samples);
    const define = (maps: readonly (readonly number[])[], n: number): number =>
      maps.reduce((sum, map, i) => {
        const taught = row(teachers[i]!, n);
        return sum + (beta / 2) * distance(row(map, n), taught, shapes[i]!.places);
      }, 0);

    const before = tf.memory().numTensors;
    const [losses, gradients] = tf.tidy(() => {
      const maps = (values: readonly number[][], of: 'own' | 'taught'): Tensor[] =>
        shapes.map(({ places, ...channels }, i) =>
          tf.tensor4d(values[i]!, [samples, ...places, channels[of]]),
        );
      const taught = maps(teachers, 'taught').map((map) => attentionOf(tf, map));
      const loss = hintLoss(backend, maps(students, 'own'), taught, beta);
      return [
        loss.losses.dataSync<'float32'>(),
        loss.gradients.map((gradient) => gradient.dataSync<'float32'>()),
      ] as const;
    });
    expect(tf.memory().numTensors).toBe(before);
    for (let n = 0; n < samples; n++) expect(losses[n]).toBeCloseTo(define(students, n), 5);
    students.forEach((map, at) =>
      map.forEach((value, i) => {
        if (value === 0) {
          expect(Math.abs(gradients[at]![i]!)).toBe(0);
          return;
        }
        const moved = (by: number): number =>
          define(
            students.map((other, k) =>
              k === at ? other.map((x, j) => (j === i ? x + by : x)) : other,
            ),
            Math.floor((i * samples) / map.length),
          );
        expect(gradients[at]![i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 4);
      }),
    );
  });

  it('flows back through the network together with the loss of the answers', async () => {
    const { tf } = backend;
    const before = tf.memory().numTensors;
    const images = toyDataset({ train: 24, val: 0, test: 0 }).split('train');
    const settings = { batchSize: 24, seed: 1, augment: { flip: false, padCrop: 0 } };
    const loader = new BatchLoader(images, { ...settings, samplesPerEpoch: null, shuffle: false });
    const batch = (await loader.next())!;
    const base = fineTuneDefaults(1);
    const options: TrainOptions = {
      ...base,
      optimizer: { ...base.optimizer, kind: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
      distill: { temperature: 2, alpha: 0.5, hints: 30 },
    };
    const student = smooth(2);
    const taking = async (
      model: Model,
      rate: number,
      distill = options.distill,
    ): Promise<{ loss: number; graph: Graph }> => {
      const step = new TrainStep(
        {
          model,
          shape: images,
          task: 'classes',
          options: { ...options, distill },
          teacher: smooth(9),
          state: null,
        },
        backend,
      );
      const { loss, samples } = await step.take(batch, rate);
      const graph = await step.weights();
      await step.dispose();
      return { loss: loss / samples, graph };
    };
    // A step of SGD at rate 1 takes the gradient off the weights.
    const { loss, graph: stepped } = await taking(student, 1);
    const trained = [...student.graph.weights.keys()].filter((id) => !/mean|variance/.test(id));
    const direction = new Map(
      trained.map((id) => {
        const [from, to] = [student.graph.weights.get(id)!, stepped.weights.get(id)!];
        return [id, from.data.map((value, i) => value - to.data[i]!) as Float32Array];
      }),
    );
    const squares = [...direction.values()].flatMap((values) => [...values].map((v) => v ** 2));
    const norm = Math.sqrt(squares.reduce((a, b) => a + b, 0));
    const along = async (by: number): Promise<number> => {
      const weights = new Map(student.graph.weights);
      for (const [id, values] of direction) {
        const { data, ...weight } = weights.get(id)!;
        const moved = Float32Array.from(data, (value, i) => value + (by * values[i]!) / norm);
        weights.set(id, { ...weight, data: moved });
      }
      return (await taking({ ...student, graph: { ...student.graph, weights } }, 0)).loss;
    };
    const slope = ((await along(1e-2)) - (await along(-1e-2))) / 2e-2;
    expect(slope / norm).toBeCloseTo(1, 2);
    const without = await taking(student, 1, { ...options.distill!, hints: 0 });
    expect(without.loss).toBeLessThan(loss);
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** Without kinks, so that differences of a finite step tell the slope. */
function smooth(seed: number): Model {
  const b = new GraphBuilder('smooth', { rng: createRng(seed) });
  const conv = { kernelSize: 3, filters: 4 };
  let x = b.activation(b.conv2d(b.input('image', [8, 8, 3]), { ...conv, name: 'a' }), 'swish');
  x = b.activation(b.conv2d(x, { ...conv, strides: 2, name: 'b' }), 'swish');
  b.output(b.dense(b.flatten(x), { units: 4, name: 'last' }));
  return { ...toyModel(), graph: b.build() };
}

it('draws the attention of a student to that of its teacher', async () => {
  const dataset = toyDataset({ train: 96, val: 32, test: 32 });
  const teacher = toyModel({ seed: 8 });
  const student = toyModel({ seed: 3 });
  const test = dataset.split('test');
  const pixels = new Uint8Array(test.count * 8 * 8 * 3);
  test.read(
    Int32Array.from({ length: test.count }, (_, i) => i),
    pixels,
  );
  const { mean, std } = student.preprocessing;
  const input = Float32Array.from(pixels, (value) => (value / 255 - mean[0]!) / std[0]!);
  const [[map]] = pairsOf(student, teacher) as [[string, string]];
  const mapOf = async ({ graph }: Model): Promise<number[][]> => {
    const outputs = [{ tensor: map, name: map }];
    const [values] = await runForward({ graph: { ...graph, outputs } }, [input], test.count);
    const size = values!.length / test.count;
    return Array.from({ length: test.count }, (_, n) => [
      ...values!.slice(n * size, (n + 1) * size),
    ]);
  };
  const taught = await mapOf(teacher);
  const distanceOf = async (model: Model): Promise<number> => {
    const maps = await mapOf(model);
    return maps.reduce((sum, own, n) => sum + distance(own, taught[n]!, [8, 8]), 0) / test.count;
  };
  const trained = async (hints: number): Promise<Model> => {
    const options: TrainOptions = {
      ...fineTuneDefaults(3),
      batchSize: 16,
      distill: { temperature: 4, alpha: 1, hints },
      augment: { flip: false, padCrop: 0 },
      keepBest: false,
    };
    return (await train(student, dataset, options, silentContext, {}, { teacher })).model;
  };
  const [start, without, withHints] = [
    await distanceOf(student),
    await distanceOf(await trained(0)),
    await distanceOf(await trained(20)),
  ];
  expect(withHints).toBeLessThan(start / 2);
  expect(withHints).toBeLessThan(without / 2);
});
