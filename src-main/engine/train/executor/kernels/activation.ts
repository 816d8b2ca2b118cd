// Kernels of activations, and of what else acts on every value alone.

import type { ActivationFn } from '../../../graph/types';
import type { Tensor, TensorFlow } from '../../../runtime/primitives';
import type { KernelsOf } from '../types';

type Formula = (tf: TensorFlow, x: Tensor, alpha: number | undefined) => Tensor;

const defaultLeak = 0.2;

const formulas: { readonly [F in ActivationFn]: Formula } = {
  linear: (tf, x) => tf.clone(x),
  relu: (tf, x) => tf.relu(x),
  relu6: (tf, x) => tf.relu6(x),
  leakyRelu: (tf, x, alpha = defaultLeak) => tf.leakyRelu(x, alpha),
  elu: (tf, x, alpha = 1) =>
    alpha === 1 ? tf.elu(x) : tf.add(tf.relu(x), tf.mul(tf.elu(tf.minimum(x, 0)), alpha)),
  selu: (tf, x) => tf.selu(x),
  sigmoid: (tf, x) => tf.sigmoid(x),
  hardSigmoid: (tf, x, alpha = 0.2) => tf.clipByValue(tf.add(tf.mul(x, alpha), 0.5), 0, 1),
  tanh: (tf, x) => tf.tanh(x),
  softplus: (tf, x) => tf.softplus(x),
  softsign: (tf, x) => tf.div(x, tf.add(tf.abs(x), 1)),
  swish: (tf, x) => tf.mul(x, tf.sigmoid(x)),
  hardSwish: (tf, x) => tf.mul(x, tf.div(tf.relu6(tf.add(x, 3)), 6)),
  gelu: (tf, x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1)),
  // Hendrycks and Gimpel 2016, "Gaussian Error Linear Units", section 2.
  geluTanh: (tf, x) => {
    const cubic = tf.mul(tf.mul(x, tf.square(x)), 0.044715);
    const inner = tf.mul(tf.add(x, cubic), Math.sqrt(2 / Math.PI));
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
  },
  mish: (tf, x) => tf.mul(x, tf.tanh(tf.softplus(x))),
  exp: (tf, x) => tf.exp(x),
  log: (tf, x) => tf.log(x),
  sqrt: (tf, x) => tf.sqrt(x),
  abs: (tf, x) => tf.abs(x),
  neg: (tf, x) => tf.neg(x),
};

export const activationKernels: KernelsOf<'activation' | 'prelu' | 'softmax' | 'dropout'> = {
  activation: {
    forward: ({ attrs }, [x], { tf }) => formulas[attrs.fn](tf, x!, attrs.alpha),
    keeps: ({ attrs }) => (attrs.fn === 'relu' || attrs.fn === 'relu6' ? 'outputs' : 'inputs'),
    backward({ attrs }, { inputs, outputs, dy }, { tf, primitives }) {
      const [x, y] = [inputs[0]!, outputs[0]!];
      switch (attrs.fn) {
        case 'relu':
          return { inputs: [primitives.reluGradient(dy, y)] };
        case 'relu6':
          return { inputs: [primitives.relu6Gradient(dy, y)] };
        case 'leakyRelu':
          return { inputs: [primitives.leakyReluGradient(dy, x, attrs.alpha ?? defaultLeak)] };
        default:
          return { inputs: [tf.grad((v) => formulas[attrs.fn](tf, v, attrs.alpha))(x, dy)] };
      }
    },
  },

  prelu: {
    forward: (_node, [x], { tf, weight }) => tf.prelu(x!, weight('alpha')!),
  },

  softmax: {
    forward({ attrs }, [x], { tf }) {
      const last = x!.rank - 1;
      const axis = attrs.axis < 0 ? last + 1 + attrs.axis : attrs.axis + 1;
      if (axis === last) return tf.softmax(x!);
      const perm = x!.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
      return tf.transpose(tf.softmax(tf.transpose(x!, perm)), perm);
    },
  },

  dropout: {
    forward({ attrs }, [x], context) {
      const { tf, dropout: rng } = context;
      if (rng === null || attrs.rate === 0) return tf.clone(x!);
      const keep = 1 / (1 - attrs.rate);
      const mask = Float32Array.from({ length: x!.size }, () =>
        rng.uniform() < attrs.rate ? 0 : keep,
      );
      const factors = tf.tensor(mask, x!.shape);
      context.save(factors);
      return tf.mul(x!, factors);
    },
    backward(_node, { dy, saved }, { tf }) {
      const [factors] = saved;
      return { inputs: [factors === undefined ? tf.clone(dy) : tf.mul(dy, factors)] };
    },
  },
};
