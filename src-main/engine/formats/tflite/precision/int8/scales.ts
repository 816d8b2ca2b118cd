// The scale of each group of tensors, from the ranges of what they hold.

import { activationParameters, rangeOf, unionOf } from '../../../../quantize/parameters';
import type { Affine, Range } from '../../../../quantize/types';
import type { Operation, ProgramData, TensorIndex } from '../../program';
import { storedFloats } from '../copy';
import type { GroupId, Int8Plan } from './plan';
import { ruleOf } from './rules';

/**
 * Kernels multiply sums by the scales of their operands over that of their result, and bear no large factors: XNNPACK up to
 * 256, and TFLite's own additions below 1. A result so small beside its operands is noise anyway.
 */
const largestFactor = 128;

/** Filters go up to this. */
const largestWeight = 127;

/**
 * @param rangeOfTensor what an activation holds; null for one that is not computed
 */
export function scalesOf(
  program: ProgramData,
  plan: Int8Plan,
  rangeOfTensor: (tensor: TensorIndex) => Range | null,
): ReadonlyMap<GroupId, Affine> {
  const ranges = new Map<GroupId, Range>();
  const scales = new Map<GroupId, Affine>(plan.fixed);
  for (const [group, members] of plan.members) {
    if (scales.has(group)) continue;
    const known = members.flatMap((tensor) => {
      const numbers = storedFloats(program, tensor);
      return (numbers === null ? rangeOfTensor(tensor) : rangeOf(numbers)) ?? [];
    });
    const range = unionOf(known) ?? { min: 0, max: 0 };
    ranges.set(group, range);
    scales.set(group, activationParameters(range));
  }
  // Operators come after what they read: one walk raises results after their operands.
  for (const operation of plan.operations) {
    const [output] = operation.outputs;
    const group = plan.groupOf(output!);
    const range = ranges.get(group);
    const smallest = smallestScale(program, plan, scales, operation);
    if (range === undefined || scales.get(group)!.scale >= smallest) continue;
    scales.set(group, activationParameters(range, smallest));
  }
  return scales;
}

/** Below this the result of an operator has no scale. */
function smallestScale(
  program: ProgramData,
  plan: Int8Plan,
  scales: ReadonlyMap<GroupId, Affine>,
  operation: Operation,
): number {
  const rule = ruleOf(program, operation);
  const scaleOf = (place: number): number => scales.get(plan.operandGroup(operation, place))!.scale;
  if (rule.kind === 'filters') {
    const step = plan.filters.get(operation)!.magnitude / largestWeight;
    return (scaleOf(rule.data) * step) / largestFactor;
  }
  if (rule.kind !== 'free') return 0;
  const operands = operation.inputs.flatMap((tensor, place) => {
    const numbers = storedFloats(program, tensor);
    if (numbers !== null) return [magnitude(numbers) / largestWeight];
    return program.tensors[tensor]!.type === 'float32' ? [scaleOf(place)] : [];
  });
  const multiplies = ['MUL', 'BATCH_MATMUL'].includes(operation.operator);
  const factor = multiplies ? operands.reduce((a, b) => a * b, 1) : Math.max(0, ...operands);
  return factor / largestFactor;
}

function magnitude(numbers: Float32Array): number {
  const { min, max } = rangeOf(numbers);
  return Math.max(-min, max, 0);
}
