// How much memory a step of training surely takes, so that one that cannot fit is refused before it begins: native
// kernels end the process where memory lacks, and say nothing.

import type { Task } from '../data/types';
import { AppError } from '../errors';
import { sizeOf } from '../graph/ops/check';
import type { Model, TensorId } from '../graph/types';
import { makeSteps } from './executor/steps';
import { taskHead } from './task-loss';

const bytesPerNumber = 4;
/** Room for what the estimate leaves out, where a batch is proposed: gradients on their way, kernels' scratch space. */
const roomFactor = 1.5;

/** Bytes that a step holds at once, at least. */
export interface StepFootprint {
  /** Weights, their gradients, and what the optimizer accumulates. */
  readonly fixed: number;
  /** Of each image: the tensors that gradients read, all of which are there when the way back begins. */
  readonly perImage: number;
}

/** @param slots numbers that the optimizer keeps of each weight: 1 with momentum, 2 with Adam */
export function stepFootprint(model: Model, slots: number, task: Task = 'classes'): StepFootprint {
  const kept = new Map<TensorId, number>();
  const sizes = new Map<TensorId, number>();
  for (const step of makeSteps(model.graph, [taskHead(model, task).tensor])) {
    step.node.inputs.forEach((id, i) => sizes.set(id, sizeOf(step.inputShapes[i]!)));
    step.node.outputs.forEach((id, i) => sizes.set(id, sizeOf(step.outputShapes[i]!)));
    for (const id of step.kept) kept.set(id, sizes.get(id)!);
  }
  const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
  const weights = sum([...model.graph.weights.values()].map(({ shape }) => sizeOf(shape)));
  return {
    fixed: weights * (2 + slots) * bytesPerNumber,
    perImage: sum(kept.values()) * bytesPerNumber,
  };
}

/** @throws AppError OUT_OF_MEMORY with the batch size that fits, when the step surely takes more than `memory` bytes */
export function requireMemory(footprint: StepFootprint, batchSize: number, memory: number): void {
  const { fixed, perImage } = footprint;
  const needed = fixed + perImage * batchSize;
  if (needed <= memory) return;
  const fitting = Math.floor((memory - fixed * roomFactor) / (perImage * roomFactor));
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(2)} GB`;
  throw new AppError(
    'OUT_OF_MEMORY',
    `A batch of ${batchSize} images takes at least ${gigabytes(needed)} of memory; there are ${gigabytes(memory)}.`,
    fitting >= 1
      ? `Set the batch size to ${fitting} or less.`
      : 'Not even one image fits: train a smaller network, or on smaller images.',
    { details: { batchSize, suggestedBatchSize: Math.max(fitting, 1), needed, memory } },
  );
}
