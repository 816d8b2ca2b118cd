// Which operators of a program compute with integers, and which tensors must have one scale.

import { absent, type Operation, type ProgramData, type TensorIndex } from '../../program';
import { LayerFilters } from '../../../../quantize/filters';
import type { Affine } from '../../../../quantize/types';
import { storedFloats } from '../copy';
import { channelLayout } from '../filters';
import { ruleOf } from './rules';

/** Tensors of one scale, by one of them. */
export type GroupId = number;

export interface Int8Plan {
  readonly operations: ReadonlySet<Operation>;
  /** The group that a tensor has as the result of its operator, or as an input of the model. */
  groupOf(tensor: TensorIndex): GroupId;
  /** The group that an operator wants an operand in: another than the operand's own where two fixed scales meet. */
  operandGroup(operation: Operation, place: number): GroupId;
  /** Groups whose scale an operator prescribes. */
  readonly fixed: ReadonlyMap<GroupId, Affine>;
  /** Tensors whose numbers a group must hold: activations, and stored operands that take the group's scale. */
  readonly members: ReadonlyMap<GroupId, readonly TensorIndex[]>;
  /** Filters of the operators that have some, kept for all programs that are made by the plan. */
  readonly filters: ReadonlyMap<Operation, LayerFilters>;
  /** Layers that stay float, with the reason. */
  readonly floatLayers: ReadonlyMap<string, string>;
}

/** @param floatLayers layers that shall stay float, with the reason */
export function planInt8(program: ProgramData, floatLayers: ReadonlyMap<string, string>): Int8Plan {
  const layers = new Map(floatLayers);
  for (const operation of program.operations) {
    if (ruleOf(program, operation).kind !== 'float' || layers.has(operation.layer)) continue;
    layers.set(operation.layer, `there is no reliable int8 kernel for its ${operation.operator}`);
  }
  const operations = new Set(program.operations.filter(({ layer }) => !layers.has(layer)));
  const groups = new Groups(program.tensors.length);
  const overrides = new Map<Operation, Map<number, TensorIndex>>();
  const stored: (readonly [GroupId, TensorIndex])[] = [];
  for (const operation of operations) {
    const rule = ruleOf(program, operation);
    const [output] = operation.outputs;
    if (rule.kind === 'fixed') groups.fix(output!, rule.output);
    if (rule.kind !== 'same') continue;
    for (const other of operation.outputs.slice(1)) groups.unite(output!, other);
    const operands = sharedOperands(program, operation, rule.fill);
    const fill = rule.fill === undefined ? null : operation.inputs[rule.fill]!;
    // What stands for the lowest number of all is the lowest integer.
    if (fill !== null && Math.abs(storedFloats(program, fill)![0]!) < lowestNumber) {
      stored.push([output!, fill]);
    }
    for (const { tensor } of operands.filter((operand) => operand.isStored)) {
      stored.push([output!, tensor]);
    }
    const computed = operands.filter((operand) => !operand.isStored);
    const isAlone = operands.length === 1;
    const agree = groups.haveSameFixed(computed.map(({ tensor }) => tensor));
    for (const { tensor, place } of computed) {
      if (isAlone || (agree && computed.length === operands.length) || !groups.isFixed(tensor)) {
        groups.unite(tensor, output!);
      } else {
        const places = overrides.get(operation) ?? new Map<number, TensorIndex>();
        overrides.set(operation, places.set(place, output!));
      }
    }
  }
  return {
    operations,
    groupOf: (tensor) => groups.find(tensor),
    operandGroup: (operation, place) =>
      groups.find(overrides.get(operation)?.get(place) ?? operation.inputs[place]!),
    fixed: groups.fixedByGroup(),
    members: membersOf(program, operations, groups, stored),
    filters: filtersOf(program, operations),
    floatLayers: layers,
  };
}

