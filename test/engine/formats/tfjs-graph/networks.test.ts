// Whole networks as graph models: every architecture of the zoo, narrow; and imported ones, whole and cut.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { formatWriter, readModel } from '../../../../src-main/engine/formats/table';
import { createRng } from '../../../../src-main/engine/graph/rng';
import type { Model } from '../../../../src-main/engine/graph/types';
import { verifyExport } from '../../../../src-main/engine/measure/verify';
import { defaultPruneOptions, prune } from '../../../../src-main/engine/prune';
import { runForward } from '../../../../src-main/engine/train/executor';
import { buildZoo, zooArchitectures } from '../../../../src-main/engine/zoo';
import { expectCutsEquivalent, makeModel } from '../../prune/networks';
import { groupsAndShapes } from '../../prune/topologies/groups-and-shapes';
import { trunksAndJoins } from '../../prune/topologies/trunks-and-joins';
import { tempFolder } from '../temp-folder';
import { fixtures, save } from './oracle';

const samples = 2;

function inputsFor(model: Model): Float32Array {
  const rng = createRng(5);
  const size = model.graph.inputs[0]!.shape.reduce((a, b) => a * b, 1);
  return Float32Array.from({ length: samples * size }, () => rng.normal());
}

/** Writes a model and expects TensorFlow.js, and what is read back, to compute what the model does. */
async function expectExported(model: Model): Promise<Model> {
  const writer = formatWriter('tfjs-graph');
  const files = await writer.write(model, { precision: 'fp32', name: 'net' });
  const folder = await save(files, await tempFolder());
  const inputs = inputsFor(model);
  const runner = await writer.openRunner(
    folder,
    files.map(({ path }) => path),
  );
  try {
    const given = { count: samples, inputs, labels: null };
    const verdict = await verifyExport(model, runner, given, 1e-4, silentContext);
    expect(verdict).toMatchObject({ passed: true, samples });
  } finally {
    runner.close();
  }
  const { model: read, preprocessingKnown } = await readModel(folder, silentContext);
  expect(preprocessingKnown).toBe(true);
  expect({ ...read, graph: null }).toEqual({ ...model, graph: null });
  const [expected, actual] = await Promise.all(
    [model, read].map(async (each) => (await runForward(each, [inputs], samples))[0]!),
  );
  const largest = Math.max(1, ...expected!.map(Math.abs));
  const apart = Math.max(...expected!.map((value, i) => Math.abs(value - actual![i]!)));
  expect(apart / largest).toBeLessThan(1e-5);
  return read;
}

/** Every layer as wide as this. */
const width = 6;
const narrow = new Proxy<Record<string, number>>({}, { get: () => width });

/** Shortcuts of these pad or keep channels by number, so that widths cannot all be one; they are narrow anyway. */
const hasOwnWidths = /^(resnet\d+|preresnet\d+)-cifar$/;

it.each(zooArchitectures.map(({ id }) => id))('%s', async (id) => {
  const widths = hasOwnWidths.test(id) ? {} : narrow;
  const size = hasOwnWidths.test(id) ? 16 : 32;
  const inputShape = id === 'lenet5' ? [28, 28, 1] : [size, size, 3];
  const model = buildZoo(id, { seed: 3, widths, classes: 5, inputShape });
  const read = await expectExported({ ...model, labels: ['a', 'b', 'c', 'd', 'e'] });
  const count = (of: Model, op: string): number =>
    of.graph.nodes.filter((node) => node.op === op).length;
  for (const op of ['conv2d', 'depthwiseConv2d', 'dense', 'add', 'concat', 'maxPool2d']) {
    expect([op, count(read, op)]).toEqual([op, count(model, op)]);
  }
});

it('cuts a model that was imported, and writes it again', async () => {
  const { model } = await readModel(join(fixtures, 'official'), silentContext);
  expectCutsEquivalent(model);
  const { model: cut, plan } = prune(model, { ...defaultPruneOptions, target: { macs: 0.6 } });
  expect(plan.layers.some(({ from, to }) => to < from)).toBe(true);
  await expectExported(cut);
});

/** Networks that keras.applications built, small: with its rescaling, borders, and squeeze and excitation. */
it.each(['efficientnet', 'densenet', 'mobilenetv2', 'xception'])(
  '%s of Keras, whole and cut',
  async (name) => {
    const path = join(fixtures, '..', 'keras', `${name}.keras`);
    const { model } = await readModel(path, silentContext);
    await expectExported(model);
    const { model: cut, plan } = prune(model, { ...defaultPruneOptions, target: { macs: 0.6 } });
    expect(plan.after.macs).toBeLessThan(0.62 * plan.before.macs);
    await expectExported(cut);
  },
);

const topologies = [...trunksAndJoins, ...groupsAndShapes];

// The one format that has an operation, or several, for every op: whatever the others refuse is written.
it.each(topologies.map(({ number, name, build }) => [number, name, build] as const))(
  'topology %i: %s',
  async (_number, _name, build) => {
    const model = makeModel(build);
    // The runner gives a file one input.
    if (model.graph.inputs.length === 1) await expectExported(model);
  },
);
