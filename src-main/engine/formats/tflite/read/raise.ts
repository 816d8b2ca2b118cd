// Turns a TFLite program into a graph: each operator into the layer that it is, fused activations into layers behind it.

import { GraphBuilder } from '../../../graph/build';
import { sizeOf } from '../../../graph/ops/check';
import type { Graph, TensorId } from '../../../graph/types';
import { asCorrupt, corrupt, tooLarge, unsupportedOperator } from '../errors';
import { maxExpanded } from '../limits';
import type { Operation, ProgramData, TensorIndex } from '../program';
import { Call, type Raise } from './call';
import { foldConstants } from './constants';
import { raisings } from './table';
import { storedNumbers, type Value } from './values';

export interface RaisedProgram {
  /** Layers that nobody reads are among its own. */
  readonly graph: Graph;
  /** The graph's tensor for each of the program's that an operator or the input makes. */
  readonly tensors: ReadonlyMap<TensorIndex, TensorId>;
}

/**
 * @param isOpen whether the file leaves the size of an axis of a tensor open (batch included)
 * @throws AppError MODEL_CORRUPT, MODEL_UNSUPPORTED_OP naming layer and operator
 */
export function raiseProgram(
  program: ProgramData,
  isOpen: (tensor: TensorIndex, axis: number) => boolean = () => false,
): RaisedProgram {
  const builder = new GraphBuilder(program.name);
  const values = new Map<TensorIndex, Value>();
  const makers = new Map<TensorIndex, Operation>();
  program.tensors.forEach((tensor, i) => {
    if (tensor.buffer === null) return;
    values.set(i, storedNumbers(tensor, program.buffers[tensor.buffer]!));
  });
  for (const { name, tensor } of program.inputs) {
    if (values.has(tensor)) throw corrupt(`the input "${name}" is stored or given twice`);
    values.set(tensor, addInput(builder, program, tensor, name));
  }
  const readings = new Readings(program);
  for (const operation of program.operations) {
    const call = new Call({ builder, program, operation, values, makers });
    const missing = operation.inputs.find((tensor) => tensor >= 0 && !values.has(tensor));
    if (missing !== undefined) {
      throw call.corrupt(`it reads tensor ${missing}, which no operator before it makes`);
    }
    readings.count(call.inputs);
    const outputs = raise(call);
    readings.count(outputs);
    if (outputs.length !== operation.outputs.length) {
      throw call.corrupt(`it has ${operation.outputs.length} outputs, not ${outputs.length}`);
    }
    operation.outputs.forEach((tensor, i) => {
      if (values.has(tensor)) throw call.corrupt(`tensor ${tensor} is made twice`);
      requireShape(call, outputs[i]!, i, (axis) => isOpen(tensor, axis));
      values.set(tensor, outputs[i]!);
      makers.set(tensor, operation);
    });
  }
  for (const { name, tensor } of program.outputs) {
    const value = values.get(tensor);
    if (value?.kind !== 'activation') throw corrupt(`the output "${name}" is not computed`);
    builder.output(value.tensor, name);
  }
  return { graph: ofFile(() => builder.build()), tensors: tensorIds(values) };
}

/** Keeps account of the stored numbers that operators read and fold: each may copy them. */
class Readings {
  private bytes = 0;
  private readonly limit: number;

  constructor({ buffers }: ProgramData) {
    this.limit = maxExpanded(buffers.reduce((sum, { length }) => sum + length, 0));
  }

  /** @throws AppError MODEL_TOO_LARGE */
  count(values: readonly (Value | null)[]): void {
    for (const value of values) {
      if (value?.kind === 'constant') this.bytes += value.data.byteLength;
    }
    if (this.bytes <= this.limit) return;
    throw tooLarge('Bytes of stored numbers that operators read', this.bytes, this.limit);
  }
}

function addInput(
  builder: GraphBuilder,
  program: ProgramData,
  index: TensorIndex,
  name: string,
): Value {
  const { shape, type, quantization } = program.tensors[index]!;
  if (type !== 'float32' && quantization === null) {
    throw unsupportedOperator(name, 'input', `it takes numbers of type ${type}, not float32`);
  }
  if (shape[0] !== 1) {
    throw unsupportedOperator(name, 'input', `it takes ${shape[0] ?? 'no'} images at a time`);
  }
  if (sizeOf(shape) === 0) throw corrupt(`the input "${name}" is empty`);
  return { kind: 'activation', tensor: builder.input(name, shape.slice(1)), batched: true };
}

function raise(call: Call): readonly Value[] {
  const folded = foldConstants(call);
  if (folded !== null) return folded;
  // The table pairs each operator with the function for its own options; the compiler cannot follow the pairing.
  const own = raisings[call.operation.operator] as Raise<Call['operation']['operator']>;
  return ofFile(() => own(call as Parameters<typeof own>[0]));
}

/** What an action gives; what the graph finds inconsistent in it is the file's fault. */
function ofFile<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw asCorrupt(error);
  }
}

/** The shape that the file states for an output must be the one that its operator gives. */
function requireShape(
  call: Call,
  value: Value,
  output: number,
  isOpen: (axis: number) => boolean,
): void {
  // Images spread over the batch have no shape of their own.
  if (value.kind === 'spread') return;
  const stated = call.outputShapes[output]!;
  const actual = call.shapeOf(value);
  const agree =
    stated.length === actual.length &&
    stated.every((size, axis) => size === actual[axis] || isOpen(axis));
  // Old converters leave shapes out.
  if (agree || stated.length === 0) return;
  throw call.corrupt(
    `its output has the shape [${actual.join(', ')}], the file says [${stated.join(', ')}]`,
  );
}

function tensorIds(values: ReadonlyMap<TensorIndex, Value>): ReadonlyMap<TensorIndex, TensorId> {
  return new Map(
    [...values].flatMap(([index, value]) =>
      value.kind === 'activation' ? [[index, value.tensor] as const] : [],
    ),
  );
}
