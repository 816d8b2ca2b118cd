// Broken .tflite files: how each is made of a sound one, and what reading it must say.

import type { ErrorCode } from '../../../../src-main/engine/errors';
import { lowerGraph } from '../../../../src-main/engine/formats/tflite/lower-graph';
import { allOptions } from '../../../../src-main/engine/formats/tflite/operators';
import type {
  Operation,
  ProgramData,
  ProgramTensor,
} from '../../../../src-main/engine/formats/tflite/program';
import { serializeProgram } from '../../../../src-main/engine/formats/tflite/serialize';
import { GraphBuilder } from '../../../../src-main/engine/graph/build';
import { createRng } from '../../../../src-main/engine/graph/rng';
import { fieldAt, vectorAt, withByte, withElement, withField } from './patch';

/** An image through a convolution with ReLU, pooling, a dense layer and softmax. */
function network(): ProgramData {
  const builder = new GraphBuilder('net', { rng: createRng(61) });
  const image = builder.input('image', [8, 8, 3]);
  const conv = builder.conv2d(image, { filters: 4, kernelSize: 3, padding: 'same', name: 'conv' });
  const pooled = builder.globalAvgPool(builder.activation(conv, 'relu'), { name: 'pool' });
  const scores = builder.dense(pooled, { units: 5, name: 'classes' });
  builder.output(builder.apply('softmax', [scores], { axis: -1 }, { name: 'softmax' }), 'scores');
  return lowerGraph(builder.build());
}

const program = network();

export const sound: Uint8Array = serializeProgram(program);

/** Places of the operators. */
const [conv, pool, dense, softmax] = [0, 1, 2, 3] as const;
/** What the tensors are for. */
const image = program.inputs[0]!.tensor;
const scores = program.outputs[0]!.tensor;
const kernel = program.operations[conv]!.inputs[1]!;
const bias = program.operations[conv]!.inputs[2]!;
const features = program.operations[conv]!.outputs[0]!;

const subgraph = [2, 0] as const;
const tensorAt = (tensor: number) => [...subgraph, 0, tensor] as const;
const operatorAt = (place: number) => [...subgraph, 3, place] as const;

function withProgram(change: Partial<ProgramData>): Uint8Array {
  return serializeProgram({ ...program, ...change });
}

function withTensor(tensor: number, change: Partial<ProgramTensor>): Uint8Array {
  return withProgram({
    tensors: program.tensors.map((old, i) => (i === tensor ? { ...old, ...change } : old)),
  });
}

function withOperation(place: number, change: Partial<Operation>): Uint8Array {
  return withProgram({
    operations: program.operations.map((old, i) => (i === place ? { ...old, ...change } : old)),
  });
}

function withOption(place: number, options: Operation['options']): Uint8Array {
  const old = program.operations[place]!;
  return withOperation(place, { options: { ...old.options, ...options } });
}

/** The kernel with one number changed. */
function withNumber(value: number): Uint8Array {
  const { buffer } = program.tensors[kernel]!;
  const numbers = new Float32Array(Uint8Array.from(program.buffers[buffer!]!).buffer);
  numbers[5] = value;
  const bytes = new Uint8Array(numbers.buffer);
  return withProgram({ buffers: program.buffers.map((old, i) => (i === buffer ? bytes : old)) });
}

const quantization = (scales: readonly number[], zeroPoints: readonly number[]) => ({
  scales: Float32Array.from(scales),
  zeroPoints: Int32Array.from(zeroPoints),
  axis: 0,
});

/** Thousands of tensors that all are the same megabyte. */
function sharedBuffer(): Uint8Array {
  const buffers = [...program.buffers, new Uint8Array(2 ** 20)];
  const tensor: ProgramTensor = {
    name: 'same',
    shape: [2 ** 18],
    type: 'float32',
    buffer: buffers.length - 1,
    quantization: null,
  };
  const tensors = [...program.tensors, ...new Array<ProgramTensor>(3000).fill(tensor)];
  return withProgram({ tensors, buffers });
}

