// Damaged and hostile graph models: each gives the error that says what is wrong, and nothing else happens.

import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { AppError, type ErrorCode } from '../../../../src-main/engine/errors';
import { readModel } from '../../../../src-main/engine/formats/table';
import { assembleGraphModel } from '../../../../src-main/engine/formats/tfjs-graph/reader';
import { createRng, type Rng } from '../../../../src-main/engine/graph/rng';
import { tempFolder } from '../temp-folder';
import { fixtures } from './oracle';
import { mutantOutcomes } from '../mutants';

interface NodeJson {
  name: string;
  op: string;
  input: string[];
  attr: Record<string, unknown>;
}

interface ModelJson {
  format?: string;
  modelTopology: { node: NodeJson[] };
  modelInitializer?: unknown;
  signature: {
    inputs: Record<string, { name: string; tensorShape: { dim: { size: string }[] } }>;
    outputs: Record<string, { name: string }>;
  };
  weightsManifest: { paths: string[]; weights: Record<string, unknown>[] }[];
}

/** The first node of an operation. */
function nodeOf(model: ModelJson, op: string): NodeJson {
  return model.modelTopology.node.find((node) => node.op === op)!;
}

type Break = (model: ModelJson) => void;

const setOp =
  (from: string, to: string): Break =>
  (model) => {
    nodeOf(model, from).op = to;
  };

const broken: readonly (readonly [
  what: string,
  damage: Break,
  code: ErrorCode,
  message: string,
])[] = [
  [
    'control flow',
    setOp('Relu', 'StatelessWhile'),
    'MODEL_UNSUPPORTED_OP',
    'spatial_relu_1/Relu" (StatelessWhile) cannot be imported',
  ],
  ['control flow of TensorFlow 1', setOp('Relu', 'Switch'), 'MODEL_UNSUPPORTED_OP', '(Switch)'],
  ['an unknown operation', setOp('Relu', 'Fancy'), 'MODEL_UNSUPPORTED_OP', '(Fancy)'],
  ['a name of every object', setOp('Relu', 'constructor'), 'MODEL_UNSUPPORTED_OP', '(constructor)'],
  ['a called function', setOp('Relu', 'PartitionedCall'), 'MODEL_UNSUPPORTED_OP', 'a function'],
  ['post-processing', setOp('Softmax', 'ArgMax'), 'MODEL_UNSUPPORTED_OP', 'chooses among results'],
  [
    'a dilation that is no convolution',
    setOp('BatchToSpaceND', 'Relu'),
    'MODEL_UNSUPPORTED_OP',
    '(SpaceToBatchND)',
  ],
  [
    'a table that is filled first',
    (model) => {
      model.modelInitializer = { node: [{ name: 'fill', op: 'LookupTableImportV2' }] };
    },
    'MODEL_UNSUPPORTED_OP',
    'fills tables',
  ],
  [
    'an open input size',
    (model) => {
      model.signature.inputs['image']!.tensorShape.dim[1]!.size = '-1';
    },
    'MODEL_UNSUPPORTED_OP',
    'not fixed',
  ],
  [
    'something fused that is unknown',
    (model) => {
      const text = Buffer.from('Fancy').toString('base64');
      nodeOf(model, '_FusedConv2D').attr['fused_ops'] = { list: { s: ['Qmlhc0FkZA==', text] } };
    },
    'MODEL_UNSUPPORTED_OP',
    '"Fancy" fused',
  ],
  [
    'a node that is not there',
    (model) => {
      nodeOf(model, 'Relu').input[0] = 'nowhere';
    },
    'MODEL_CORRUPT',
    '"nowhere", which it does not have',
  ],
  [
    'an output that a node does not have',
    (model) => {
      nodeOf(model, 'Softmax').input[0] += ':7';
    },
    'MODEL_CORRUPT',
    'no output 7',
  ],
  [
    'a circle',
    (model) => {
      nodeOf(model, 'Pad').input[0] = nodeOf(model, 'Softmax').name;
    },
    'MODEL_CORRUPT',
    'circle',
  ],
  [
    'a node twice',
    (model) => {
      model.modelTopology.node.push(nodeOf(model, 'Relu'));
    },
    'MODEL_CORRUPT',
    'twice',
  ],
  [
    'no list of nodes',
    (model) => {
      (model.modelTopology as { node: unknown }).node = {};
    },
    'MODEL_CORRUPT',
    'no list of nodes',
  ],
  [
    'a node without an operation',
    (model) => {
      (nodeOf(model, 'Relu') as { op: unknown }).op = 5;
    },
    'MODEL_CORRUPT',
    'topology is not as the format wants it',
  ],
  [
    'a setting of another type',
    (model) => {
      nodeOf(model, 'MaxPool').attr['strides'] = { list: { i: ['two'] } };
    },
    'MODEL_CORRUPT',
    '"strides" is not a number',
  ],
  [
    'an output of the signature that is not there',
    (model) => {
      model.signature.outputs['output_0']!.name = 'nowhere:0';
    },
    'MODEL_CORRUPT',
    'signature names the node "nowhere"',
  ],
  [
    'a constant without numbers',
    (model) => {
      model.weightsManifest[0]!.weights.at(-1)!['name'] = 'another';
    },
    'MODEL_CORRUPT',
    'no numbers for the constant',
  ],
  [
    'weights shorter than described',
    (model) => {
      model.weightsManifest[0]!.weights.pop();
    },
    'MODEL_CORRUPT',
    'the manifest describes',
  ],
  [
    'a convolution without a filter',
    (model) => {
      nodeOf(model, '_FusedConv2D').input.splice(1);
    },
    'MODEL_CORRUPT',
    'it has 1 inputs',
  ],
  [
    'filters for other channels',
    (model) => {
      model.signature.inputs['image']!.tensorShape.dim[3]!.size = '4';
    },
    'MODEL_CORRUPT',
    'filters read 3 channels of 4',
  ],
  [
    'weights elsewhere',
    (model) => {
      model.weightsManifest[0]!.paths = ['../group1-shard1of1.bin'];
    },
    'MODEL_UNSAFE_PATH',
    'not in its own folder',
  ],
];

