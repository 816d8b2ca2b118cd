// The patterns that exporters are known to write.

import { sizeOf } from '../../graph/ops/check';
import type { GraphView, Match, Pattern } from './fuse';
import type { OnnxNode } from './model';

type Pair = readonly [string, string];

/** The two operands in both orders. */
function operands(node: OnnxNode | null): readonly Pair[] {
  const [a, b] = node?.inputs ?? [];
  if (a === undefined || b === undefined || node?.inputs.length !== 2) return [];
  return [
    [a, b],
    [b, a],
  ];
}

/** The first match of several attempts. */
function firstOf(attempts: Iterable<Match | null>): Match | null {
  for (const match of attempts) if (match !== null) return match;
  return null;
}

/** Whether a node is Clip from `min` to `max`, stated as attributes or as inputs. */
function clips(node: OnnxNode, graph: GraphView, min: number, max: number): boolean {
  const bound = (name: 'min' | 'max', place: number): number | null =>
    node.attributes.has(name) ? node.attributes.float(name) : graph.scalar(node.inputs[place]);
  return bound('min', 1) === min && bound('max', 2) === max;
}

interface Found {
  readonly input: string;
  readonly covers: readonly OnnxNode[];
}

/** clip(x + 3, 0, 6). */
function clippedShift(tensor: string | undefined, graph: GraphView): Found | null {
  const clip = graph.made(tensor, 'Clip');
  if (clip === null || !clips(clip, graph, 0, 6)) return null;
  const add = graph.made(clip.inputs[0], 'Add');
  const input = graph.beside(add, 3);
  return add === null || input === null ? null : { input, covers: [clip, add] };
}

/** The tensor that a node divides by 6. */
function sixfold(node: OnnxNode, graph: GraphView): string | null {
  if (node.op === 'Div') return graph.beside(node, 6, true);
  return node.op === 'Mul' ? graph.beside(node, 1 / 6) : null;
}

/** clip(x + 3, 0, 6) / 6 */
const hardSigmoid: Pattern = (root, graph) => {
  const shifted = clippedShift(sixfold(root, graph) ?? undefined, graph);
  if (shifted === null) return null;
  const { input, covers } = shifted;
  return { op: 'HardSigmoid', inputs: [input], attributes: { alpha: 1 / 6, beta: 0.5 }, covers };
};

/** x * clip(x + 3, 0, 6) / 6 */
const scaledHardSwish: Pattern = (root, graph) => {
  const mul = graph.made(sixfold(root, graph) ?? undefined, 'Mul');
  return firstOf(
    operands(mul).map(([x, gate]) => {
      const shifted = clippedShift(gate, graph);
      if (shifted?.input !== x) return null;
      return { op: 'HardSwish', inputs: [x], covers: [mul!, ...shifted.covers] };
    }),
  );
};

/** x * gate(x) */
const gated: Pattern = (root, graph) => {
  if (root.op !== 'Mul') return null;
  return firstOf(
    operands(root).flatMap(([x, gate]) => {
      const of = (op: string, node: OnnxNode | null, ...more: readonly OnnxNode[]): Match | null =>
        node !== null && (more.at(-1) ?? node).inputs[0] === x
          ? { op, inputs: [x], covers: [node, ...more] }
          : null;
      const hard = graph.made(gate, 'HardSigmoid');
      const isHardSwish =
        hard !== null &&
        Math.abs(hard.attributes.float('alpha', 0.2) - 1 / 6) < 1e-4 &&
        hard.attributes.float('beta', 0.5) === 0.5;
      const tanh = graph.made(gate, 'Tanh');
      const softplus = graph.made(tanh?.inputs[0], 'Softplus');
      return [
        of('Swish', graph.made(gate, 'Sigmoid')),
        isHardSwish ? of('HardSwish', hard) : null,
        softplus === null ? null : of('Mish', tanh, softplus),
      ];
    }),
  );
};

/** A number times two others, in any order: offers both others to `visit` in both orders. */
function threeFactors(
  root: OnnxNode,
  graph: GraphView,
  number: number,
  visit: (pair: Pair, inner: OnnxNode) => Match | null,
): Match | null {
  if (root.op !== 'Mul') return null;
  const outer = graph.beside(root, number);
  const product = outer === null ? null : graph.made(outer, 'Mul');
  return firstOf([
    ...operands(product).map((pair) => visit(pair, product!)),
    ...operands(root).flatMap(([scaled, other]) => {
      const inner = graph.made(scaled, 'Mul');
      const factor = graph.beside(inner, number);
      if (factor === null) return [];
      return [visit([factor, other], inner!), visit([other, factor], inner!)];
    }),
  ]);
}

/** x * 0.5 * (1 + erf(x / sqrt 2)) */
const gelu: Pattern = (root, graph) =>
  threeFactors(root, graph, 0.5, ([x, factor], inner) => {
    const add = graph.made(factor, 'Add');
    const erf = graph.made(graph.beside(add, 1) ?? undefined, 'Erf');
    if (add === null || erf === null) return null;
    const scaled = graph.made(erf.inputs[0], 'Div') ?? graph.made(erf.inputs[0], 'Mul');
    if (scaled === null) return null;
    const argument =
      scaled.op === 'Div'
        ? graph.beside(scaled, Math.SQRT2, true)
        : graph.beside(scaled, Math.SQRT1_2);
    return argument === x ? { op: 'Gelu', inputs: [x], covers: [inner, add, erf, scaled] } : null;
  });

