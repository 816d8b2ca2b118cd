// The container of a version: what is written is read back; what is damaged is refused.
import { beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../src-main/engine/errors';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import { decodeModel, encodeModel } from '../../../src-main/engine/graph/serialize';
import type { Model } from '../../../src-main/engine/graph/types';

function sampleModel(): Model {
  const b = new GraphBuilder('sample', { rng: createRng(1) });
  const x = b.input('image', [8, 8, 3]);
  let y = b.conv2d(x, { filters: 5, kernelSize: 3, bias: false, name: 'first' });
  y = b.activation(b.batchNorm(y), 'leakyRelu', { alpha: 0.1 });
  const mask = b.constant({ shape: [5], dtype: 'bool', data: Uint8Array.of(1, 0, 1, 1, 0) });
  const offset = b.constant({ shape: [5], dtype: 'int32', data: Int32Array.of(1, -2, 3, 4, 5) });
  y = b.mul([y, mask]);
  y = b.add([y, offset]);
  y = b.maxPool2d(y, {
    poolSize: 2,
    padding: [
      [0, 1],
      [1, 0],
    ],
  });
  b.output(b.dense(b.globalAvgPool(y), { units: 4, name: 'größe' }), 'logits');
  const graph = b.build();
  const nodes = graph.nodes.map((node) =>
    node.name === 'first' ? { ...node, origin: [0, 2, 3, 7, 9] } : node,
  );
  return {
    graph: { ...graph, nodes },
    preprocessing: {
      scale: 1 / 255,
      mean: [0.4914, 0.4822, 0.4465],
      std: [0.2],
      channelOrder: 'rgb',
    },
    labels: ['Katze', '猫', 'cat', '🐈'],
    outputKind: 'logits',
  };
}

function errorOf(action: () => unknown): AppError {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const headerStart = 16;

/** The same file with another header; weights follow at their places. */
function withHeader(bytes: Uint8Array, change: (text: string) => string): Uint8Array {
  const length = new DataView(bytes.buffer).getUint32(12, true);
  const text = new TextDecoder().decode(bytes.subarray(headerStart, headerStart + length));
  const header = new TextEncoder().encode(change(text));
  const align = (n: number): number => Math.ceil(n / 64) * 64;
  const weights = bytes.subarray(align(headerStart + length));
  const result = new Uint8Array(align(headerStart + header.length) + weights.length);
  result.set(bytes.subarray(0, headerStart));
  new DataView(result.buffer).setUint32(12, header.length, true);
  result.set(header, headerStart);
  result.set(weights, align(headerStart + header.length));
  return result;
}

describe('encodeModel and decodeModel', () => {
  let model: Model;
  let bytes: Uint8Array;

  beforeAll(() => {
    model = sampleModel();
    bytes = encodeModel(model);
  });

  it('give back the model', () => {
    const read = decodeModel(bytes);
    expect(read).toEqual(model);
    expect([...read.graph.weights.keys()]).toEqual([...model.graph.weights.keys()]);
    expect(encodeModel(read)).toEqual(bytes);
  });

  it('read weights without a copy where they are aligned, and with one where not', () => {
    const aligned = decodeModel(bytes);
    expect(aligned.graph.weights.get('first/kernel')!.data.buffer).toBe(bytes.buffer);
    const shifted = Buffer.alloc(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    const copied = decodeModel(shifted);
    expect(copied).toEqual(model);
    expect(copied.graph.weights.get('first/kernel')!.data.buffer).not.toBe(shifted.buffer);
  });

  it('refuse a file cut off anywhere', () => {
    for (let length = 0; length < bytes.length; length += length < 200 ? 1 : 97) {
      expect(errorOf(() => decodeModel(bytes.subarray(0, length))).code).toBe('MODEL_CORRUPT');
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(errorOf(() => decodeModel(longer)).code).toBe('MODEL_CORRUPT');
  });

  it('never fail in another way on changed header bytes', () => {
    const rng = createRng(11);
    const end = headerStart + new DataView(bytes.buffer).getUint32(12, true);
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const changed = bytes.slice();
      changed[rng.int(end)] = rng.int(256);
      try {
        decodeModel(changed);
      } catch (error) {
        refused++;
        expect(['MODEL_CORRUPT', 'PROJECT_NEWER']).toContain((error as AppError).code);
      }
    }
    expect(refused).toBeGreaterThan(200);
  });

  it.each([
    ['an unknown op', '"op":"mul"', '"op":"transmogrify"', /unknown op "transmogrify"/],
    [
      'an attribute of the wrong type',
      '"filters":5',
      '"filters":"5"',
      /nodes\[0\]\.attrs\.filters/,
    ],
    ['an attribute that the op does not have', '"filters":5', '"filters":5,"x":1', /"x"/],
    ['shapes that do not fit', '"filters":5', '"filters":6', /"first"/],
    [
      'a weight that is larger than the file',
      '"shape":[3,3,3,5]',
      '"shape":[3,3,3,5000000]',
      /end at/,
    ],
    [
      'a weight of absurd size',
      '"shape":[3,3,3,5]',
      '"shape":[9007199254740991,9007199254740991]',
      /end/,
    ],
    ['a weight that is there twice', '"id":"first/kernel"', '"id":"größe/bias"', /twice/],
    ['a text that is not JSON', '{"graph"', '{graph', /not readable/],
  ])('refuse %s', (_what, from, to, message) => {
    const changed = withHeader(bytes, (text) => {
      expect(text).toContain(from);
      return text.replace(from, to);
    });
    const error = errorOf(() => decodeModel(changed));
    expect(error.code).toBe('MODEL_CORRUPT');
    expect(error.message).toMatch(message);
  });

  it('ask for a newer program when the layout is newer', () => {
    const changed = bytes.slice();
    changed[8] = 2;
    expect(errorOf(() => decodeModel(changed)).code).toBe('PROJECT_NEWER');
  });

  it('do not write what could not be read back', () => {
    const broken = { ...model, preprocessing: { ...model.preprocessing, std: [NaN] } };
    expect(errorOf(() => encodeModel(broken)).code).toBe('GRAPH_INVALID');
  });
});