/** A copy of a fixture that may be damaged. */
async function copyOf(name: string): Promise<{ folder: string; json: string }> {
  const folder = await tempFolder();
  await cp(join(fixtures, name), folder, { recursive: true });
  return { folder, json: await readFile(join(folder, 'model.json'), 'utf8') };
}

/** What reading throws, which must be an error with a code for people; null where it is read. */
async function failureOf(reading: Promise<unknown>): Promise<AppError | null> {
  try {
    await reading;
    return null;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

describe('a sound model with', () => {
  it.each(broken)('%s', async (_what, damage, code, message) => {
    const { folder, json } = await copyOf('official');
    const model = JSON.parse(json) as ModelJson;
    damage(model);
    await writeFile(join(folder, 'model.json'), JSON.stringify(model));
    const error = await failureOf(readModel(folder, silentContext));
    expect(error?.message).toContain(message);
    expect(error?.code).toBe(code);
    expect(error?.hint).not.toBe('');
  });

  it('a huge image', async () => {
    const { folder, json } = await copyOf('uint8');
    const model = JSON.parse(json) as ModelJson;
    const { dim } = model.signature.inputs['image']!.tensorShape;
    dim[1]!.size = dim[2]!.size = '100000';
    await writeFile(join(folder, 'model.json'), JSON.stringify(model));
    const error = await failureOf(readModel(folder, silentContext));
    expect(error?.message).toContain('Numbers in the output');
    expect(error?.code).toBe('MODEL_TOO_LARGE');
  });

  it('weights that are not finite', async () => {
    const { folder, json } = await copyOf('plain-norms');
    const { weights } = (JSON.parse(json) as ModelJson).weightsManifest[0]!;
    const place = weights.findIndex(({ name }) => name === 'first/Conv2D/filter');
    const before = weights.slice(0, place).map(({ shape }) => shape as number[]);
    const numbers = before.map((shape) => shape.reduce((a, b) => a * b, 1));
    const path = join(folder, 'group1-shard1of1.bin');
    const bytes = await readFile(path);
    bytes.writeFloatLE(NaN, 4 * numbers.reduce((a, b) => a + b, 0));
    await writeFile(path, bytes);
    const error = await failureOf(readModel(folder, silentContext));
    expect(error?.message).toContain('"first" (conv2d): the kernel holds NaN at position 0');
    expect(error?.code).toBe('MODEL_NOT_FINITE');
  });

  it('its file cut off, anywhere', async () => {
    const { folder, json } = await copyOf('official');
    for (let length = 0; length < json.length; length += 997) {
      await writeFile(join(folder, 'model.json'), json.slice(0, length));
      expect((await failureOf(readModel(folder, silentContext)))?.code).toBe('MODEL_CORRUPT');
    }
  });
});

it('is told from a Layers model wherever the file says so', async () => {
  const { folder, json } = await copyOf('uint8');
  const { format, modelTopology, ...others } = JSON.parse(json) as ModelJson;
  const orders = [
    { modelTopology, ...others, format },
    { labels: 'x'.repeat(2000), format, padding: 'x'.repeat(2000), modelTopology, ...others },
    { modelTopology, ...others },
  ];
  for (const order of orders) {
    await writeFile(join(folder, 'model.json'), JSON.stringify(order));
    expect((await readModel(folder, silentContext)).format).toBe('tfjs-graph');
  }
});

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const junk: readonly Json[] = [
  null,
  -1,
  0,
  1.5,
  1e9,
  '-1',
  '7',
  'x',
  '',
  '^x',
  'x:1',
  true,
  [],
  {},
];

/** Exchanges a value somewhere in the tree for one from elsewhere, or takes it out. */
function mutate(root: Json, rng: Rng, ops: readonly string[], names: readonly string[]): void {
  let node = root;
  for (;;) {
    const keys = typeof node === 'object' && node !== null ? Object.keys(node) : [];
    const key = keys[rng.int(Math.max(keys.length, 1))];
    if (key === undefined) return;
    const parent = node as { [key: string]: Json };
    const child = parent[key]!;
    const isLeaf = typeof child !== 'object' || child === null || Object.keys(child).length === 0;
    if (isLeaf || rng.int(10) === 0) {
      if (key === 'op' && rng.int(2) === 0) parent[key] = ops[rng.int(ops.length)]!;
      else if (isLeaf && rng.int(3) === 0) parent[key] = names[rng.int(names.length)]!;
      else if (rng.int(4) === 0) Reflect.deleteProperty(parent, key);
      else parent[key] = junk[rng.int(junk.length)]!;
      return;
    }
    node = child;
  }
}

it('5000 models with values exchanged are read or refused, never worse', async () => {
  const rng = createRng(2025);
  const codes = new Map<string, number>();
  const sources = ['official', 'plain-norms', 'channels-first', 'operations', 'uint8'];
  const copies = await Promise.all(sources.map(copyOf));
  const trees = copies.map(({ json }) => JSON.parse(json) as ModelJson);
  const nodes = trees.flatMap(({ modelTopology }) => modelTopology.node);
  const ops = [...new Set(nodes.map(({ op }) => op))];
  for (let i = 0; i < 5000; i++) {
    const { folder, json } = copies[i % copies.length]!;
    const tree = JSON.parse(json) as { modelTopology?: { node?: Json } } & { [key: string]: Json };
    const names = trees[i % copies.length]!.modelTopology.node.map(({ name }) => name);
    for (let n = rng.int(3); n >= 0; n--) {
      const within = rng.int(4) === 0 ? undefined : tree.modelTopology?.node;
      mutate(within ?? tree, rng, ops, names);
    }
    const code = (await failureOf(assembleGraphModel(tree, folder, silentContext)))?.code ?? 'read';
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect([...codes.keys()].filter((code) => !mutantOutcomes.has(code))).toEqual([]);
  expect(codes.get('MODEL_CORRUPT')).toBeGreaterThan(500);
  expect(codes.get('MODEL_UNSUPPORTED_OP')).toBeGreaterThan(200);
  expect(codes.get('read')).toBeGreaterThan(200);
}, 60_000);
