// Stored tensors as operands of activations: their axes brought to the order in which those lie.

import { AppError } from '../../../errors';
import { readStrided, stridesOf } from '../../../graph/ops/labels';
import type { Shape } from '../../../graph/types';
import { shapeOf, type Atom, type Layout } from '../layout';
import type { Constant } from '../tensor';
import { floatsOf } from './filters';
import type { NodeCall } from './types';

/** The shape of a constant beside an activation with so many axes a sample: all of them, without the batch. */
export function sampleShapeOf(call: NodeCall, constant: Constant, rank: number): Shape {
  const missing = Math.max(0, rank - constant.shape.length);
  const all = [...new Array<number>(missing).fill(1), ...constant.shape];
  // Leading axes of 1 beyond the activation's say nothing, others would be the batch.
  const beyond = all.slice(0, all.length - rank);
  if (beyond.every((size) => size === 1)) return all.slice(all.length - rank);
  throw call.unsupported(
    `the stored operand "${constant.name}" of shape [${constant.shape.join(', ')}] differs along the batch`,
  );
}

export interface StoredConstant {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** A constant with its axes stored as those of an activation; what is 1 stays 1. */
export function storeConstant(
  call: NodeCall,
  constant: Constant,
  shape: Shape,
  layout: Layout,
): StoredConstant {
  const source = floatsOf(call, constant);
  const bad = source.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw notFinite(call, bad);
  const strides = new Map<Atom, number>();
  const own = stridesOf(shape);
  layout.logical.forEach((group, axis) => {
    if (shape[axis] === 1) return;
    let stride = own[axis]!;
    for (const atom of [...group].reverse()) {
      strides.set(atom, stride);
      stride *= atom.size;
    }
  });
  const stored = layout.stored.map((group) => group.filter((atom) => strides.has(atom)));
  const atoms = stored.flat();
  const order = readStrided(
    Int32Array.from({ length: source.length }, (_, i) => i),
    atoms.map(({ size }) => size),
    atoms.map((atom) => strides.get(atom)!),
  );
  return { shape: shapeOf(stored), data: Float32Array.from(order, (i) => source[i]!) };
}

/** A number of the file that computing cannot go on with. */
export function notFinite(call: NodeCall, value: number): AppError {
  return new AppError(
    'MODEL_NOT_FINITE',
    `Layer "${call.name}" (${call.node.op}) computes with the stored number ${value}.`,
    'The model diverged when it was trained: take an earlier checkpoint.',
    { details: { layer: call.name } },
  );
}
