// A TFLite program as plain data: tensors, stored numbers and operators; and its construction, operator by operator.

import { createHash } from 'node:crypto';
import { AppError } from '../../errors';
import type { Shape } from '../../graph/types';
import {
  allOptions,
  writtenOperators,
  type OperatorName,
  type OptionValue,
  type OptionsOf,
  type WrittenOperator,
} from './operators';
import type { TensorType } from './schema';

/** Index of a tensor in the program. */
export type TensorIndex = number;

/** Stands for an optional input that is not given. */
export const absent: TensorIndex = -1;

/** real = (stored - zeroPoint) * scale; one pair for the tensor, or one for each position of `axis`. */
export interface Quantization {
  readonly scales: Float32Array;
  readonly zeroPoints: Int32Array;
  readonly axis: number;
}

export interface ProgramTensor {
  readonly name: string;
  /** Batch included. */
  readonly shape: Shape;
  readonly type: TensorType;
  /** Index into `buffers`; null for activations. */
  readonly buffer: number | null;
  readonly quantization: Quantization | null;
}

export interface Operation {
  readonly operator: OperatorName;
  readonly version: number;
  readonly inputs: readonly TensorIndex[];
  readonly outputs: readonly TensorIndex[];
  readonly options: Readonly<Record<string, OptionValue>>;
  /** The layer that it is a part of. */
  readonly layer: string;
}

export interface Port {
  readonly name: string;
  readonly tensor: TensorIndex;
}

/** What a .tflite file holds. */
export interface ProgramData {
  readonly name: string;
  readonly tensors: readonly ProgramTensor[];
  readonly buffers: readonly Uint8Array[];
  readonly operations: readonly Operation[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

type ConstantData = Float32Array | Int32Array | Int8Array | Uint16Array | Uint8Array;

function typeOf(data: ConstantData): TensorType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Int8Array) return 'int8';
  return data instanceof Uint16Array ? 'float16' : 'bool';
}

/** Deepest tensors that the operators of the format are specified for, batch included. */
const maxAxes = 5;

export class Program implements ProgramData {
  readonly tensors: ProgramTensor[] = [];
  readonly buffers: Uint8Array[] = [];
  readonly operations: Operation[] = [];
  readonly inputs: Port[] = [];
  readonly outputs: Port[] = [];
  /** Layer whose operators are being added: names tensors and errors. */
  layer = '';

  private readonly bufferOfHash = new Map<string, number>();
  private readonly constantOfKey = new Map<string, TensorIndex>();

  constructor(readonly name: string) {}

  addInput(
    name: string,
    shape: Shape,
    type: TensorType = 'float32',
    quantization: Quantization | null = null,
  ): TensorIndex {
    const tensor = this.addTensor({ name, shape, type, buffer: null, quantization });
    this.inputs.push({ name, tensor });
    return tensor;
  }

  /** Makes a tensor an output of the model; the tensor takes the output's name. */
  addOutput(name: string, tensor: TensorIndex): void {
    this.tensors[tensor] = { ...this.tensors[tensor]!, name };
    this.outputs.push({ name, tensor });
  }

  shapeOf(tensor: TensorIndex): Shape {
    return this.tensors[tensor]!.shape;
  }

  /** A tensor that an operator will make. */
  addActivation(
    shape: Shape,
    type: TensorType = 'float32',
    quantization: Quantization | null = null,
    name: string = this.layer,
  ): TensorIndex {
    return this.addTensor({ name, shape, type, buffer: null, quantization });
  }

  /**
   * A stored tensor, `shape` with all its axes; 16-bit numbers are float16. Constants of equal content share one
   * buffer, and those of equal shape, type and quantisation one tensor.
   */
  constant(
    label: string,
    shape: Shape,
    data: ConstantData,
    quantization: Quantization | null = null,
  ): TensorIndex {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const hash = createHash('sha256').update(bytes).digest('base64');
    const type = typeOf(data);
    const key = `${type} ${shape.join('x')} ${hash} ${keyOf(quantization)}`;
    const known = this.constantOfKey.get(key);
    if (known !== undefined) return known;
    let buffer = this.bufferOfHash.get(hash);
    if (buffer === undefined) {
      buffer = this.buffers.push(bytes) - 1;
      this.bufferOfHash.set(hash, buffer);
    }
    const name = `${this.layer}/${label}`;
    const tensor = this.addTensor({ name, shape, type, buffer, quantization });
    this.constantOfKey.set(key, tensor);
    return tensor;
  }

  /** A one-dimensional int32 constant: axes, shapes, paddings. */
  ints(label: string, values: readonly number[], shape: Shape = [values.length]): TensorIndex {
    return this.constant(label, shape, Int32Array.from(values));
  }

  /** A float32 scalar. */
  scalar(label: string, value: number): TensorIndex {
    return this.constant(label, [], Float32Array.of(value));
  }

  /** Adds an operator with one output of the given shape (batch included) and returns that output. */
  emit<N extends WrittenOperator>(
    operator: N,
    inputs: readonly TensorIndex[],
    shape: Shape,
    options: OptionsOf<N>,
    version?: number,
  ): TensorIndex {
    return this.emitMany(operator, inputs, [shape], options, version)[0]!;
  }

  emitMany<N extends WrittenOperator>(
    operator: N,
    inputs: readonly TensorIndex[],
    shapes: readonly Shape[],
    options: OptionsOf<N>,
    version?: number,
  ): readonly TensorIndex[] {
    const given = inputs
      .filter((tensor) => tensor !== absent)
      .map((tensor) => this.shapeOf(tensor));
    const axes = Math.max(...given.map((shape) => shape.length), ...shapes.map((s) => s.length));
    if (axes > maxAxes) {
      throw unsupported(this.layer, `it works on tensors of ${axes - 1} axes`);
    }
    const outputs = shapes.map((shape) => this.addActivation(shape));
    this.addOperation({
      operator,
      version: version ?? (axes === maxAxes ? writtenOperators[operator].fiveAxes : 1),
      inputs,
      outputs,
      options: allOptions(operator, options as Operation['options']),
    });
    return outputs;
  }

  /** Adds an operator on tensors that are there, as a part of the current layer. */
  addOperation(operation: Omit<Operation, 'layer'>): void {
    this.operations.push({ ...operation, layer: this.layer });
  }

  private addTensor(tensor: ProgramTensor): TensorIndex {
    return this.tensors.push(tensor) - 1;
  }
}

function keyOf(quantization: Quantization | null): string {
  if (quantization === null) return '';
  const { scales, zeroPoints, axis } = quantization;
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of [scales, zeroPoints]) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return `${axis} ${hash.digest('base64')}`;
}

/** The error for a layer that the format cannot hold. */
export function unsupported(layer: string, why: string): AppError {
  return new AppError(
    'EXPORT_UNSUPPORTED',
    `Layer "${layer}" cannot be written as TFLite: ${why}.`,
    'Export to another format, or replace this layer.',
    { details: { layer } },
  );
}
