// What acts on every value alone. Layouts pass through untouched.

import type { ActivationFn, TensorId, Weight } from '../../../graph/types';
import { float32Weight } from '../../../graph/initialise';
import { layoutInOrder } from '../layout';
import { sampleShapeOf, storeConstant } from './stored-operand';
import {
  activationValue,
  type Activation,
  type ImportNode,
  type NodeCall,
  type Value,
  type WeightSource,
} from './types';
import { dataTypes } from '../proto/schema';

function passed(activation: Activation, tensor: TensorId): Value {
  return activationValue(tensor, activation.layout);
}

/** Adds an activation function to the layer's input. */
function apply(fn: ActivationFn, alpha?: (call: NodeCall) => number | undefined): ImportNode {
  return (call) => {
    const activation = call.activation(0);
    const slope = alpha?.(call);
    const attrs = slope === undefined ? { fn } : { fn, alpha: slope };
    return [passed(activation, call.add('activation', [activation.tensor], attrs))];
  };
}

export const relu: ImportNode = apply('relu');
export const leakyRelu: ImportNode = apply('leakyRelu', (call) =>
  call.node.attributes.float('alpha', 0.01),
);
export const elu: ImportNode = apply('elu', (call) => {
  const alpha = call.node.attributes.float('alpha', 1);
  return alpha === 1 ? undefined : alpha;
});
export const sigmoid: ImportNode = apply('sigmoid');
export const tanh: ImportNode = apply('tanh');
export const softplus: ImportNode = apply('softplus');
export const softsign: ImportNode = apply('softsign');
export const hardSwish: ImportNode = apply('hardSwish');
export const mish: ImportNode = apply('mish');
export const exp: ImportNode = apply('exp');
export const log: ImportNode = apply('log');
export const sqrt: ImportNode = apply('sqrt');
export const abs: ImportNode = apply('abs');
export const neg: ImportNode = apply('neg');
export const geluTanh: ImportNode = apply('geluTanh');

/** Constants of Klambauer et al. 2017, which the operator states anew. */
export const selu: ImportNode = (call) => {
  const { attributes } = call.node;
  const standard =
    Math.abs(attributes.float('alpha', 1.67326) - 1.67326) < 1e-4 &&
    Math.abs(attributes.float('gamma', 1.0507) - 1.0507) < 1e-4;
  if (!standard) throw call.unsupported('its constants are not those of SELU');
  return apply('selu')(call);
};

export const swish: ImportNode = (call) => {
  if (call.node.attributes.float('alpha', 1) !== 1) {
    throw call.unsupported('only a slope of 1 can be run');
  }
  return apply('swish')(call);
};

export const gelu: ImportNode = (call) => {
  const approximate = call.node.attributes.text('approximate', 'none');
  return apply(approximate === 'tanh' ? 'geluTanh' : 'gelu')(call);
};

/** clip(alpha * x + beta, 0, 1) */
export const hardSigmoid: ImportNode = (call) => {
  const alpha = call.node.attributes.float('alpha', 0.2);
  const beta = call.node.attributes.float('beta', 0.5);
  const activation = call.activation(0);
  if (beta === 0.5) {
    // float32 of 1/6 and 1/5, as files hold them, are meant as these.
    const exact =
      [1 / 6, 1 / 5].find((value) => Math.fround(value) === Math.fround(alpha)) ?? alpha;
    const attrs = { fn: 'hardSigmoid', ...(exact === 0.2 ? {} : { alpha: exact }) } as const;
    return [passed(activation, call.add('activation', [activation.tensor], attrs))];
  }
  const line = call.add(
    'rescale',
    [activation.tensor],
    { scale: [6 * alpha], offset: [6 * beta] },
    { suffix: 'line' },
  );
  const clipped = call.add('activation', [line], { fn: 'relu6' }, { suffix: 'clip' });
  return [passed(activation, call.add('rescale', [clipped], { scale: [1 / 6], offset: [0] }))];
};

/** alpha * (exp(x / alpha) - 1) below zero: an ELU of another scale. */
export const celu: ImportNode = (call) => {
  const alpha = call.node.attributes.float('alpha', 1);
  const activation = call.activation(0);
  if (alpha === 0) throw call.corrupt('"alpha" is 0');
  const scaled = (x: TensorId, scale: number, suffix: string): TensorId =>
    alpha === 1 ? x : call.add('rescale', [x], { scale: [scale], offset: [0] }, { suffix });
  const inner = scaled(activation.tensor, 1 / alpha, 'shrink');
  const curved = call.add('activation', [inner], { fn: 'elu' });
  return [passed(activation, scaled(curved, alpha, 'grow'))];
};

/** A single number that broadcasts against everything. */
export function scalarWeight(value: number): Weight {
  return { shape: [1], dtype: 'float32', data: Float32Array.of(value) };
}

