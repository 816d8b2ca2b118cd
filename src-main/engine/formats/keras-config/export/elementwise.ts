// Ops on each value alone, and arithmetic between tensors.

import type { ActivationFn } from '../../../graph/types';
import {
  composite,
  exact,
  layerAxis,
  type Exported,
  type ExportNode,
  type NodeExport,
  type Port,
} from './types';

type ActivationExport = (node: NodeExport<'activation'>) => Exported;

function named(activation: string): ActivationExport {
  return (node) => exact(node.layer('Activation', { activation }, node.inputs));
}

function negated(node: NodeExport<'activation'> | NodeExport<'sub'>, port: Port): Port {
  return node.layer('Rescaling', { scale: -1, offset: 0 }, [port], { suffix: 'negative' });
}

function missing(what: string): ActivationExport {
  return (node) => {
    throw node.unsupported(`it has no layer for a ${what}`);
  };
}

/** x * tanh(softplus(x)) (Misra 2019, "Mish"), of layers that every version of Keras has. */
function mishOfLayers(node: NodeExport<'activation'>): Exported {
  const [x] = node.inputs as [Port];
  const soft = node.layer('Activation', { activation: 'softplus' }, [x], { suffix: 'softplus' });
  const gate = node.layer('Activation', { activation: 'tanh' }, [soft], { suffix: 'tanh' });
  return composite(node.layer('Multiply', {}, [x, gate]));
}

/** 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel 2016, section 2). */
function geluTanhOfLayers(node: NodeExport<'activation'>): Exported {
  const [x] = node.inputs as [Port];
  const scaled = (scale: number, offset: number, port: Port, suffix: string): Port =>
    node.layer('Rescaling', { scale, offset }, [port], { suffix });
  const cube = node.layer('Multiply', {}, [x, x, x], { suffix: 'cube' });
  const inner = node.layer('Add', {}, [x, scaled(0.044715, 0, cube, 'part')], { suffix: 'inner' });
  const line = scaled(Math.sqrt(2 / Math.PI), 0, inner, 'line');
  const curve = node.layer('Activation', { activation: 'tanh' }, [line], { suffix: 'tanh' });
  return composite(node.layer('Multiply', {}, [x, scaled(0.5, 0.5, curve, 'gate')]));
}

const activations: { readonly [F in ActivationFn]: ActivationExport } = {
  linear: named('linear'),
  relu: named('relu'),
  // A layer rather than an activation, because Keras knows only this one.
  relu6: (node) => exact(node.layer('ReLU', { max_value: 6 }, node.inputs)),
  leakyRelu: (node) => {
    const { alpha } = node.node.attrs;
    const layer = node.layer('LeakyReLU', { alpha: alpha ?? 0.2 }, node.inputs);
    return alpha === undefined ? composite(layer) : exact(layer);
  },
  elu: (node) => {
    const { alpha } = node.node.attrs;
    if (alpha !== undefined && alpha !== 1 && node.target === 'tfjs') {
      throw node.unsupported('it runs ELU with a slope of 1 only');
    }
    const layer = node.layer('ELU', { alpha: alpha ?? 1 }, node.inputs);
    // A slope of 1 is read back as one that is not stated.
    return alpha === 1 ? composite(layer) : exact(layer);
  },
  selu: named('selu'),
  sigmoid: named('sigmoid'),
  // The name means clip(0.2 x + 0.5, 0, 1) to TensorFlow.js and Keras 2, and another slope to Keras 3.
  hardSigmoid: (node) => {
    const { alpha } = node.node.attrs;
    if (alpha === undefined && node.target === 'tfjs') return named('hard_sigmoid')(node);
    const line = { scale: 6 * (alpha ?? 0.2), offset: 3 };
    const shifted = node.layer('Rescaling', line, node.inputs, { suffix: 'line' });
    const clipped = node.layer('ReLU', { max_value: 6 }, [shifted], { suffix: 'clip' });
    return composite(node.layer('Rescaling', { scale: 1 / 6, offset: 0 }, [clipped]));
  },
  tanh: named('tanh'),
  softplus: named('softplus'),
  softsign: named('softsign'),
  swish: named('swish'),
  // x * relu6(x + 3) / 6 (Howard et al. 2019, "Searching for MobileNetV3").
  hardSwish: (node) => {
    const [x] = node.inputs as [Port];
    const shifted = node.layer('Rescaling', { scale: 1, offset: 3 }, [x], { suffix: 'shift' });
    const clipped = node.layer('ReLU', { max_value: 6 }, [shifted], { suffix: 'clip' });
    const gate = node.layer('Rescaling', { scale: 1 / 6, offset: 0 }, [clipped], {
      suffix: 'gate',
    });
    return composite(node.layer('Multiply', {}, [x, gate]));
  },
  gelu: named('gelu'),
  geluTanh: geluTanhOfLayers,
  mish: (node) => (node.target === 'tfjs' ? named('mish')(node) : mishOfLayers(node)),
  exp: (node) =>
    node.target === 'tfjs' ? missing('exponential')(node) : named('exponential')(node),
  log: missing('logarithm'),
  sqrt: missing('square root'),
  abs: (node) => {
    const [x] = node.inputs as [Port];
    return composite(node.layer('Maximum', {}, [x, negated(node, x)]));
  },
  neg: (node) => composite(node.layer('Rescaling', { scale: -1, offset: 0 }, node.inputs)),
};