/** Stored numbers that are joined with themselves, or made anew, over and over. */
function doubled(operator: 'CONCATENATION' | 'FILL', times: number): Uint8Array {
  const constant = (shape: readonly number[], numbers: Int32Array, place: number) => ({
    tensor: {
      name: 'seed',
      shape,
      type: 'int32' as const,
      buffer: program.buffers.length + place,
      quantization: null,
    },
    bytes: new Uint8Array(numbers.buffer),
  });
  const isFill = operator === 'FILL';
  const stored = [
    constant([isFill ? 1 : 1024], isFill ? Int32Array.of(2 ** 20) : new Int32Array(1024), 0),
    constant([1], Int32Array.of(7), 1),
  ];
  const first = program.tensors.length;
  const results = Array.from({ length: times }, (_, i) => ({
    name: `made ${i}`,
    shape: [isFill ? 2 ** 20 : 1024 * 2 ** (i + 1)],
    type: 'int32' as const,
    buffer: null,
    quantization: null,
  }));
  const operations = results.map((_, i): Operation => {
    const made = first + stored.length + i;
    const before = i === 0 ? first : made - 1;
    return {
      operator,
      version: 1,
      inputs: isFill ? [first, first + 1] : [before, before],
      outputs: [made],
      options: allOptions('CONCATENATION', {}),
      layer: 'made',
    };
  });
  return withProgram({
    tensors: [...program.tensors, ...stored.map(({ tensor }) => tensor), ...results],
    buffers: [...program.buffers, ...stored.map(({ bytes }) => bytes)],
    operations: [
      ...operations.map((operation) => (isFill ? { ...operation, options: {} } : operation)),
      ...program.operations,
    ],
  });
}

/** Two thousand operators whose operands are one vector of thousands. */
function sharedVector(): Uint8Array {
  const first = program.operations[softmax]!;
  const long = { ...first, inputs: new Array<number>(8000).fill(image) };
  const count = 2000;
  const bytes = withProgram({ operations: [long, ...new Array<Operation>(count).fill(first)] });
  const vector = vectorAt(bytes, [...operatorAt(0), 1]);
  for (let i = 1; i <= count; i++) {
    const field = fieldAt(bytes, [...operatorAt(i), 1]);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(field, vector - field, true);
  }
  return bytes;
}

/** Twenty thousand layers, all of one name: sound, and long. */
export function longFile(): Uint8Array {
  const count = 20_000;
  const tensor = { ...program.tensors[image]!, name: 'same' };
  const relu = (place: number): Operation => ({
    operator: 'RELU',
    version: 1,
    inputs: [place],
    outputs: [place + 1],
    options: {},
    layer: 'same',
  });
  return serializeProgram({
    name: 'long',
    tensors: new Array<ProgramTensor>(count + 1).fill(tensor),
    buffers: [],
    operations: Array.from({ length: count }, (_, place) => relu(place)),
    inputs: [{ name: 'image', tensor: 0 }],
    outputs: [{ name: 'scores', tensor: count }],
  });
}

