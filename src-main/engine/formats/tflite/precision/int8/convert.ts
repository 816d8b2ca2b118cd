// Writes a float program with integers: quantised operators, and operators between the two kinds of numbers where they
// meet.

import { activationParameters, quantized, rangeOf } from '../../../../quantize/parameters';
import type { Affine } from '../../../../quantize/types';
import { writtenOperators, type WrittenOperator } from '../../operators';
import {
  absent,
  Program,
  type Operation,
  type ProgramData,
  type Quantization,
  type TensorIndex,
} from '../../program';
import { Copier, storedFloats } from '../copy';
import type { GroupId, Int8Plan } from './plan';
import { ruleOf, type Int8Rule } from './rules';

/** Whether inputs and outputs of the model are integers, too. */
export type ModelPorts = 'int8' | 'float';

/** The scale of each group. */
export type ScaleOf = (group: GroupId) => Affine;

export function quantizationOf({ scale, zeroPoint }: Affine): Quantization {
  return { scales: Float32Array.of(scale), zeroPoints: Int32Array.of(zeroPoint), axis: 0 };
}

export function toInt8(
  source: ProgramData,
  plan: Int8Plan,
  scaleOf: ScaleOf,
  ports: ModelPorts,
): Program {
  const target = new Program(source.name);
  const converter = new Converter(source, target, plan, scaleOf);
  for (const { name, tensor } of source.inputs) {
    const { shape } = source.tensors[tensor]!;
    const group = plan.groupOf(tensor);
    target.layer = name;
    if (ports === 'float') converter.setFloat(tensor, target.addInput(name, shape));
    else {
      const quantization = quantizationOf(scaleOf(group));
      converter.setInt8(tensor, group, target.addInput(name, shape, 'int8', quantization));
    }
  }
  for (const operation of source.operations) {
    target.layer = operation.layer;
    if (plan.operations.has(operation)) {
      const outputs = converter.int8Operation(operation, (tensor, group) =>
        converter.int8(tensor, group),
      );
      operation.outputs.forEach((tensor, i) => {
        converter.setInt8(tensor, plan.groupOf(tensor), outputs[i]!);
      });
    } else converter.floatOperation(operation);
  }
  for (const { name, tensor } of source.outputs) {
    target.layer = name;
    const output =
      ports === 'float' ? converter.float(tensor) : converter.int8(tensor, plan.groupOf(tensor));
    target.addOutput(name, output);
  }
  return target;
}

/** The tensors of a program in both kinds of numbers, each made when it is first asked for. */
export class Converter {
  private readonly copier: Copier;
  private readonly floats = new Map<TensorIndex, TensorIndex>();
  private readonly integers = new Map<string, TensorIndex>();
  /** The group in which a tensor was made. */
  private readonly ownGroup = new Map<TensorIndex, GroupId>();

  constructor(
    private readonly source: ProgramData,
    private readonly target: Program,
    private readonly plan: Int8Plan,
    private readonly scaleOf: ScaleOf,
  ) {
    this.copier = new Copier(source, target);
  }

  setFloat(tensor: TensorIndex, made: TensorIndex): void {
    this.floats.set(tensor, made);
    this.copier.set(tensor, made);
  }

  setInt8(tensor: TensorIndex, group: GroupId, made: TensorIndex): void {
    this.integers.set(`${tensor} ${group}`, made);
    this.ownGroup.set(tensor, group);
  }

  /** A tensor as real numbers. */
  float(tensor: TensorIndex): TensorIndex {
    const known = this.floats.get(tensor);
    if (known !== undefined) return known;
    const integers = this.integers.get(`${tensor} ${this.ownGroup.get(tensor)!}`)!;
    const { shape } = this.source.tensors[tensor]!;
    const made = this.target.emit('DEQUANTIZE', [integers], shape, {}, 2);
    this.setFloat(tensor, made);
    return made;
  }

  /** A tensor as integers of a group. */
  int8(tensor: TensorIndex, group: GroupId): TensorIndex {
    const key = `${tensor} ${group}`;
    const known = this.integers.get(key);
    if (known !== undefined) return known;
    const own = this.ownGroup.get(tensor);
    const from = own === undefined ? this.float(tensor) : this.integers.get(`${tensor} ${own}`)!;
    const made = this.quantize(from, group);
    this.integers.set(key, made);
    return made;
  }

