// Broken ONNX files: how each is made of a sound one, and what reading it must say.

import { encodeModelProto } from '../../../../src-main/engine/formats/onnx/proto/codec';
import type {
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from '../../../../src-main/engine/formats/onnx/proto/messages';
import {
  attributeTypes,
  dataTypes,
  externalLocation,
} from '../../../../src-main/engine/formats/onnx/proto/schema';
import type { ErrorCode } from '../../../../src-main/engine/errors';

export function floats(
  name: string,
  dims: readonly number[],
  values?: readonly number[],
): TensorProto {
  const count = dims.reduce((a, b) => a * b, 1);
  const data = Float32Array.from(values ?? Array.from({ length: count }, (_, i) => Math.sin(i)));
  return { name, dims, dataType: dataTypes.FLOAT, rawData: new Uint8Array(data.buffer) };
}

function value(name: string, dims: readonly (number | string)[]): ValueInfoProto {
  const dim = dims.map((size) =>
    typeof size === 'number' ? { dimValue: size } : { dimParam: size },
  );
  return { name, type: { tensorType: { elemType: dataTypes.FLOAT, shape: { dim } } } };
}

export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  ints: Readonly<Record<string, readonly number[]>> = {},
): NodeProto {
  const attribute = Object.entries(ints).map(([name, list]) => ({
    name,
    type: attributeTypes.INTS,
    ints: list,
  }));
  return { opType, name: `the ${opType}`, input, output, attribute };
}

/** An image through a convolution, a ReLU, pooling and a dense layer. */
export const sound: ModelProto = {
  irVersion: 8,
  producerName: 'test',
  opsetImport: [{ domain: '', version: 17 }],
  metadataProps: [],
  graph: {
    name: 'sound',
    node: [
      node('Conv', ['x', 'kernel', 'bias'], ['a'], { pads: [1, 1, 1, 1] }),
      node('Relu', ['a'], ['b']),
      node('GlobalAveragePool', ['b'], ['c']),
      node('Flatten', ['c'], ['d']),
      node('MatMul', ['d', 'matrix'], ['y']),
    ],
    initializer: [floats('kernel', [4, 3, 3, 3]), floats('bias', [4]), floats('matrix', [4, 5])],
    input: [value('x', ['batch', 3, 8, 8])],
    output: [value('y', ['batch', 5])],
  },
};

const graph = sound.graph!;

function withGraph(change: Partial<GraphProto>): Uint8Array {
  return encodeModelProto({ ...sound, graph: { ...graph, ...change } });
}

function withTensor(name: string, change: Partial<TensorProto>): Uint8Array {
  const initializer = graph.initializer.map((tensor) =>
    tensor.name === name ? { ...tensor, ...change } : tensor,
  );
  return withGraph({ initializer });
}

function withNode(place: number, change: Partial<NodeProto>): Uint8Array {
  return withGraph({
    node: graph.node.map((old, i) => (i === place ? { ...old, ...change } : old)),
  });
}

/** The convolution's kernel in another file. */
function external(entries: Readonly<Record<string, string>>): Uint8Array {
  const externalData = Object.entries(entries).map(([key, text]) => ({ key, value: text }));
  const { name, dims, dataType } = graph.initializer[0]!;
  const tensor = { name, dims, dataType, dataLocation: externalLocation, externalData };
  return withGraph({ initializer: [tensor as TensorProto, ...graph.initializer.slice(1)] });
}

const encoded = encodeModelProto(sound);
/** Bytes of the kernel. */
const kernelBytes = 4 * 4 * 3 * 3 * 3;

export interface Broken {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Other files in the folder, by name. */
  readonly beside?: Readonly<Record<string, Uint8Array>>;
  readonly code: ErrorCode;
  /** A part of the message. */
  readonly message: string;
}

const numbers = new Uint8Array(kernelBytes);