export const activation: ExportNode<'activation'> = (node) => activations[node.node.attrs.fn](node);

export const prelu: ExportNode<'prelu'> = (node) => {
  const alpha = node.weight('alpha')!;
  const rank = node.inputShapes[0]!.length;
  // The layer's slopes have all axes of the input; those of size 1 are stated as shared.
  const shape = [...new Array<number>(rank - alpha.shape.length).fill(1), ...alpha.shape];
  const shared = shape.flatMap((size, axis) =>
    size === 1 && node.inputShapes[0]![axis] !== 1 ? [axis + 1] : [],
  );
  const config = { shared_axes: shared.length > 0 ? shared : null };
  const weights = { alpha: { ...alpha, shape } };
  return exact(node.layer('PReLU', config, node.inputs, { weights }));
};

export const softmax: ExportNode<'softmax'> = (node) => {
  const { axis } = node.node.attrs;
  const isLast = axis === -1 || axis === node.inputShapes[0]!.length - 1;
  if (!isLast && node.target === 'tfjs') {
    throw node.unsupported('it runs softmax over the last axis only');
  }
  return exact(node.layer('Softmax', { axis: layerAxis(axis) }, node.inputs));
};

export const dropout: ExportNode<'dropout'> = (node) =>
  exact(node.layer('Dropout', { rate: node.node.attrs.rate }, node.inputs));

export const rescale: ExportNode<'rescale'> = (node) => {
  const single = (values: readonly number[]): unknown => (values.length === 1 ? values[0] : values);
  const { scale, offset } = node.node.attrs;
  const config = { scale: single(scale), offset: single(offset) };
  return exact(node.layer('Rescaling', config, node.inputs));
};

function merge(className: string): ExportNode<'add' | 'mul' | 'average' | 'max' | 'min'> {
  return (node) => exact(node.layer(className, {}, node.inputs));
}

export const add: ExportNode<'add'> = merge('Add');
export const mul: ExportNode<'mul'> = merge('Multiply');
export const average: ExportNode<'average'> = merge('Average');
export const max: ExportNode<'max'> = merge('Maximum');
export const min: ExportNode<'min'> = merge('Minimum');

/** a - b as a + (-b) for TensorFlow.js, which has no layer for it. */
export const sub: ExportNode<'sub'> = (node) => {
  const [a, b] = node.inputs as [Port, Port];
  if (node.target === 'keras') return exact(node.layer('Subtract', {}, node.inputs));
  return composite(node.layer('Add', {}, [a, negated(node, b)]));
};

export const concat: ExportNode<'concat'> = (node) => {
  const { axis } = node.node.attrs;
  if (node.inputs.length === 1) {
    return composite(node.layer('Activation', { activation: 'linear' }, node.inputs));
  }
  return exact(node.layer('Concatenate', { axis: layerAxis(axis) }, node.inputs));
};