export interface Broken {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly code: ErrorCode;
  /** A part of the message. */
  readonly message: string;
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** A copy with other bytes at a place. */
function patched(at: number, ...values: readonly number[]): Uint8Array {
  const bytes = Uint8Array.from(sound);
  bytes.set(values, at);
  return bytes;
}

export const broken: readonly Broken[] = [
  // The file as a whole.
  {
    name: 'nothing at all',
    bytes: new Uint8Array(0),
    code: 'MODEL_CORRUPT',
    message: 'The file is empty',
  },
  {
    name: 'cut off in its first bytes',
    bytes: sound.subarray(0, 6),
    code: 'MODEL_FORMAT_UNKNOWN',
    message: 'its content is of no known kind',
  },
  {
    name: 'cut off behind its identifier',
    bytes: sound.subarray(0, 8),
    code: 'MODEL_CORRUPT',
    message: 'ends at byte 8',
  },
  {
    name: 'cut off in the middle',
    bytes: sound.subarray(0, sound.length >> 1),
    code: 'MODEL_CORRUPT',
    message: `ends at byte ${sound.length >> 1}`,
  },
  {
    name: 'cut off in its last numbers',
    bytes: sound.subarray(0, sound.length - 20),
    code: 'MODEL_CORRUPT',
    message: `ends at byte ${sound.length - 20}`,
  },
  {
    name: 'another identifier',
    bytes: patched(4, ...text('TFL2')),
    code: 'MODEL_FORMAT_UNKNOWN',
    message: 'its content is of no known kind',
  },
  {
    name: 'a root behind its end',
    bytes: patched(0, 0xff, 0xff, 0xff, 0x7f),
    code: 'MODEL_CORRUPT',
    message: 'points to 4 bytes at 2147483647',
  },
  {
    name: 'a root that is no table',
    bytes: patched(0, 4, 0, 0, 0),
    code: 'MODEL_CORRUPT',
    message: 'points to 4 bytes at -',
  },
  {
    name: 'another schema',
    bytes: withField(sound, [0], 2),
    code: 'MODEL_CORRUPT',
    message: 'its schema has version 2, not 3',
  },
  {
    name: 'no subgraph',
    bytes: withElement(sound, [2], -1, 0),
    code: 'MODEL_CORRUPT',
    message: 'it has no subgraph',
  },
  {
    name: 'a vector longer than the file',
    bytes: withElement(sound, [...subgraph, 0], -1, 0x3fffffff),
    code: 'MODEL_CORRUPT',
    message: 'ends at byte',
  },
  {
    name: 'an offset behind the end',
    bytes: withField(sound, [4], 0x7ffffff0),
    code: 'MODEL_CORRUPT',
    message: 'ends at byte',
  },
  {
    name: 'one long vector for thousands of operators',
    bytes: sharedVector(),
    code: 'MODEL_CORRUPT',
    message: 'its tables point to the same bytes over and over',
  },

  // Tensors.
  {
    name: 'a negative size',
    bytes: withTensor(features, { shape: [1, -8, 8, 4] }),
    code: 'MODEL_CORRUPT',
    message: '[1, -8, 8, 4]',
  },
  {
    name: 'too many axes',
    bytes: withTensor(features, { shape: new Array<number>(9).fill(1) }),
    code: 'MODEL_CORRUPT',
    message: 'has the shape [1, 1, 1',
  },
  {
    name: 'a huge image',
    bytes: withTensor(image, { shape: [1, 2e9, 2e9, 3] }),
    code: 'MODEL_CORRUPT',
    message: 'the file says [1, 8, 8, 4]',
  },
  {
    name: 'a huge image, as everything behind it says too',
    bytes: serializeProgram({
      ...program,
      tensors: program.tensors.map((old, i) => {
        if (i === image) return { ...old, shape: [1, 60_000, 60_000, 3] };
        return i === features ? { ...old, shape: [1, 60_000, 60_000, 4] } : old;
      }),
    }),
    code: 'MODEL_TOO_LARGE',
    message: 'limit',
  },
  {
    name: 'a kernel larger than its bytes',
    bytes: withTensor(kernel, { shape: [4, 3, 3, 30_000] }),
    code: 'MODEL_CORRUPT',
    message: 'of 4320000 bytes has a buffer of 432',
  },
  {
    name: 'a buffer that is not there',
    bytes: withField(sound, [...tensorAt(kernel), 2], 99),
    code: 'MODEL_CORRUPT',
    message: 'refers to number 99 of',
  },
  {
    name: 'a type that is not there',
    bytes: withByte(withTensor(kernel, { type: 'int8' }), [...tensorAt(kernel), 1], 77),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'its numbers are of type 77',
  },
  {
    name: 'a kernel of whole numbers without scale',
    bytes: withTensor(kernel, { type: 'int32' }),
    code: 'MODEL_CORRUPT',
    message: 'input 1 holds integers',
  },
  {
    name: 'scales for other channels',
    bytes: withTensor(kernel, { quantization: quantization([1, 2, 3], [0, 0, 0]) }),
    code: 'MODEL_CORRUPT',
    message: 'quantisation parameters that do not fit',
  },
  {
    name: 'a scale that is no number',
    bytes: withTensor(kernel, { quantization: quantization([NaN], [0]) }),
    code: 'MODEL_CORRUPT',
    message: 'quantisation parameters that do not fit',
  },
  {
    name: 'NaN among the weights',
    bytes: withNumber(NaN),
    code: 'MODEL_NOT_FINITE',
    message: '"conv" (conv2d): the kernel holds NaN',
  },
  {
    name: 'infinity among the weights',
    bytes: withNumber(-Infinity),
    code: 'MODEL_NOT_FINITE',
    message: 'the kernel holds -Infinity',
  },
  {
    name: 'one buffer for thousands of tensors',
    bytes: sharedBuffer(),
    code: 'MODEL_TOO_LARGE',
    message: 'Bytes of all stored tensors',
  },

  // Inputs and outputs.
  {
    name: 'no inputs',
    bytes: withProgram({ inputs: [] }),
    code: 'MODEL_CORRUPT',
    message: 'it has no inputs',
  },
  {
    name: 'no outputs',
    bytes: withProgram({ outputs: [] }),
    code: 'MODEL_CORRUPT',
    message: 'it has no outputs',
  },
  {
    name: 'an input that is not there',
    bytes: withElement(sound, [...subgraph, 1], 0, 1000),
    code: 'MODEL_CORRUPT',
    message: 'an input or output refers to number 1000',
  },
  {
    name: 'an input that is stored',
    bytes: withProgram({ inputs: [{ name: 'image', tensor: kernel }] }),
    code: 'MODEL_CORRUPT',
    message: 'the input "image" is stored or given twice',
  },
  {
    name: 'an output that nothing computes',
    bytes: withProgram({ outputs: [{ name: 'scores', tensor: kernel }] }),
    code: 'MODEL_CORRUPT',
    message: 'the output "scores" is not computed',
  },
  {
    name: 'an input of whole numbers',
    bytes: withTensor(image, { type: 'int32' }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'it takes numbers of type int32, not float32',
  },
  {
    name: 'four images at a time',
    bytes: withTensor(image, { shape: [4, 8, 8, 3] }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'it takes 4 images at a time',
  },

  // Operators.
  {
    name: 'an operator from after this reader',
    bytes: withField(sound, [1, 0, 3], 5000),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'an operator that Secateur does not have',
  },
  {
    name: 'a custom operator',
    bytes: withField(sound, [1, 0, 3], 32),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'it is a custom operator',
  },
  {
    name: 'an operator code that is not there',
    bytes: withElement(sound, [1], -1, 1),
    code: 'MODEL_CORRUPT',
    message: 'refers to number 1 of 1',
  },
  {
    name: 'an operand that is not there',
    bytes: withOperation(conv, { inputs: [image, 500, bias] }),
    code: 'MODEL_CORRUPT',
    message: 'operator 0 (CONV_2D) refers to number 500',
  },
  {
    name: 'a result that is not there',
    bytes: withOperation(softmax, { outputs: [-7] }),
    code: 'MODEL_CORRUPT',
    message: 'operator 3 (SOFTMAX) refers to number -7',
  },
  {
    name: 'an operator that reads its own result',
    bytes: withOperation(conv, { inputs: [features, kernel, bias] }),
    code: 'MODEL_CORRUPT',
    message: 'which no operator before it makes',
  },
  {
    name: 'a circle of operators',
    bytes: withOperation(conv, { inputs: [scores, kernel, bias] }),
    code: 'MODEL_CORRUPT',
    message: 'which no operator before it makes',
  },
  {
    name: 'a tensor made twice',
    bytes: withProgram({ operations: [program.operations[conv]!, ...program.operations] }),
    code: 'MODEL_CORRUPT',
    message: 'is made twice',
  },
  {
    name: 'the options of another operator',
    bytes: withByte(sound, [...operatorAt(conv), 3], 8),
    code: 'MODEL_CORRUPT',
    message: 'an operator CONV_2D has the options of another one (8)',
  },
  {
    name: 'two results of an operator with one',
    bytes: withOperation(pool, { outputs: [...program.operations[pool]!.outputs, features] }),
    code: 'MODEL_CORRUPT',
    message: 'it has 2 outputs, not 1',
  },
  {
    name: 'no filters',
    bytes: withOperation(conv, { inputs: [image] }),
    code: 'MODEL_CORRUPT',
    message: 'input 1 is missing',
  },
  {
    name: 'filters that the network computes',
    bytes: withOperation(dense, { inputs: [program.operations[dense]!.inputs[0]!, image, -1] }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'input 1 is computed, not stored',
  },
  {
    name: 'filters for other channels',
    bytes: withTensor(image, { shape: [1, 8, 8, 4] }),
    code: 'MODEL_CORRUPT',
    message: 'its filters read 3 of 4 channels',
  },
  {
    name: 'biases for other channels',
    bytes: withOperation(conv, {
      inputs: [image, kernel, program.operations[dense]!.inputs[2]!],
    }),
    code: 'MODEL_CORRUPT',
    message: 'input 2 has 5 numbers for 4 channels',
  },
  {
    name: 'a result of another shape than stated',
    bytes: withTensor(features, { shape: [1, 7, 8, 4] }),
    code: 'MODEL_CORRUPT',
    message: 'has the shape [1, 8, 8, 4], the file says [1, 7, 8, 4]',
  },
  {
    name: 'a stride of zero',
    bytes: withOption(conv, { strideW: 0 }),
    code: 'MODEL_CORRUPT',
    message: 'stride',
  },
  {
    name: 'a padding that is not there',
    bytes: withOption(conv, { padding: 9 }),
    code: 'MODEL_CORRUPT',
    message: 'it has the padding 9',
  },
  {
    name: 'a fused activation that is not there',
    bytes: withOption(conv, { activation: 5 }),
    code: 'MODEL_UNSUPPORTED_OP',
    message: 'its fused activation 5 is not known',
  },
  {
    name: 'numbers that are joined with themselves over and over',
    bytes: doubled('CONCATENATION', 20),
    code: 'MODEL_CORRUPT',
    message: 'it joins 2097152 numbers',
  },
  {
    name: 'numbers that are made over and over',
    bytes: doubled('FILL', 400),
    code: 'MODEL_TOO_LARGE',
    message: 'Bytes of stored numbers that operators read',
  },
];
