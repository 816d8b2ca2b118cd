// A program that tells how much noise each operator adds: beside the float program, every quantised operator computes
// once more from the exact input, brought to integers, and both results are outputs: real numbers and integers.

import type { Affine } from '../../../../quantize/types';
import { Program, type Operation, type ProgramData, type TensorIndex } from '../../program';
import { Converter, type ScaleOf } from './convert';
import type { Int8Plan } from './plan';

export interface NoiseProgram {
  readonly program: Program;
  /** What the integers of each output stand for; null for real numbers. */
  readonly scales: readonly (Affine | null)[];
  /** For each quantised operator's result: its layer and the places of both among the outputs. */
  readonly pairs: readonly {
    readonly layer: string;
    readonly operator: string;
    readonly exact: number;
    readonly quantized: number;
  }[];
}

/** @param operations quantised operators to look at */
export function noiseProgram(
  source: ProgramData,
  plan: Int8Plan,
  scaleOf: ScaleOf,
  operations: ReadonlySet<Operation>,
): NoiseProgram {
  const target = new Program(source.name);
  const converter = new Converter(source, target, plan, scaleOf);
  const pairs: NoiseProgram['pairs'][number][] = [];
  const scales: (Affine | null)[] = [];
  const places = new Map<TensorIndex, number>();
  const output = (tensor: TensorIndex, scale: Affine | null): number => {
    const known = places.get(tensor);
    if (known !== undefined) return known;
    const place = target.outputs.length;
    target.addOutput(`output ${place}`, tensor);
    scales.push(scale);
    places.set(tensor, place);
    return place;
  };
  for (const { name, tensor } of source.inputs) {
    converter.setFloat(tensor, target.addInput(name, source.tensors[tensor]!.shape));
  }
  for (const operation of source.operations) {
    target.layer = operation.layer;
    converter.floatOperation(operation);
    if (!operations.has(operation)) continue;
    const outputs = converter.int8Operation(operation, (tensor, group) =>
      converter.int8(tensor, group),
    );
    operation.outputs.forEach((tensor, i) => {
      pairs.push({
        layer: operation.layer,
        operator: operation.operator,
        exact: output(converter.float(tensor), null),
        quantized: output(outputs[i]!, scaleOf(plan.groupOf(tensor))),
      });
    });
  }
  return { program: target, scales, pairs };
}
