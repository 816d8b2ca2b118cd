// Normalisations and rescaling.

import type { Config } from '../config';
import { corrupt, notFinite } from '../errors';
import { sampleAxis } from './activation';
import type { ImportLayer, LayerCall, Variable, WeightedLayer, WeightNames } from './types';

function scaleAndCentre(config: Config): WeightNames {
  return {
    ...(config.flag('scale', true) ? { gamma: 'gamma' } : {}),
    ...(config.flag('center', true) ? { beta: 'beta' } : {}),
  };
}

function trained(config: Config): readonly Variable[] {
  return Object.values(scaleAndCentre(config)).map((name) => ({ name, trainable: true }));
}

const statistics: readonly Variable[] = ['moving_mean', 'moving_variance'].map((name) => ({
  name,
  trainable: false,
}));

/** The only axis of a normalisation, as an axis of the sample. */
function requireLastAxis(call: LayerCall): void {
  const axes = call.config.has('axis') ? call.config.numbers('axis') : [-1];
  const rank = call.builder.shapeOf(call.input).length;
  if (axes.length === 1 && (axes[0] === -1 || axes[0] === rank)) return;
  throw call.unsupported('it does not normalise the last axis, where the channels are');
}

export const batchNorm: WeightedLayer = {
  variables: (config) => [...trained(config), ...statistics],
  add(call) {
    const { builder, config, name, input } = call;
    requireLastAxis(call);
    if (config.flag('renorm', false)) throw call.unsupported('it renormalises batches');
    const weights = call.weights({
      ...scaleAndCentre(config),
      mean: 'moving_mean',
      variance: 'moving_variance',
    });
    const attrs = {
      epsilon: config.number('epsilon', 1e-3),
      momentum: config.number('momentum', 0.99),
    };
    return builder.apply('batchNorm', [input], attrs, { name, weights });
  },
};

export const layerNorm: WeightedLayer = {
  variables: trained,
  add(call) {
    const { builder, config, name, input } = call;
    const axes = config.has('axis') ? config.numbers('axis') : [-1];
    if (config.flag('rms_scaling', false))
      throw call.unsupported('it scales by the root mean square');
    const attrs = { epsilon: config.number('epsilon', 1e-3), axes: axes.map(sampleAxis) };
    const weights = call.weights(scaleAndCentre(config));
    return builder.apply('layerNorm', [input], attrs, { name, weights });
  },
};

export const groupNorm: WeightedLayer = {
  variables: trained,
  add(call) {
    const { builder, config, name, input } = call;
    requireLastAxis(call);
    const channels = builder.shapeOf(input).at(-1) ?? 1;
    const groups = config.int('groups', 32);
    const attrs = {
      epsilon: config.number('epsilon', 1e-3),
      groups: groups === -1 ? channels : groups,
    };
    const weights = call.weights(scaleAndCentre(config));
    return builder.apply('groupNorm', [input], attrs, { name, weights });
  },
};

/** Keras adds nothing to the standard deviation, but takes none below this (keras.config.epsilon). */
const leastDeviation = 1e-7;

/** (x - mean) / deviation with numbers that were measured once: a scale and an offset a channel. */
export const normalization: WeightedLayer = {
  variables: (config) =>
    config.has('mean')
      ? []
      : ['mean', 'variance', 'count'].map((name) => ({ name, trainable: false })),
  add(call) {
    const { builder, config, name, input } = call;
    const rank = builder.shapeOf(input).length;
    const axes = config.has('axis') ? config.numbers('axis') : [];
    if (axes.length > 1 || axes.some((axis) => axis !== -1 && axis !== rank)) {
      throw call.unsupported('it normalises other axes than the last one');
    }
    const stated = config.has('mean');
    const mean = stated ? config.numbers('mean') : [...call.value('mean').data];
    const variance = stated ? config.numbers('variance') : [...call.value('variance').data];
    const channels = builder.shapeOf(input).at(-1) ?? 1;
    if (mean.length !== variance.length || (mean.length !== 1 && mean.length !== channels)) {
      throw corrupt(`${config.owner}: its mean and variance do not fit its input`);
    }
    const deviation = variance.map((value) => Math.max(Math.sqrt(value), leastDeviation));
    const inverse = config.flag('invert', false);
    const scale = deviation.map((value) => (inverse ? value : 1 / value));
    const offset = mean.map((value, i) => (inverse ? value : -value / deviation[i]!));
    const bad = [...scale, ...offset].findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw notFinite(name, 'Normalization', 'mean or variance');
    return builder.apply('rescale', [input], { scale, offset }, { name });
  },
};

export const rescaling: ImportLayer = ({ builder, config, name, input }) => {
  const attrs = {
    scale: config.numbers('scale'),
    offset: config.has('offset') ? config.numbers('offset') : [0],
  };
  return builder.apply('rescale', [input], attrs, { name });
};
