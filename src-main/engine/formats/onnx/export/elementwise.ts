// What acts on every value alone, and arithmetic between tensors.

import type { ActivationFn, Shape } from '../../../graph/types';
import { alike, groupSize, groupsOf, layoutInOrder, shapeOf, type Group } from '../layout';
import { float } from './program';
import { tensorOf, type ExportNode, type NodeExport, type Tensor } from './types';

/** Builds an activation of operators. */
class Formula {
  constructor(private readonly layer: NodeExport<'activation'>) {}

  /** The last operator, which bears the layer's name. */
  last(op: string, ...inputs: readonly (string | number)[]): string {
    return this.layer.emit(op, this.names(inputs));
  }

  step(suffix: string, op: string, ...inputs: readonly (string | number)[]): string {
    return this.layer.emit(op, this.names(inputs), {}, { suffix });
  }

  with(op: string, x: string, attributes: Readonly<Record<string, number>>): string {
    const floats = Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [key, float(value)]),
    );
    return this.layer.emit(op, [x], floats);
  }

  private names(inputs: readonly (string | number)[]): readonly string[] {
    return inputs.map((input) =>
      typeof input === 'string' ? input : this.layer.program.number(input),
    );
  }
}

type ActivationFormula = (f: Formula, x: string, alpha: number | undefined) => string;

const plain =
  (op: string): ActivationFormula =>
  (f, x) =>
    f.last(op, x);

const formulas: { readonly [F in ActivationFn]: ActivationFormula } = {
  linear: plain('Identity'),
  relu: plain('Relu'),
  relu6: (f, x) => f.last('Clip', x, 0, 6),
  leakyRelu: (f, x, alpha = 0.2) => f.with('LeakyRelu', x, { alpha }),
  elu: (f, x, alpha = 1) => f.with('Elu', x, { alpha }),
  selu: plain('Selu'),
  sigmoid: plain('Sigmoid'),
  hardSigmoid: (f, x, alpha = 0.2) => f.with('HardSigmoid', x, { alpha, beta: 0.5 }),
  tanh: plain('Tanh'),
  softplus: plain('Softplus'),
  softsign: plain('Softsign'),
  swish: (f, x) => f.last('Mul', x, f.step('Sigmoid', 'Sigmoid', x)),
  hardSwish: plain('HardSwish'),
  // The operators Gelu and Mish are younger than set 17: their formulas, as exporters write them.
  gelu: (f, x) => {
    const erf = f.step('Erf', 'Erf', f.step('Div', 'Div', x, Math.SQRT2));
    const product = f.step('Mul', 'Mul', x, f.step('Add', 'Add', erf, 1));
    return f.last('Mul', product, 0.5);
  },
  geluTanh: (f, x) => {
    const cubic = f.step('cubic', 'Mul', f.step('Pow', 'Pow', x, 3), 0.044715);
    const inner = f.step('inner', 'Mul', f.step('sum', 'Add', x, cubic), Math.sqrt(2 / Math.PI));
    const factor = f.step('Add', 'Add', f.step('Tanh', 'Tanh', inner), 1);
    return f.last('Mul', f.step('Mul', 'Mul', x, factor), 0.5);
  },
  mish: (f, x) => f.last('Mul', x, f.step('Tanh', 'Tanh', f.step('Softplus', 'Softplus', x))),
  exp: plain('Exp'),
  log: plain('Log'),
  sqrt: plain('Sqrt'),
  abs: plain('Abs'),
  neg: plain('Neg'),
};

/** The name of an input as it lies: what acts on every value alone does not care. */
function asItLies<K extends 'activation' | 'dropout'>(layer: NodeExport<K>): Tensor {
  const [input] = layer.inputs as readonly [Tensor];
  if (input.constant === null) return input;
  const { name, logical, order } = layer.aligned(input);
  return tensorOf(name, layoutInOrder(logical, order));
}

export const activation: ExportNode<'activation'> = (layer) => {
  const input = asItLies(layer);
  const { fn, alpha } = layer.node.attrs;
  return [tensorOf(formulas[fn](new Formula(layer), input.name, alpha), input.layout)];
};

export const dropout: ExportNode<'dropout'> = (layer) => {
  const input = asItLies(layer);
  const ratio = layer.program.number(layer.node.attrs.rate);
  return [tensorOf(layer.emit('Dropout', [input.name, ratio]), input.layout)];
};

