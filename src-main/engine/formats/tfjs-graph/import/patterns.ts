// Layers that a file spells out as several operations. Activations are trees of arithmetic over one tensor, x *
// sigmoid(x) for swish; a dilated convolution is one between two that move values. The nodes within are read by nobody
// else.

import type { ActivationFn } from '../../../graph/types';
import type { GraphNode, TensorRef } from '../graph-def';
import { scalarOf, type Constant } from './values';

/** The tensor, a number, or an operation on patterns; sums and products match in any order. */
type Pattern = 'x' | number | Operation;

interface Operation extends ReadonlyArray<string | Pattern> {
  readonly 0: string;
}

const relu6OfSum: Pattern = ['Relu6', ['Add', 'x', 3]];
const erfPart: Pattern = ['Add', ['Erf', ['Mul', 'x', Math.SQRT1_2]], 1];
const cubes: readonly Pattern[] = [
  ['Pow', 'x', 3],
  ['Mul', ['Mul', 'x', 'x'], 'x'],
  ['Mul', ['Square', 'x'], 'x'],
];
const tanhParts: readonly Pattern[] = cubes.map((cube) => [
  'Add',
  ['Tanh', ['Mul', ['Add', 'x', ['Mul', cube, 0.044715]], Math.sqrt(2 / Math.PI)]],
  1,
]);

/** x * part / 2, however it is put into brackets. */
const halfTimes = (part: Pattern): readonly Pattern[] => [
  ['Mul', ['Mul', 'x', 0.5], part],
  ['Mul', ['Mul', 'x', part], 0.5],
  ['Mul', 'x', ['Mul', part, 0.5]],
];

const line: Pattern = ['Add', ['Mul', 'x', 0.2], 0.5];

const patterns: readonly (readonly [fn: ActivationFn, pattern: Pattern, alpha?: number])[] = [
  ['swish', ['Mul', 'x', ['Sigmoid', 'x']]],
  ['swish', ['Mul', 'x', ['Sigmoid', ['Mul', 'x', 1]]]],
  ['hardSwish', ['Mul', 'x', ['Mul', relu6OfSum, 1 / 6]]],
  ['hardSwish', ['Mul', ['Mul', 'x', 1 / 6], relu6OfSum]],
  ['hardSwish', ['Mul', ['Mul', 'x', relu6OfSum], 1 / 6]],
  ['hardSigmoid', ['Minimum', ['Maximum', line, 0], 1]],
  ['hardSigmoid', ['ClipByValue', line, 0, 1]],
  ['hardSigmoid', ['Mul', relu6OfSum, 1 / 6], 1 / 6],
  ...halfTimes(erfPart).map((pattern) => ['gelu', pattern] as const),
  ...tanhParts.flatMap(halfTimes).map((pattern) => ['geluTanh', pattern] as const),
  ['mish', ['Mul', 'x', ['Tanh', ['Softplus', 'x']]]],
  ['softsign', ['RealDiv', 'x', ['Add', ['Abs', 'x'], 1]]],
];

/** An operand of a node as patterns see it. */
type Operand = TensorRef | number;

export interface Model {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly constants: ReadonlyMap<string, readonly Constant[]>;
  /** How often each node is read, as an output of the model too. */
  readonly readers: ReadonlyMap<string, number>;
}

interface Match {
  input: TensorRef | null;
  readonly inner: string[];
}

/**
 * The nodes that stand for several, by the name of the last of them.
 * @param order names of the nodes, each after those that it reads
 */
export function findSpelt(model: Model, order: readonly string[]): ReadonlyMap<string, GraphNode> {
  const found = new Map<string, GraphNode>();
  const taken = new Set<string>();
  for (const name of [...order].reverse()) {
    if (taken.has(name) || model.constants.has(name)) continue;
    const node = model.nodes.get(name)!;
    const spelt =
      speltActivation(model, node) ?? speltPrelu(model, node) ?? speltDilation(model, node);
    if (spelt === null || spelt.inner.some((inner) => taken.has(inner))) continue;
    for (const inner of spelt.inner) taken.add(inner);
    found.set(name, spelt.node);
  }
  return found;
}

interface Spelling {
  readonly node: GraphNode;
  /** The nodes that it takes the place of, beside the last. */
  readonly inner: readonly string[];
}

function speltActivation(model: Model, node: GraphNode): Spelling | null {
  for (const [fn, pattern, alpha] of patterns) {
    const match: Match = { input: null, inner: [] };
    if (!matchNode(model, node, pattern, match) || match.input === null) continue;
    const inputs = [match.input];
    const spelt = { kind: 'activation', fn, ...(alpha === undefined ? {} : { alpha }) } as const;
    return { node: { ...node, inputs, spelt }, inner: match.inner };
  }
  return null;
}

/** relu(x) + c * relu(-x), where c is -alpha; or relu(x) - alpha * relu(-x). */
function speltPrelu(model: Model, node: GraphNode): Spelling | null {
  const isSum = node.op === 'Add' || node.op === 'AddV2';
  if (!isSum && node.op !== 'Sub') return null;
  for (const [first, second] of isSum
    ? [
        [0, 1],
        [1, 0],
      ]
    : [[0, 1]]) {
    const above = onlyFor(model, node.inputs[first!], new Set(['Relu']));
    const below = onlyFor(model, node.inputs[second!], new Set(['Mul']));
    const slopes = below?.inputs.find((ref) => model.constants.has(ref.node));
    const cut = below?.inputs.find((ref) => !model.constants.has(ref.node));
    const relu = onlyFor(model, cut, new Set(['Relu']));
    const negative = onlyFor(model, relu?.inputs[0], new Set(['Neg']));
    const [x, same] = [above?.inputs[0], negative?.inputs[0]];
    if (above === null || below === null || relu === null || negative === null) continue;
    if (slopes === undefined || x === undefined) continue;
    if (x.node !== same?.node || x.output !== same.output) continue;
    return {
      node: { ...node, inputs: [x, slopes], spelt: { kind: 'prelu', isNegated: isSum } },
      inner: [above, below, relu, negative].map(({ name }) => name),
    };
  }
  return null;
}