/** Limits, as attributes up to set 10 and as inputs from set 11 on; infinite where there is none. */
export const clip: ImportNode = (call) => {
  const { attributes } = call.node;
  const limit = (name: 'min' | 'max', place: number, none: number): number => {
    if (attributes.has(name)) return attributes.float(name);
    const given = call.optional(place);
    return given === null ? none : (given.numbers()[0] ?? none);
  };
  // The largest float32 stands for no limit in files that must state one.
  const open = 3.4e38;
  const low = limit('min', 1, -Infinity);
  const high = limit('max', 2, Infinity);
  if (Number.isNaN(low) || Number.isNaN(high)) throw call.corrupt('a limit is not a number');
  const activation = call.activation(0);
  let { tensor } = activation;
  if (low === 0 && (high === 6 || high >= open)) {
    const fn = high === 6 ? 'relu6' : 'relu';
    return [passed(activation, call.add('activation', [tensor], { fn }))];
  }
  const bounded = (op: 'max' | 'min', value: number): void => {
    const bound = call.add(
      'constant',
      [],
      {},
      {
        suffix: `${op}_value`,
        weights: { value: scalarWeight(value) },
      },
    );
    tensor = call.add(op, [tensor, bound], {}, { suffix: op });
  };
  if (low === 0) tensor = call.add('activation', [tensor], { fn: 'relu' });
  else if (low > -open) bounded('max', low);
  if (high < open) bounded('min', high);
  return [passed(activation, tensor)];
};

/** Slopes broadcast against the input; most often there is one a channel. */
export const prelu: ImportNode = (call) => {
  const slope = call.constant(1);
  const activation = call.activation(0);
  const { tensor, logical, order } = call.aligned(activation);
  const layout = layoutInOrder(logical, order);
  const alpha: WeightSource = {
    constant: slope,
    variant: order.join(),
    make() {
      const given = sampleShapeOf(call, slope, logical.length);
      const { shape, data } = storeConstant(call, slope, given, layout);
      // Axes of 1 in front say nothing when shapes broadcast.
      const first = shape.findIndex((size) => size !== 1);
      return float32Weight(first < 0 ? [1] : shape.slice(first), data);
    },
  };
  const weights = call.weights({ alpha });
  return [activationValue(call.add('prelu', [tensor], {}, { weights }), layout)];
};

export const dropout: ImportNode = (call) => {
  const activation = call.activation(0);
  const { attributes } = call.node;
  const given = attributes.has('ratio') ? null : call.optional(1);
  const rate = given === null ? attributes.float('ratio', 0.5) : (given.numbers()[0] ?? 0.5);
  if (!(rate >= 0 && rate < 1)) throw call.corrupt(`it drops ${rate} of its input`);
  if (call.node.outputs.length > 1 && call.node.outputs[1] !== '') {
    throw call.unsupported('it also gives the mask');
  }
  return [passed(activation, call.add('dropout', [activation.tensor], { rate }))];
};

/** Between kinds of floating-point numbers, which here are all one. */
export const cast: ImportNode = (call) => {
  const floats: readonly number[] = [
    dataTypes.FLOAT,
    dataTypes.FLOAT16,
    dataTypes.DOUBLE,
    dataTypes.BFLOAT16,
  ];
  if (call.node.op === 'Cast' && !floats.includes(call.node.attributes.int('to'))) {
    throw call.unsupported('it makes whole numbers of what the network computes');
  }
  return [call.value(0)];
};

/** x^p for the exponents that networks use. */
export const pow: ImportNode = (call) => {
  const activation = call.activation(0);
  const exponents = call.constant(1).numbers();
  const exponent = exponents[0];
  const { tensor } = activation;
  if (exponents.length !== 1 || exponent === undefined) {
    throw call.unsupported('it has an exponent for each value');
  }
  switch (exponent) {
    case 1:
      return [{ kind: 'activation', activation }];
    case 2:
      return [passed(activation, call.add('mul', [tensor, tensor], {}))];
    case 3:
      return [passed(activation, call.add('mul', [tensor, tensor, tensor], {}))];
    case 0.5:
      return [passed(activation, call.add('activation', [tensor], { fn: 'sqrt' }))];
    case -1:
      return [passed(activation, inverse(call, tensor))];
    default:
      throw call.unsupported(`powers of ${exponent} cannot be run`);
  }
};

function inverse(call: NodeCall, tensor: TensorId): TensorId {
  const one = call.add('constant', [], {}, { suffix: 'one', weights: { value: scalarWeight(1) } });
  return call.add('div', [one, tensor], {});
}

export const reciprocal: ImportNode = (call) => {
  const activation = call.activation(0);
  return [passed(activation, inverse(call, activation.tensor))];
};
