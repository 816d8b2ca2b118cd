// Damaged and hostile Keras files: each gives the error that says what is wrong, and nothing else happens.

import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import yazl from 'yazl';
import { silentContext } from '../../../../src-main/engine/context';
import { AppError } from '../../../../src-main/engine/errors';
import { Hdf5Writer } from '../../../../src-main/engine/formats/keras/hdf5/write';
import { readModel } from '../../../../src-main/engine/formats/table';
import type { Weight } from '../../../../src-main/engine/graph/types';
import { tempFolder } from '../temp-folder';
import { fixtures } from './fixtures';

let folder: string;
beforeAll(async () => {
  folder = await tempFolder();
});

async function failureOf(name: string, bytes: Uint8Array): Promise<AppError> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  try {
    await readModel(path, silentContext);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }
  throw new Error(`${name} was read`);
}

function floats(shape: readonly number[], fill = 0.5): Weight {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: 'float32', data: new Float32Array(size).fill(fill) };
}

type Json = Record<string, unknown>;

const layers = {
  input: { batch_shape: [null, 4, 4, 2], name: 'image' },
  conv: { name: 'conv', filters: 3, kernel_size: [3, 3] },
  out: { name: 'out', units: 2 },
};

/** A small functional model: an image, a convolution, and a dense layer. */
function describeModel(change: (layers: Json[]) => void = () => undefined): Json {
  const ref = (name: string): unknown => [[name, 0, 0, {}]];
  const list: Json[] = [
    { class_name: 'InputLayer', name: 'image', config: layers.input, inbound_nodes: [] },
    {
      class_name: 'Conv2D',
      name: 'conv',
      config: { ...layers.conv },
      inbound_nodes: [ref('image')],
    },
    { class_name: 'Dense', name: 'out', config: { ...layers.out }, inbound_nodes: [ref('conv')] },
  ];
  change(list);
  return {
    class_name: 'Functional',
    config: {
      name: 'small',
      layers: list,
      input_layers: [['image', 0, 0]],
      output_layers: [['out', 0, 0]],
    },
  };
}

type Weights = Record<string, Record<string, Weight>>;

function soundWeights(): Weights {
  return {
    conv: { kernel: floats([3, 3, 2, 3]), bias: floats([3]) },
    out: { kernel: floats([3, 2]), bias: floats([2]) },
  };
}

interface H5Parts {
  readonly config?: unknown;
  readonly weights?: Weights;
  /** Names that a layer's group lists, where they are not those of its weights. */
  readonly listed?: Readonly<Record<string, readonly string[]>>;
}

/** A whole model in an .h5 file; `config` null leaves the description out. */
async function h5({
  config = describeModel(),
  weights = soundWeights(),
  listed = {},
}: H5Parts = {}): Promise<Uint8Array> {
  const file = await Hdf5Writer.create();
  if (config !== null) {
    file.text('/', 'model_config', typeof config === 'string' ? config : JSON.stringify(config));
    file.text('/', 'keras_version', '2.15.0');
  }
  file.group('/model_weights');
  file.texts('/model_weights', 'layer_names', Object.keys(weights));
  for (const [layer, values] of Object.entries(weights)) {
    const path = `/model_weights/${layer}`;
    file.group(path);
    const names = Object.keys(values).map((name) => `${layer}/${name}:0`);
    file.texts(path, 'weight_names', listed[layer] ?? names);
    Object.values(values).forEach((weight, i) => file.dataset(`${path}/${names[i]!}`, weight));
  }
  return file.finish();
}

/** model.weights.h5 with a group for each name. */
async function varsH5(
  groups: Readonly<Record<string, { owner?: string; vars: readonly Weight[] }>>,
): Promise<Uint8Array> {
  const file = await Hdf5Writer.create();
  file.group('/layers');
  for (const [name, { owner, vars }] of Object.entries(groups)) {
    const path = `/layers/${name}/vars`;
    file.group(path);
    if (owner !== undefined) file.text(path, 'name', owner);
    vars.forEach((weight, i) => file.dataset(`${path}/${i}`, weight));
  }
  return file.finish();
}

const soundVars = {
  conv2d: { owner: 'conv', vars: [floats([3, 3, 2, 3]), floats([3])] },
  dense: { owner: 'out', vars: [floats([3, 2]), floats([2])] },
};

async function zip(entries: Readonly<Record<string, Uint8Array | string>>): Promise<Uint8Array> {
  const file = new yazl.ZipFile();
  for (const [name, content] of Object.entries(entries)) {
    file.addBuffer(Buffer.from(content), name, { compress: false });
  }
  file.end();
  return buffer(file.outputStream as NodeJS.ReadableStream);
}

