// Copying a float program into another one, operator by operator, with some of its tensors stored differently.

import type { Program } from '../program';
import { absent, type Operation, type ProgramData, type TensorIndex } from '../program';

/** The float32 numbers of a stored tensor; null for activations and integers. */
export function storedFloats(program: ProgramData, tensor: TensorIndex): Float32Array | null {
  const { type, buffer } = program.tensors[tensor]!;
  if (type !== 'float32' || buffer === null) return null;
  const { buffer: memory, byteOffset, byteLength } = program.buffers[buffer]!;
  return new Float32Array(memory, byteOffset, byteLength / 4);
}

/** The int32 numbers of a stored tensor; null for activations and real numbers. */
export function storedInts(program: ProgramData, tensor: TensorIndex): Int32Array | null {
  const { type, buffer } = program.tensors[tensor]!;
  if (type !== 'int32' || buffer === null) return null;
  const { buffer: memory, byteOffset, byteLength } = program.buffers[buffer]!;
  return new Int32Array(memory, byteOffset, byteLength / 4);
}

/** The label of a stored tensor below its layer. */
const labelOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** Copies tensors of a float program as they are, each once. */
export class Copier {
  private readonly copies = new Map<TensorIndex, TensorIndex>();

  constructor(
    readonly source: ProgramData,
    readonly target: Program,
  ) {}

  /** The copy of a tensor, made where it is not there yet. */
  tensor(index: TensorIndex): TensorIndex {
    if (index === absent) return absent;
    const known = this.copies.get(index);
    if (known !== undefined) return known;
    const copy = this.newTensor(index);
    this.copies.set(index, copy);
    return copy;
  }

  /** Lets a tensor of the source be another one of the target. */
  set(index: TensorIndex, copy: TensorIndex): void {
    this.copies.set(index, copy);
  }

  inputs(): void {
    for (const { name, tensor } of this.source.inputs) {
      this.set(tensor, this.target.addInput(name, this.source.tensors[tensor]!.shape));
    }
  }

  outputs(): void {
    for (const { name, tensor } of this.source.outputs) {
      this.target.addOutput(name, this.tensor(tensor));
    }
  }

  /** The operator with other inputs or another version where these are given. */
  operation(
    operation: Operation,
    changes: Partial<Pick<Operation, 'inputs' | 'version' | 'options'>> = {},
  ): void {
    this.target.layer = operation.layer;
    this.target.addOperation({
      ...operation,
      ...changes,
      inputs: changes.inputs ?? operation.inputs.map((tensor) => this.tensor(tensor)),
      outputs: operation.outputs.map((tensor) => this.tensor(tensor)),
    });
  }

  private newTensor(index: TensorIndex): TensorIndex {
    const { name, shape, type, buffer, quantization } = this.source.tensors[index]!;
    if (buffer === null) return this.target.addActivation(shape, type, quantization, name);
    const label = labelOf(name);
    const numbers = storedFloats(this.source, index) ?? storedInts(this.source, index);
    return this.target.constant(label, shape, numbers ?? this.source.buffers[buffer]!);
  }
}
