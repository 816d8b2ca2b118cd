// A program that tells how much noise each operator adds: beside the float program, every quantised operator computes
// once more from the exact input, brought to integers, and both results are outputs.

import { Program, type Operation, type ProgramData, type TensorIndex } from '../../program';
import { Converter, type ScaleOf } from './convert';
import type { Int8Plan } from './plan';

export interface NoiseProgram {
  readonly program: Program;
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
  const places = new Map<TensorIndex, number>();
  const output = (tensor: TensorIndex): number => {
    const known = places.get(tensor);
    if (known !== undefined) return known;
    const place = target.outputs.length;
    target.addOutput(`output ${place}`, tensor);
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
      const { shape } = source.tensors[tensor]!;
      const real = target.emit('DEQUANTIZE', [outputs[i]!], shape, {}, 2);
      pairs.push({
        layer: operation.layer,
        operator: operation.operator,
        exact: output(converter.float(tensor)),
        quantized: output(real),
      });
    });
  }
  return { program: target, pairs };
}