async function keras(
  change: Readonly<Record<string, Uint8Array | string | null>> = {},
): Promise<Uint8Array> {
  const entries = {
    'metadata.json': '{"keras_version": "3.0.0"}',
    'config.json': JSON.stringify(describeModel()),
    'model.weights.h5': await varsH5(soundVars),
    ...change,
  };
  const kept = Object.entries(entries).filter(
    (entry): entry is [string, Uint8Array | string] => entry[1] !== null,
  );
  return zip(Object.fromEntries(kept));
}

/** Replaces a text in bytes by one of the same length, wherever it stands. */
function patched(bytes: Uint8Array, from: string, to: string): Uint8Array {
  expect(to.length).toBe(from.length);
  const text = Buffer.from(bytes).toString('latin1');
  expect(text).toContain(from);
  return Buffer.from(text.replaceAll(from, to), 'latin1');
}

/** An archive of one entry whose header claims other sizes than its content has. */
function liar(name: string, content: Uint8Array, size: number): Uint8Array {
  const packed = deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.write('PK\x03\x04', 'latin1');
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(size, 22);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.write('PK\x01\x02', 'latin1');
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(size, 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, central, Buffer.from(name), end]);
}

const resnet = readFileSync(join(fixtures, 'resnet.h5'));
const vgg = readFileSync(join(fixtures, 'vgg.keras'));

/** Changes the weights of a sound model. */
function weightsWith(change: (weights: Weights) => void): Weights {
  const weights = soundWeights();
  change(weights);
  return weights;
}

type Case = readonly [make: () => Promise<Uint8Array> | Uint8Array, code: string, message: string];