/** x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) */
const geluTanh: Pattern = (root, graph) =>
  threeFactors(root, graph, 0.5, ([x, factor], inner) => {
    const add = graph.made(factor, 'Add');
    const tanh = graph.made(graph.beside(add, 1) ?? undefined, 'Tanh');
    const scaled = graph.made(tanh?.inputs[0], 'Mul');
    const sum = graph.made(graph.beside(scaled, Math.sqrt(2 / Math.PI)) ?? undefined, 'Add');
    if (!add || !tanh || !scaled || !sum) return null;
    return firstOf(
      operands(sum).map(([own, cubic]) => {
        const product = graph.made(cubic, 'Mul');
        const power = graph.made(graph.beside(product, 0.044715) ?? undefined, 'Pow');
        if (own !== x || !product || !power || graph.beside(power, 3, true) !== x) return null;
        const covers = [inner, add, tanh, scaled, sum, product, power];
        return { op: 'GeluTanh', inputs: [x], covers };
      }),
    );
  });

/** (x - mean) / sqrt(mean of squares + epsilon) over the last axis */
const layerNorm: Pattern = (root, graph) => {
  if (root.op !== 'Div') return null;
  const sqrt = graph.made(root.inputs[1], 'Sqrt');
  const add = graph.made(sqrt?.inputs[0], 'Add');
  const centred = graph.made(root.inputs[0], 'Sub');
  if (!sqrt || !add || !centred) return null;
  const mean = graph.made(centred.inputs[1], 'ReduceMean');
  const x = centred.inputs[0]!;
  return firstOf(
    operands(add).map(([squares, epsilonName]) => {
      const epsilon = graph.scalar(epsilonName);
      const variance = graph.made(squares, 'ReduceMean');
      const power = graph.made(variance?.inputs[0], 'Pow');
      const fits =
        epsilon !== null &&
        mean?.inputs[0] === x &&
        isOverLastAxis(mean, graph) &&
        variance !== null &&
        isOverLastAxis(variance, graph) &&
        graph.beside(power, 2, true) === centred.outputs[0];
      if (!fits) return null;
      const covers = [sqrt, add, centred, mean, variance, power!];
      return { op: 'LayerNormalization', inputs: [x], attributes: { epsilon }, covers };
    }),
  );
};

/** Scale and shift behind a layer norm that has none yet. */
const layerNormAffine: Pattern = (root, graph) => {
  if (root.op !== 'Add') return null;
  const isVector = (tensor: string): boolean => graph.constants.get(tensor)?.shape.length === 1;
  return firstOf(
    operands(root).flatMap(([product, beta]) => {
      const mul = graph.made(product, 'Mul');
      return operands(mul).map(([normal, gamma]) => {
        const norm = graph.made(normal, 'LayerNormalization');
        if (norm?.inputs.length !== 1 || !isVector(beta) || !isVector(gamma)) return null;
        return { op: norm.op, inputs: [norm.inputs[0]!, gamma, beta], covers: [norm, mul!] };
      });
    }),
  );
};

function isOverLastAxis(node: OnnxNode, graph: GraphView): boolean {
  const { attributes } = node;
  const axes = attributes.has('axes') ? attributes.ints('axes') : null;
  const axis = axes?.length === 1 ? axes[0] : graph.scalar(node.inputs[1]);
  return axis === -1 && attributes.flag('keepdims', true);
}

/** A convolution or matrix product without bias, and one number a filter added to it. */
const bias: Pattern = (root, graph) => {
  if (root.op !== 'Add') return null;
  return firstOf(
    operands(root).flatMap(([product, added]) =>
      (['MatMul', 'Conv', 'ConvTranspose'] as const).map((op) => {
        const layer = graph.made(product, op);
        const kernel = graph.constants.get(layer?.inputs[1] ?? '');
        const vector = graph.constants.get(added);
        if (!layer || !kernel || !vector || (layer.inputs[2] ?? '') !== '') return null;
        const group = layer.attributes.int('group', 1);
        const filters =
          op === 'MatMul'
            ? kernel.shape.at(-1)!
            : op === 'Conv'
              ? kernel.shape[0]!
              : kernel.shape[1]! * group;
        const trailing = op === 'MatMul' ? [] : new Array<number>(kernel.shape.length - 2).fill(1);
        const rank = 1 + trailing.length;
        const shape = [...new Array<number>(8).fill(1), ...vector.shape];
        const fits =
          vector.kind === 'float' &&
          sizeOf(vector.shape) === filters &&
          vector.shape.length <= kernel.shape.length &&
          shape.slice(-rank).join() === [filters, ...trailing].join();
        if (!fits) return null;
        const name = graph.keep(
          `${added} of ${layer.outputs[0]!}`,
          vector.numbers() as Float32Array,
        );
        return { op, inputs: [...layer.inputs.slice(0, 2), name], covers: [layer] };
      }),
    ),
  );
};

/** All values in one row, picked in order: a reshape, as the newer exporter of PyTorch writes `as_strided`. */
const reshapeByIndex: Pattern = (root, graph) => {
  if (root.op !== 'Gather' || root.attributes.int('axis', 0) !== 0) return null;
  const flat = graph.made(root.inputs[0], 'Reshape');
  const indices = graph.constants.get(root.inputs[1] ?? '');
  if (!flat || !indices || graph.scalar(flat.inputs[1]) !== -1) return null;
  if (!indices.numbers().every((index, i) => index === i)) return null;
  const shape = graph.keepInts(`${root.outputs[0]!} shape`, indices.shape);
  return { op: 'Reshape', inputs: [flat.inputs[0]!, shape], covers: [flat] };
};

/** Smaller ones first: larger ones are made of them. */
export const patterns: readonly Pattern[] = [
  bias,
  reshapeByIndex,
  scaledHardSwish,
  hardSigmoid,
  gated,
  gelu,
  geluTanh,
  layerNorm,
  layerNormAffine,
];
