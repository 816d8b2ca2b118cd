// A TFLite program under construction: tensors, constants and operators as plain data, before it is written.

import { createHash } from 'node:crypto';
import { AppError } from '../../errors';
import type { Shape } from '../../graph/types';
import { operators, type OperatorName, type OptionsOf, type TensorType } from './schema';

/** Index of a tensor in the program. */
export type TensorIndex = number;

/** Stands for an optional input that is not given. */
export const absent: TensorIndex = -1;

export interface ProgramTensor {
  readonly name: string;
  /** Batch included. */
  readonly shape: Shape;
  readonly type: TensorType;
  /** Index into `Program.buffers`; null for activations. */
  readonly buffer: number | null;
}

export interface Operation {
  readonly operator: OperatorName;
  readonly version: number;
  readonly inputs: readonly TensorIndex[];
  readonly outputs: readonly TensorIndex[];
  readonly options: Readonly<Record<string, number | boolean | readonly number[]>>;
}

interface Port {
  readonly name: string;
  readonly tensor: TensorIndex;
}

type ConstantData = Float32Array | Int32Array | Uint8Array;

function typeOf(data: ConstantData): TensorType {
  if (data instanceof Float32Array) return 'float32';
  return data instanceof Int32Array ? 'int32' : 'bool';
}

/** Deepest tensors that the operators of the format are specified for, batch included. */
const maxAxes = 5;

export class Program {
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

  addInput(name: string, shape: Shape): TensorIndex {
    const tensor = this.addTensor(name, [1, ...shape], 'float32', null);
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

  /**
   * A stored tensor, `shape` with all its axes. Constants of equal content share one buffer, and those of
   * equal shape and type one tensor.
   */
  constant(label: string, shape: Shape, data: ConstantData): TensorIndex {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const hash = createHash('sha256').update(bytes).digest('base64');
    const type = typeOf(data);
    const key = `${type} ${shape.join('x')} ${hash}`;
    const known = this.constantOfKey.get(key);
    if (known !== undefined) return known;
    let buffer = this.bufferOfHash.get(hash);
    if (buffer === undefined) {
      buffer = this.buffers.push(bytes) - 1;
      this.bufferOfHash.set(hash, buffer);
    }
    const tensor = this.addTensor(`${this.layer}/${label}`, shape, type, buffer);
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
  emit<N extends OperatorName>(
    operator: N,
    inputs: readonly TensorIndex[],
    shape: Shape,
    options: OptionsOf<N>,
    version?: number,
  ): TensorIndex {
    return this.emitMany(operator, inputs, [shape], options, version)[0]!;
  }

  emitMany<N extends OperatorName>(
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
    const outputs = shapes.map((shape) => this.addTensor(this.layer, shape, 'float32', null));
    this.operations.push({
      operator,
      version: version ?? (axes === maxAxes ? operators[operator].fiveAxes : 1),
      inputs,
      outputs,
      options,
    });
    return outputs;
  }

  private addTensor(
    name: string,
    shape: Shape,
    type: TensorType,
    buffer: number | null,
  ): TensorIndex {
    return this.tensors.push({ name, shape, type, buffer }) - 1;
  }
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