const cases: Readonly<Record<string, Case>> = {
  'an .h5 file cut off': [
    () => resnet.subarray(0, 100_000),
    'MODEL_CORRUPT',
    'HDF5 file cannot be read',
  ],
  'an .h5 file cut off in its header': [
    () => resnet.subarray(0, 40),
    'MODEL_CORRUPT',
    'HDF5 file cannot be read',
  ],
  'an archive cut off': [() => vgg.subarray(0, 15_000), 'MODEL_CORRUPT', 'The archive is damaged'],
  'an archive without a description': [
    () => keras({ 'config.json': null }),
    'MODEL_CORRUPT',
    'has no config.json',
  ],
  'an archive without weights': [
    () => keras({ 'model.weights.h5': null }),
    'MODEL_CORRUPT',
    'has no model.weights.h5',
  ],
  'an archive that leads out of its folder': [
    async () => patched(await keras({ 'aa/b.txt': 'x' }), 'aa/b.txt', '../b.txt'),
    'MODEL_UNSAFE_PATH',
    '"../b.txt"',
  ],
  'an archive with an absolute name': [
    async () => patched(await keras({ 'a/b.txt': 'x' }), 'a/b.txt', '//b.txt'),
    'MODEL_UNSAFE_PATH',
    '//b.txt',
  ],
  'an archive with a name for Windows': [
    async () => patched(await keras({ 'a/b.txt': 'x' }), 'a/b.txt', '..\\.txt'),
    'MODEL_UNSAFE_PATH',
    '.txt',
  ],
  'an archive with a drive': [
    async () => patched(await keras({ 'a/b.txt': 'x' }), 'a/b.txt', 'C:b.txt'),
    'MODEL_UNSAFE_PATH',
    'C:b.txt',
  ],
  'an archive with a name twice': [
    async () => keras({ 'Config.json': '{}' }),
    'MODEL_UNSAFE_PATH',
    'Config.json',
  ],
  'an archive that unpacks to far more': [
    () => liar('config.json', Buffer.alloc(32 * 1024 * 1024), 32 * 1024 * 1024),
    'MODEL_TOO_LARGE',
    'unpacks to',
  ],
  'an entry that claims more than there is': [
    () => liar('config.json', Buffer.from('{}'), 4000),
    'MODEL_CORRUPT',
    'The archive is damaged',
  ],
  'an entry that claims more than any description': [
    () => liar('config.json', Buffer.alloc(1000), 0xfffffff0),
    'MODEL_TOO_LARGE',
    'Bytes of config.json',
  ],
  'an entry that was changed': [
    async () => patched(await keras(), '"kernel_size":[3,3]', '"kernel_size":[3,2]'),
    'MODEL_CORRUPT',
    'does not match its checksum',
  ],
  'a description that is no JSON': [
    () => keras({ 'config.json': '{"class_name": ' }),
    'MODEL_CORRUPT',
    'config.json is not valid JSON',
  ],
  'a description that is no object': [
    () => keras({ 'config.json': '[1]' }),
    'MODEL_CORRUPT',
    'does not hold an object',
  ],
  'weights that are no HDF5': [
    () => keras({ 'model.weights.h5': 'no weights' }),
    'MODEL_CORRUPT',
    'HDF5 file cannot be read',
  ],
  'an archive whose layer has no weights': [
    async () => keras({ 'model.weights.h5': await varsH5({ conv2d: soundVars.conv2d }) }),
    'MODEL_CORRUPT',
    'Layer "out" (Dense): the file does not hold its "kernel", "bias"',
  ],
  'an archive whose layer lacks one weight': [
    async () =>
      keras({
        'model.weights.h5': await varsH5({ ...soundVars, dense: { vars: [floats([3, 2])] } }),
      }),
    'MODEL_CORRUPT',
    'Layer "out" (Dense): the file does not hold its "bias"',
  ],
  'an archive whose layer has a weight too many': [
    async () =>
      keras({
        'model.weights.h5': await varsH5({
          ...soundVars,
          dense: { vars: [...soundVars.dense.vars, floats([2])] },
        }),
      }),
    'MODEL_CORRUPT',
    'Layer "out" (Dense): the file holds weights that it does not have: "2"',
  ],
  'an archive with weights of another layer': [
    async () =>
      keras({ 'model.weights.h5': await varsH5({ ...soundVars, conv2d_1: soundVars.conv2d }) }),
    'MODEL_CORRUPT',
    '"conv2d_1/0"',
  ],
  'an archive whose weights say that they are another layer’s': [
    async () =>
      keras({
        'model.weights.h5': await varsH5({
          ...soundVars,
          conv2d: { ...soundVars.conv2d, owner: 'stem' },
        }),
      }),
    'MODEL_CORRUPT',
    'belong to the layer "stem"',
  ],
  'an archive with a kernel of another shape': [
    async () =>
      keras({
        'model.weights.h5': await varsH5({
          ...soundVars,
          dense: { vars: [floats([2, 3]), floats([2])] },
        }),
      }),
    'MODEL_CORRUPT',
    'Layer "out"',
  ],
  'an .h5 file that is no Keras model': [
    async () => {
      const file = await Hdf5Writer.create();
      file.dataset('/measurements', floats([10]));
      return file.finish();
    },
    'MODEL_FORMAT_UNKNOWN',
    'holds no Keras model',
  ],
  'an .h5 file of weights alone': [
    () => h5({ config: null }),
    'MODEL_FORMAT_UNKNOWN',
    'but not the model itself',
  ],
  'an .h5 file whose layer lacks a weight': [
    () => h5({ weights: weightsWith(({ conv }) => delete conv!['bias']) }),
    'MODEL_CORRUPT',
    'Layer "conv" (Conv2D): the file does not hold its "bias"',
  ],
  'an .h5 file whose layer has no group': [
    () => h5({ weights: { conv: soundWeights()['conv']! } }),
    'MODEL_CORRUPT',
    'Layer "out" (Dense): the file does not hold its "kernel", "bias"',
  ],
  'an .h5 file whose layer has a weight too many': [
    () => h5({ weights: weightsWith(({ out }) => (out!['scale'] = floats([2]))) }),
    'MODEL_CORRUPT',
    'Layer "out" (Dense): the file holds weights that it does not have: "out/scale:0"',
  ],
  'an .h5 file with weights of another layer': [
    () => h5({ weights: { ...soundWeights(), extra: { kernel: floats([2]) } } }),
    'MODEL_CORRUPT',
    'The model: the file holds weights that it does not have',
  ],
  'an .h5 file with a kernel of another shape': [
    () => h5({ weights: weightsWith(({ conv }) => (conv!['kernel'] = floats([3, 3, 3, 2]))) }),
    'MODEL_CORRUPT',
    'Layer "conv"',
  ],
  'an .h5 file that lists what it does not have': [
    () => h5({ listed: { out: ['out/kernel:0', 'out/bias:1'] } }),
    'MODEL_CORRUPT',
    'no data at /model_weights/out/out/bias:1',
  ],
  'an .h5 file that lists a weight twice': [
    () => h5({ listed: { out: ['out/kernel:0', 'out/kernel:0'] } }),
    'MODEL_CORRUPT',
    'lists a weight twice',
  ],
  'a weight that is not a number': [
    () => h5({ weights: weightsWith(({ conv }) => (conv!['bias'] = floats([3], NaN))) }),
    'MODEL_NOT_FINITE',
    'Layer "conv" (conv2d): the bias holds NaN',
  ],
  'a normalisation that is not a number': [
    () =>
      h5({
        config: describeModel((list) => {
          list[1] = {
            ...list[1],
            class_name: 'Normalization',
            config: { name: 'conv', axis: [-1] },
          };
        }),
        weights: {
          conv: { mean: floats([2], Infinity), variance: floats([2]), count: floats([]) },
          out: { kernel: floats([2, 2]), bias: floats([2]) },
        },
      }),
    'MODEL_NOT_FINITE',
    'Layer "conv" (Normalization)',
  ],
  'layers in a circle': [
    () =>
      h5({ config: describeModel((list) => (list[1]!['inbound_nodes'] = [[['out', 0, 0, {}]]])) }),
    'MODEL_CORRUPT',
    'form a circle',
  ],
  'a reference to no layer': [
    () =>
      h5({ config: describeModel((list) => (list[1]!['inbound_nodes'] = [[['stem', 0, 0, {}]]])) }),
    'MODEL_CORRUPT',
    'refers to the layer "stem"',
  ],
  'a layer of an unknown kind': [
    () => h5({ config: describeModel((list) => (list[1]!['class_name'] = 'LSTM')) }),
    'MODEL_UNSUPPORTED_OP',
    'Layer "conv" (LSTM)',
  ],
  'a layer that is quantised': [
    () =>
      h5({
        config: describeModel((list) => {
          list[2]!['config'] = {
            ...layers.out,
            dtype: { class_name: 'QuantizedDTypePolicy', config: { name: 'int8_from_float32' } },
          };
        }),
      }),
    'MODEL_UNSUPPORTED_OP',
    'it computes in "int8_from_float32"',
  ],
  'a model of a class of its own': [
    () => h5({ config: { class_name: 'MyModel', config: { name: 'mine', layers: [] } } }),
    'MODEL_UNSUPPORTED_OP',
    'only Sequential and functional models',
  ],
  'an image of absurd size': [
    () =>
      h5({
        config: describeModel((list) => {
          list[0]!['config'] = { ...layers.input, batch_shape: [null, 1e6, 1e6, 2] };
        }),
      }),
    'MODEL_TOO_LARGE',
    'Numbers in the output of',
  ],
};

