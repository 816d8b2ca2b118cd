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
    throw node.unsupported(`TensorFlow.js Layers has no ${what}`);
  };
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
    const { alpha = 1 } = node.node.attrs;
    if (alpha !== 1) throw node.unsupported('TensorFlow.js runs ELU with a slope of 1 only');
    const layer = node.layer('ELU', { alpha: 1 }, node.inputs);
    return node.node.attrs.alpha === undefined ? exact(layer) : composite(layer);
  },
  selu: named('selu'),
  sigmoid: named('sigmoid'),
  // The layer has the slope of Keras 2; another one is a clipped line.
  hardSigmoid: (node) => {
    const { alpha } = node.node.attrs;
    if (alpha === undefined) return named('hard_sigmoid')(node);
    const line = { scale: 6 * alpha, offset: 3 };
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
  geluTanh: missing('tanh form of GELU'),
  mish: named('mish'),
  exp: missing('exponential'),
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
  if (axis !== -1 && axis !== node.inputShapes[0]!.length - 1) {
    throw node.unsupported('TensorFlow.js runs softmax over the last axis only');
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

/** a - b as a + (-b): Keras has a layer for it, TensorFlow.js has not. */
export const sub: ExportNode<'sub'> = (node) => {
  const [a, b] = node.inputs as [Port, Port];
  return composite(node.layer('Add', {}, [a, negated(node, b)]));
};

export const concat: ExportNode<'concat'> = (node) => {
  const { axis } = node.node.attrs;
  if (node.inputs.length === 1) {
    return composite(node.layer('Activation', { activation: 'linear' }, node.inputs));
  }
  return exact(node.layer('Concatenate', { axis: layerAxis(axis) }, node.inputs));
};
