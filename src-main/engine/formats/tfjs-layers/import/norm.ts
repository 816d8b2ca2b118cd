// Normalisations and rescaling.

import { sampleAxis } from './activation';
import type { ImportLayer, LayerCall, WeightNames } from './types';

function scaleAndCentre({ config }: LayerCall): WeightNames {
  return {
    ...(config.flag('scale', true) ? { gamma: 'gamma' } : {}),
    ...(config.flag('center', true) ? { beta: 'beta' } : {}),
  };
}

/** The only axis of a normalisation, as an axis of the sample. */
function requireLastAxis(call: LayerCall): void {
  const axes = call.config.has('axis') ? call.config.numbers('axis') : [-1];
  const rank = call.builder.shapeOf(call.input).length;
  if (axes.length === 1 && (axes[0] === -1 || axes[0] === rank)) return;
  throw call.unsupported('it does not normalise the last axis, where the channels are');
}

export const batchNorm: ImportLayer = (call) => {
  const { builder, config, name, input } = call;
  requireLastAxis(call);
  const weights = call.weights({
    ...scaleAndCentre(call),
    mean: 'moving_mean',
    variance: 'moving_variance',
  });
  const attrs = {
    epsilon: config.number('epsilon', 1e-3),
    momentum: config.number('momentum', 0.99),
  };
  return builder.apply('batchNorm', [input], attrs, { name, weights });
};

export const layerNorm: ImportLayer = (call) => {
  const { builder, config, name, input } = call;
  const axes = config.has('axis') ? config.numbers('axis') : [-1];
  const attrs = { epsilon: config.number('epsilon', 1e-3), axes: axes.map(sampleAxis) };
  const weights = call.weights(scaleAndCentre(call));
  return builder.apply('layerNorm', [input], attrs, { name, weights });
};

export const groupNorm: ImportLayer = (call) => {
  const { builder, config, name, input } = call;
  requireLastAxis(call);
  const channels = builder.shapeOf(input).at(-1) ?? 1;
  const groups = config.int('groups', 32);
  const attrs = {
    epsilon: config.number('epsilon', 1e-3),
    groups: groups === -1 ? channels : groups,
  };
  const weights = call.weights(scaleAndCentre(call));
  return builder.apply('groupNorm', [input], attrs, { name, weights });
};

export const rescaling: ImportLayer = ({ builder, config, name, input }) => {
  const attrs = {
    scale: config.numbers('scale'),
    offset: config.has('offset') ? config.numbers('offset') : [0],
  };
  return builder.apply('rescale', [input], attrs, { name });
};