describe('each of the broken files', () => {
  for (const [name, [make, code, message]] of Object.entries(cases)) {
    it(name, async () => {
      const bytes = await make();
      const isZip = bytes[0] === 0x50;
      const error = await failureOf(isZip ? 'model.keras' : 'model.h5', bytes);
      expect(error.message).toContain(message);
      expect(error.code).toBe(code);
      expect(error.hint).not.toBe('');
    });
  }

  it('the sound ones that they were made of are read', async () => {
    for (const [name, bytes] of [
      ['model.h5', await h5()],
      ['model.keras', await keras()],
    ] as const) {
      const path = join(folder, name);
      await writeFile(path, bytes);
      expect((await readModel(path, silentContext)).model.graph.nodes.length).toBe(2);
    }
  });
});

describe('kernels that are not what they seem', () => {
  const files: Readonly<Record<string, readonly [code: string, message: string]>> = {
    'hostile-shape.h5': ['MODEL_TOO_LARGE', 'Bytes of weights in the HDF5 file'],
    'hostile-fill.h5': ['MODEL_TOO_LARGE', 'Bytes of weights in the HDF5 file'],
    'hostile-circle.h5': ['MODEL_CORRUPT', 'no data at /model_weights/conv/conv/kernel'],
    'hostile-outside.h5': ['MODEL_CORRUPT', 'no data at /model_weights/conv/conv/kernel'],
    'hostile-virtual.h5': ['MODEL_CORRUPT', 'lies in other files'],
    'hostile-deep.h5': ['MODEL_CORRUPT', 'no data at /model_weights/conv/conv/kernel'],
    'hostile-raw.h5': ['MODEL_CORRUPT', 'HDF5 file cannot be read'],
  };
  for (const [name, [code, message]] of Object.entries(files)) {
    it(name, async () => {
      const error = await failureOf(name, await readFile(join(fixtures, name)));
      expect(error.message).toContain(message);
      expect(error.code).toBe(code);
    });
  }
});

describe('a file cut off anywhere is refused', () => {
  it.each(['vgg.keras', 'keras2-renamed.h5'])('%s', async (name) => {
    const bytes = await readFile(join(fixtures, name));
    for (let length = 16; length < bytes.length; length += 1024) {
      const error = await failureOf(name, bytes.subarray(0, length));
      expect(['MODEL_CORRUPT', 'MODEL_FORMAT_UNKNOWN']).toContain(error.code);
    }
  });
});