const convolutions: ReadonlySet<string> = new Set([
  'Conv2D',
  'DepthwiseConv2dNative',
  'FusedDepthwiseConv2dNative',
  '_FusedConv2D',
]);

/** A node that only `reader` reads, of one of the operations. */
function onlyFor(
  model: Model,
  ref: TensorRef | undefined,
  ops: ReadonlySet<string>,
): GraphNode | null {
  const node = ref === undefined ? undefined : model.nodes.get(ref.node);
  if (node === undefined || !ops.has(node.op) || model.readers.get(node.name) !== 1) return null;
  return node;
}

/**
 * TensorFlow's dilated convolution: every d-th row and column is an image of its own in a larger batch. What is cut
 * off the end of the results depends on zeros at the end of the image alone, as strides are 1.
 */
function speltDilation(model: Model, node: GraphNode): Spelling | null {
  if (node.op !== 'BatchToSpaceND') return null;
  const conv = onlyFor(model, node.inputs[0], convolutions);
  const space = onlyFor(model, conv?.inputs[0], new Set(['SpaceToBatchND']));
  if (conv === null || space === null) return null;
  const numbers = (ref: TensorRef | undefined): readonly number[] | null =>
    ref === undefined ? null : [...(model.constants.get(ref.node)?.[ref.output]?.data ?? [])];
  const [block, backBlock] = [numbers(space.inputs[1]), numbers(node.inputs[1])];
  const [pads, crops] = [numbers(space.inputs[2]), numbers(node.inputs[2])];
  const { attrs } = conv;
  const isPlain =
    attrs.text('padding', '') === 'VALID' &&
    attrs.text('data_format', 'NHWC') === 'NHWC' &&
    [...attrs.ints('strides'), ...attrs.ints('dilations')].every((size) => size === 1);
  if (!isPlain || block?.length !== 2 || block.join() !== backBlock?.join()) return null;
  const [top, bottom, left, right] = (pads ?? []).map((pad, i) => pad - (crops?.[i] ?? NaN));
  const padding = [
    [top!, bottom!],
    [left!, right!],
  ] as const;
  if (pads?.length !== 4 || !padding.flat().every((pad) => pad >= 0)) return null;
  const inputs = [space.inputs[0]!, ...conv.inputs.slice(1)];
  const dilations = [block[0]!, block[1]!] as const;
  return {
    node: { ...conv, inputs, spelt: { kind: 'dilated', dilations, padding } },
    inner: [conv.name, space.name],
  };
}

/** Other ways of writing an operation, in the one that patterns use. */
function normalise(
  model: Model,
  node: GraphNode,
): { readonly op: string; readonly operands: readonly Operand[] } {
  const operands = node.inputs.map((ref): Operand => numberAt(model, ref) ?? ref);
  const [, second] = operands;
  if (node.op === 'AddV2' || node.op === 'BiasAdd') return { op: 'Add', operands };
  if (typeof second === 'number') {
    if (node.op === 'RealDiv' || node.op === 'Div')
      return { op: 'Mul', operands: [operands[0]!, 1 / second] };
    if (node.op === 'Sub') return { op: 'Add', operands: [operands[0]!, -second] };
  }
  return { op: node.op, operands };
}

function numberAt({ constants }: Model, ref: TensorRef): number | null {
  const constant = constants.get(ref.node)?.[ref.output];
  return constant === undefined ? null : scalarOf(constant);
}

function matchNode(model: Model, node: GraphNode, pattern: Pattern, match: Match): boolean {
  if (typeof pattern !== 'object') return false;
  const { op, operands } = normalise(model, node);
  const [wanted, ...parts] = pattern as readonly [string, ...Pattern[]];
  if (op !== wanted || operands.length !== parts.length) return false;
  const straight = { ...match, inner: [...match.inner] };
  if (parts.every((part, i) => matchOperand(model, operands[i]!, part, straight))) {
    return accept(match, straight);
  }
  if (op !== 'Add' && op !== 'Mul') return false;
  const swapped = { ...match, inner: [...match.inner] };
  const reversed = [...operands].reverse();
  return (
    parts.every((part, i) => matchOperand(model, reversed[i]!, part, swapped)) &&
    accept(match, swapped)
  );
}

function accept(match: Match, { input, inner }: Match): true {
  match.input = input;
  match.inner.splice(0, match.inner.length, ...inner);
  return true;
}

function matchOperand(model: Model, operand: Operand, pattern: Pattern, match: Match): boolean {
  if (typeof pattern === 'number') {
    return typeof operand === 'number' && Math.abs(operand - pattern) <= 1e-5 * Math.abs(pattern);
  }
  if (typeof operand === 'number') return false;
  if (pattern === 'x') {
    match.input ??= operand;
    return match.input.node === operand.node && match.input.output === operand.output;
  }
  const node = model.nodes.get(operand.node)!;
  if (operand.output !== 0 || model.constants.has(node.name)) return false;
  if (model.readers.get(node.name) !== 1) return false;
  match.inner.push(node.name);
  return matchNode(model, node, pattern, match);
}