  /** An operator that brings real numbers, or integers of another group, to integers of a group. */
  quantize(from: TensorIndex, group: GroupId): TensorIndex {
    const { shape } = this.target.tensors[from]!;
    const made = this.int8Tensor(shape, group);
    this.target.addOperation({
      operator: 'QUANTIZE',
      version: 1,
      inputs: [from],
      outputs: [made],
      options: {},
    });
    return made;
  }

  /** The operator as it is, on real numbers. */
  floatOperation(operation: Operation): void {
    for (const tensor of operation.inputs) {
      if (tensor !== absent && this.source.tensors[tensor]!.buffer === null) this.float(tensor);
    }
    this.copier.operation(operation);
    for (const tensor of operation.outputs) this.floats.set(tensor, this.copier.tensor(tensor));
  }

  /**
   * The operator on integers.
   * @param operand gives an activation as integers of a group
   * @returns its outputs
   */
  int8Operation(
    operation: Operation,
    operand: (tensor: TensorIndex, group: GroupId) => TensorIndex,
  ): readonly TensorIndex[] {
    const rule = ruleOf(this.source, operation);
    const places = operation.inputs.map((tensor, place) => {
      const isActivation = tensor !== absent && this.source.tensors[tensor]!.buffer === null;
      if (isActivation) return operand(tensor, this.plan.operandGroup(operation, place));
      return this.stored(operation, rule, place);
    });
    const inputs = rule.kind === 'filters' ? this.withFilters(operation, rule, places) : places;
    const outputs = operation.outputs.map((tensor) =>
      this.int8Tensor(this.source.tensors[tensor]!.shape, this.plan.groupOf(tensor)),
    );
    this.target.addOperation({
      ...operation,
      version: this.versionOf(operation, inputs, outputs),
      inputs,
      outputs,
    });
    return outputs;
  }

  private int8Tensor(shape: readonly number[], group: GroupId): TensorIndex {
    return this.target.addActivation(shape, 'int8', quantizationOf(this.scaleOf(group)));
  }

  /** A stored operand: integers as they are, real numbers in the group's scale or one of their own. */
  private stored(operation: Operation, rule: Int8Rule, place: number): TensorIndex {
    const tensor = operation.inputs[place]!;
    const numbers = tensor === absent ? null : storedFloats(this.source, tensor);
    // Filters and biases follow once the input is there.
    if (numbers === null || rule.kind === 'filters') {
      return numbers === null ? this.copier.tensor(tensor) : absent;
    }
    const affine =
      rule.kind === 'same'
        ? this.scaleOf(this.plan.groupOf(operation.outputs[0]!))
        : activationParameters(rangeOf(numbers));
    const { shape } = this.source.tensors[tensor]!;
    return this.target.constant('value', shape, quantized(numbers, affine), quantizationOf(affine));
  }

  private withFilters(
    operation: Operation,
    rule: Extract<Int8Rule, { kind: 'filters' }>,
    places: readonly TensorIndex[],
  ): readonly TensorIndex[] {
    const kernel = operation.inputs[rule.kernel]!;
    const bias = operation.inputs[rule.bias] ?? absent;
    const { shape } = this.source.tensors[kernel]!;
    const channels = shape[rule.axis]!;
    const { scale } = this.scaleOf(this.plan.operandGroup(operation, rule.data));
    const layer = this.plan.filters
      .get(operation)!
      .quantize(
        bias === absent ? new Float32Array(channels) : storedFloats(this.source, bias)!,
        scale,
      );
    const zeroPoints = new Int32Array(channels);
    const stored = {
      [rule.kernel]: this.target.constant('kernel', shape, layer.values, {
        scales: layer.scales,
        zeroPoints,
        axis: rule.axis,
      }),
      [rule.bias]: this.target.constant('bias', [channels], layer.bias, {
        scales: layer.biasScales,
        zeroPoints,
        axis: 0,
      }),
    };
    return places.map((tensor, place) => stored[place] ?? tensor);
  }

  private versionOf(
    { operator, version }: Operation,
    inputs: readonly TensorIndex[],
    outputs: readonly TensorIndex[],
  ): number {
    const wanted = Math.max(version, writtenOperators[operator as WrittenOperator].int8 ?? 1);
    if (operator !== 'MUL') return wanted;
    // Products that are larger than the steps of the result need a newer kernel.
    const scale = (tensor: TensorIndex): number =>
      this.target.tensors[tensor]!.quantization!.scales[0]!;
    const ratio = (scale(inputs[0]!) * scale(inputs[1]!)) / scale(outputs[0]!);
    return ratio >= 1 ? Math.max(wanted, 3) : wanted;
  }
}