export const broken: readonly Broken[] = [
  // The file as a whole.
  {
    name: 'cut off in the graph',
    bytes: encoded.subarray(0, encoded.length - 40),
    code: 'MODEL_CORRUPT',
    message: 'cut off',
  },
  {
    name: 'cut off after its first fields',
    bytes: encoded.subarray(0, 12),
    code: 'MODEL_CORRUPT',
    message: 'damaged',
  },
  {
    name: 'no graph',
    bytes: encodeModelProto({ ...sound, graph: null }),
    code: 'MODEL_CORRUPT',
    message: 'holds no graph',
  },
  {
    name: 'no operator set',
    bytes: encodeModelProto({ ...sound, opsetImport: [] }),
    code: 'MODEL_CORRUPT',
    message: 'which version of the ONNX operators',
  },
  {
    name: 'an operator set from before',
    bytes: encodeModelProto({ ...sound, opsetImport: [{ domain: '', version: 3 }] }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'reads versions from 7 on',
  },
  {
    name: 'no inputs',
    bytes: withGraph({ input: [] }),
    code: 'MODEL_CORRUPT',
    message: 'the tensor "x"',
  },
  {
    name: 'no outputs',
    bytes: withGraph({ output: [] }),
    code: 'MODEL_CORRUPT',
    message: 'has no output',
  },
  {
    name: 'text in a wrong encoding',
    bytes: Uint8Array.of(8, 8, 0x12, 2, 0xff, 0xfe, 0x3a, 0),
    code: 'MODEL_CORRUPT',
    message: 'not valid protobuf',
  },

  // Names and order.
  {
    name: 'a circle',
    bytes: withNode(0, { input: ['b', 'kernel', 'bias'] }),
    code: 'MODEL_CORRUPT',
    message: 'depends on its own output',
  },
  {
    name: 'a missing initialiser',
    bytes: withGraph({ initializer: graph.initializer.slice(1) }),
    code: 'MODEL_CORRUPT',
    message: 'reads the tensor "kernel", which nothing makes',
  },
  {
    name: 'a missing output',
    bytes: withGraph({ output: [value('z', [1, 5])] }),
    code: 'MODEL_CORRUPT',
    message: 'the tensor "z"',
  },
  {
    name: 'a tensor made twice',
    bytes: withNode(1, { output: ['a'] }),
    code: 'MODEL_CORRUPT',
    message: 'The tensor "a" is there twice',
  },
  {
    name: 'an initialiser twice',
    bytes: withGraph({ initializer: [...graph.initializer, floats('bias', [4])] }),
    code: 'MODEL_CORRUPT',
    message: 'The tensor "bias" is there twice',
  },
  {
    name: 'a node without operator',
    bytes: withNode(1, { opType: '' }),
    code: 'MODEL_CORRUPT',
    message: 'has no operator',
  },
  {
    name: 'identities in a circle',
    bytes: withGraph({
      node: [
        node('Identity', ['q'], ['p']),
        node('Identity', ['p'], ['q']),
        node('Relu', ['p'], ['y']),
      ],
    }),
    code: 'MODEL_CORRUPT',
    message: 'made of itself',
  },

  // Numbers.
  {
    name: 'too few bytes',
    bytes: withTensor('kernel', { rawData: new Uint8Array(8) }),
    code: 'MODEL_CORRUPT',
    message: 'holds 8 bytes instead of 432',
  },
  {
    name: 'no numbers at all',
    bytes: withTensor('bias', { rawData: new Uint8Array(0) }),
    code: 'MODEL_CORRUPT',
    message: 'does not hold the 4 numbers',
  },
  {
    name: 'an absurd size',
    bytes: withTensor('kernel', { dims: [4, 3, 3, 1e12] }),
    code: 'MODEL_TOO_LARGE',
    message: 'Bytes of the tensor "kernel"',
  },
  {
    name: 'too many axes',
    bytes: withTensor('kernel', { dims: new Array<number>(40).fill(1) }),
    code: 'MODEL_TOO_LARGE',
    message: 'Axes of the tensor "kernel"',
  },
  {
    name: 'a negative size',
    bytes: withTensor('kernel', { dims: [4, -3, 3, 3] }),
    code: 'MODEL_CORRUPT',
    message: '[4, -3, 3, 3]',
  },
  {
    name: 'a size of zero',
    bytes: withTensor('kernel', { dims: [0, 3, 3, 3], rawData: new Uint8Array(0) }),
    code: 'MODEL_CORRUPT',
    message: '[0, 3, 3, 3]',
  },
  {
    name: 'texts as weights',
    bytes: withTensor('kernel', { dataType: dataTypes.STRING }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'holds numbers of STRING',
  },
  {
    name: 'whole numbers as weights',
    bytes: withTensor('bias', { dataType: dataTypes.INT32 }),
    code: 'MODEL_CORRUPT',
    message: '"bias" holds whole numbers',
  },
  {
    name: 'NaN',
    bytes: withTensor('bias', floats('bias', [4], [0, NaN, 0, 0])),
    code: 'MODEL_NOT_FINITE',
    message: 'NaN',
  },
  {
    name: 'a huge image',
    bytes: withGraph({ input: [value('x', [1, 3, 1e6, 1e6])] }),
    code: 'MODEL_TOO_LARGE',
    message: 'Numbers in the tensor "x"',
  },

  // Layers that do not fit, or that nobody knows.
  {
    name: 'an unknown operator',
    bytes: withNode(1, { opType: 'Frobnicate' }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'Layer "the Relu" (Frobnicate)',
  },
  {
    name: 'an operator of a runtime',
    bytes: withNode(1, { domain: 'com.microsoft', opType: 'FusedConv' }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'com.microsoft.FusedConv',
  },
  {
    name: 'an open image size',
    bytes: withGraph({ input: [value('x', ['batch', 3, 'h', 8])] }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: '[?, 3, ?, 8] is not fixed',
  },
  {
    name: 'a kernel for other channels',
    bytes: withTensor('kernel', floats('kernel', [4, 2, 3, 3])),
    code: 'MODEL_CORRUPT',
    message: 'meets 3 channels',
  },
  {
    name: 'a matrix of another size',
    bytes: withTensor('matrix', floats('matrix', [3, 5])),
    code: 'MODEL_CORRUPT',
    message: 'a matrix [3, 5] meets 4 values',
  },
  {
    name: 'padding for three axes',
    bytes: withNode(0, {
      attribute: [{ name: 'pads', type: attributeTypes.INTS, ints: [1, 1, 1] }],
    }),
    code: 'MODEL_CORRUPT',
    message: '"pads" has 3 entries',
  },
  {
    name: 'an attribute of another type',
    bytes: withNode(0, { attribute: [{ name: 'pads', type: attributeTypes.FLOAT, f: 1 }] }),
    code: 'MODEL_CORRUPT',
    message: '"pads" is not a list of whole numbers',
  },
  {
    name: 'a kernel that the network computes',
    bytes: withNode(0, { input: ['x', 'x', 'bias'] }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'computed by the network',
  },
  {
    name: 'a batch that is taken apart',
    bytes: withNode(3, { opType: 'Squeeze', attribute: [] }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'the batch among them',
  },
  {
    name: 'an endless constant',
    bytes: withGraph({
      node: [
        node('Expand', ['bias', 'sizes'], ['huge']),
        ...graph.node,
        node('Mul', ['y', 'huge'], ['w']),
      ],
      output: [value('w', [1, 5])],
      initializer: [
        ...graph.initializer,
        {
          name: 'sizes',
          dims: [2],
          dataType: dataTypes.INT64,
          rawData: new Uint8Array(BigInt64Array.of(1_000_000_000n, 4n).buffer),
        },
      ],
    }),
    code: 'MODEL_TOO_LARGE',
    message: 'Numbers that',
  },

  {
    name: 'an image blown up',
    bytes: withNode(1, {
      opType: 'Upsample',
      attribute: [{ name: 'scales', type: attributeTypes.FLOATS, floats: [1, 1, 1, 4e6] }],
    }),
    code: 'MODEL_TOO_LARGE',
    message: 'Rows or columns of the image',
  },

  // Weights in other files.
  {
    name: 'a path out of the folder',
    bytes: external({ location: '../weights.bin' }),
    code: 'MODEL_UNSAFE_PATH',
    message: 'not in its own folder',
  },
  {
    name: 'a path that turns around',
    bytes: external({ location: 'a/../../weights.bin' }),
    code: 'MODEL_UNSAFE_PATH',
    message: 'not in its own folder',
  },
  {
    name: 'an absolute path',
    bytes: external({ location: '/etc/passwd' }),
    code: 'MODEL_UNSAFE_PATH',
    message: 'not in its own folder',
  },
  {
    name: 'a path of Windows',
    bytes: external({ location: 'C:\\weights.bin' }),
    code: 'MODEL_UNSAFE_PATH',
    message: 'not in its own folder',
  },
  {
    name: 'a file that is missing',
    bytes: external({ location: 'weights.bin' }),
    code: 'MODEL_CORRUPT',
    message: 'weights.bin is missing',
  },
  {
    name: 'a tensor without a file',
    bytes: external({ offset: '0' }),
    code: 'MODEL_CORRUPT',
    message: 'a file without a name',
  },
  {
    name: 'an offset behind the end',
    bytes: external({ location: 'weights.bin', offset: '4096', length: '432' }),
    beside: { 'weights.bin': numbers },
    code: 'MODEL_CORRUPT',
    message: 'has 432 bytes',
  },
  {
    name: 'an offset that is no number',
    bytes: external({ location: 'weights.bin', offset: '-8' }),
    beside: { 'weights.bin': numbers },
    code: 'MODEL_CORRUPT',
    message: 'at offset "-8"',
  },
  {
    name: 'a length that does not fit',
    bytes: external({ location: 'weights.bin', offset: '0', length: '400' }),
    beside: { 'weights.bin': numbers },
    code: 'MODEL_CORRUPT',
    message: 'takes 432 bytes',
  },
];