function filtersOf(
  program: ProgramData,
  operations: ReadonlySet<Operation>,
): ReadonlyMap<Operation, LayerFilters> {
  const filters = new Map<Operation, LayerFilters>();
  for (const operation of operations) {
    const rule = ruleOf(program, operation);
    if (rule.kind !== 'filters') continue;
    const kernel = operation.inputs[rule.kernel]!;
    const layout = channelLayout(program.tensors[kernel]!.shape, rule.axis);
    filters.set(operation, new LayerFilters(storedFloats(program, kernel)!, layout));
  }
  return filters;
}

/** Beyond what any activation holds. */
const lowestNumber = 1e30;

interface Operand {
  readonly place: number;
  readonly tensor: TensorIndex;
  readonly isStored: boolean;
}

/** Operands of real numbers that take the scale of the outputs. */
function sharedOperands(
  program: ProgramData,
  operation: Operation,
  fill: number | undefined,
): readonly Operand[] {
  return operation.inputs.flatMap((tensor, place) => {
    const isReal = tensor !== absent && program.tensors[tensor]!.type === 'float32';
    if (!isReal || place === fill) return [];
    return [{ place, tensor, isStored: storedFloats(program, tensor) !== null }];
  });
}

/** Activations that integers stand for, and stored operands that take a group's scale, by group. */
function membersOf(
  program: ProgramData,
  operations: ReadonlySet<Operation>,
  groups: Groups,
  stored: readonly (readonly [GroupId, TensorIndex])[],
): ReadonlyMap<GroupId, readonly TensorIndex[]> {
  const activations = new Set([
    ...program.inputs.map(({ tensor }) => tensor),
    ...program.outputs.map(({ tensor }) => tensor),
    ...[...operations].flatMap(({ inputs, outputs }) => [...inputs, ...outputs]),
  ]);
  // What is filled up holds its input's numbers and the fill, which may be lower than any.
  for (const operation of operations) {
    const rule = ruleOf(program, operation);
    if (rule.kind === 'same' && rule.fill !== undefined) activations.delete(operation.outputs[0]!);
  }
  const members = new Map<GroupId, TensorIndex[]>();
  const add = (group: GroupId, tensor: TensorIndex): void => {
    const list = members.get(group);
    if (list === undefined) members.set(group, [tensor]);
    else list.push(tensor);
  };
  for (const tensor of activations) {
    if (tensor === absent) continue;
    const { type, buffer } = program.tensors[tensor]!;
    if (type === 'float32' && buffer === null) add(groups.find(tensor), tensor);
  }
  for (const [group, tensor] of stored) add(groups.find(group), tensor);
  return members;
}

/** Disjoint sets of tensors, some of which have a prescribed scale. */
class Groups {
  private readonly parents: number[];
  private readonly fixed = new Map<GroupId, Affine>();

  constructor(count: number) {
    this.parents = Array.from({ length: count }, (_, i) => i);
  }

  find(tensor: TensorIndex): GroupId {
    let root = tensor;
    while (this.parents[root] !== root) root = this.parents[root]!;
    return root;
  }

  /** At most one of the two is fixed, or both are alike. */
  unite(a: TensorIndex, b: TensorIndex): void {
    const [first, second] = [this.find(a), this.find(b)];
    if (first === second) return;
    const affine = this.fixed.get(second);
    this.parents[second] = first;
    if (affine !== undefined) this.fixed.set(first, affine);
  }

  fix(tensor: TensorIndex, affine: Affine): void {
    this.fixed.set(this.find(tensor), affine);
  }

  isFixed(tensor: TensorIndex): boolean {
    return this.fixed.has(this.find(tensor));
  }

  haveSameFixed(tensors: readonly TensorIndex[]): boolean {
    const affines = tensors.map((tensor) => this.fixed.get(this.find(tensor)));
    const [first] = affines;
    return (
      first !== undefined &&
      affines.every(
        (affine) => affine?.scale === first.scale && affine.zeroPoint === first.zeroPoint,
      )
    );
  }

  fixedByGroup(): ReadonlyMap<GroupId, Affine> {
    return new Map(
      [...this.fixed].flatMap(([tensor, affine]) =>
        this.find(tensor) === tensor ? [[tensor, affine] as const] : [],
      ),
    );
  }
}