/** Numbers of the graph's last axes as a stored tensor that broadcasts against an aligned one. */
function operand(
  layer: NodeExport<'prelu'> | NodeExport<'rescale'>,
  key: string,
  shape: Shape,
  order: readonly number[],
  data: Float32Array,
): string {
  const all = [...new Array<number>(Math.max(0, order.length - shape.length)).fill(1), ...shape];
  const placed = order.map((axis) => all[axis]!);
  const strides = all.map((_, axis) => all.slice(axis + 1).reduce((a, b) => a * b, 1));
  return layer.program.floats(`${key} ${placed.join('x')}`, placed, () => {
    const result = new Float32Array(data.length);
    const index = placed.map(() => 0);
    for (let i = 0; i < result.length; i++) {
      result[i] = data[index.reduce((sum, at, place) => sum + at * strides[order[place]!]!, 0)]!;
      for (let place = index.length - 1; place >= 0; place--) {
        if (++index[place]! < placed[place]!) break;
        index[place] = 0;
      }
    }
    return result;
  });
}

export const prelu: ExportNode<'prelu'> = (layer) => {
  const { name, logical, order } = layer.aligned(layer.inputs[0]!);
  const alpha = layer.weight('alpha')!;
  const slopes = operand(
    layer,
    layer.node.weights.alpha!,
    alpha.shape,
    order,
    alpha.data as Float32Array,
  );
  return [tensorOf(layer.emit('PRelu', [name, slopes]), layoutInOrder(logical, order))];
};

export const rescale: ExportNode<'rescale'> = (layer) => {
  const { scale, offset } = layer.node.attrs;
  const { name, logical, order } = layer.aligned(layer.inputs[0]!);
  const numbers = (what: string, values: readonly number[]): string =>
    operand(layer, `${layer.node.name}/${what}`, [values.length], order, Float32Array.from(values));
  const shifts = offset.some((value) => value !== 0);
  const scales = scale.some((value) => value !== 1) || !shifts;
  let output = name;
  if (scales)
    output = layer.emit(
      'Mul',
      [output, numbers('scale', scale)],
      {},
      shifts ? { suffix: 'Mul' } : {},
    );
  if (shifts) output = layer.emit('Add', [output, numbers('offset', offset)]);
  return [tensorOf(output, layoutInOrder(logical, order))];
};

type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'average';

interface Operands {
  readonly names: readonly string[];
  readonly layout: Tensor['layout'];
}

/** All operands in one order of axes; the graph aligns them at the last axis, ONNX too, but with the channels first. */
function operandsOf<K extends Arithmetic>(layer: NodeExport<K>): Operands {
  const { inputs } = layer;
  const [first] = inputs as readonly [Tensor];
  const output = layer.outputShapes[0]!;
  const sameShape = layer.inputShapes.every((shape) => shape.join() === output.join());
  const asTheyLie = inputs.every(
    ({ layout, constant }) => constant === null && alike(layout, first.layout),
  );
  if (sameShape && asTheyLie)
    return { names: inputs.map(({ name }) => name), layout: first.layout };
  const largest = inputs.reduce((a, b) =>
    rankOf(b) > rankOf(a) || (rankOf(b) === rankOf(a) && sizeOfTensor(b) > sizeOfTensor(a)) ? b : a,
  );
  const { order } = layer.aligned(largest);
  const rank = order.length;
  const padded = inputs.map(({ layout }) => [
    ...new Array<Group>(rank - layout.logical.length).fill([]),
    ...layout.logical,
  ]);
  const names = inputs.map((input, i) =>
    layer.arranged(
      input,
      order.map((axis) => padded[i]![axis]!),
    ),
  );
  const logical = output.map(
    (size, axis) =>
      padded.map((groups) => groups[axis]!).find((group) => groupSize(group) === size) ??
      groupsOf([size])[0]!,
  );
  return { names, layout: layoutInOrder(logical, order) };
}

function rankOf({ layout }: Tensor): number {
  return layout.logical.length;
}

function sizeOfTensor({ layout }: Tensor): number {
  return shapeOf(layout.logical).reduce((a, b) => a * b, 1);
}

/** Pairwise from left to right, or all at once where there is an operator for it. */
function arithmetic<K extends Arithmetic>(pair: string, many: string | null): ExportNode<K> {
  return (layer) => {
    const { names, layout } = operandsOf(layer);
    if (many !== null && (names.length > 2 || pair === many)) {
      return [tensorOf(layer.emit(many, names), layout)];
    }
    const [first, ...rest] = names as [string, ...string[]];
    let result = first;
    rest.forEach((name, i) => {
      const options = i === rest.length - 1 ? {} : { suffix: `${pair}${i + 1}` };
      result = layer.emit(pair, [result, name], {}, options);
    });
    return [tensorOf(result, layout)];
  };
}

export const add: ExportNode<'add'> = arithmetic('Add', 'Sum');
export const sub: ExportNode<'sub'> = arithmetic('Sub', null);
export const mul: ExportNode<'mul'> = arithmetic('Mul', null);
export const div: ExportNode<'div'> = arithmetic('Div', null);
export const max: ExportNode<'max'> = arithmetic('Max', 'Max');
export const min: ExportNode<'min'> = arithmetic('Min', 'Min');
export const average: ExportNode<'average'> = arithmetic('Mean', 'Mean');
