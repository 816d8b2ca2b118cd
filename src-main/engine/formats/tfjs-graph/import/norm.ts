// Batch norm in one operation. Elsewhere it is arithmetic with numbers for each channel.

import type { WeightId } from '../../../graph/types';
import type { Importer } from './session';
import { activation, type Activation } from './values';

/** Share of the old statistics that stays in a step of training: Keras's; the file does not keep its own. */
const momentum = 0.99;

export const batchNorm: Importer = (call) => {
  if (call.attrs.flag('is_training', false)) {
    throw call.unsupported(
      'it takes the statistics of the batch, as in training',
      'Export the model for inference (training=False) and convert it again.',
    );
  }
  const { tensor, layout } = call.image(0);
  const vector = (index: number, what: string): WeightId => {
    const constant = call.constant(index, what);
    return call.weight(constant, 'vector', () => ({
      shape: [constant.data.length],
      dtype: 'float32',
      data: call.floats(constant),
    }));
  };
  const weights = {
    gamma: vector(1, 'scale'),
    beta: vector(2, 'offset'),
    mean: vector(3, 'mean'),
    variance: vector(4, 'variance'),
  };
  const epsilon = call.attrs.number('epsilon', 1e-4);
  return activation(call.add('batchNorm', [tensor], { epsilon, momentum }, { weights }), layout);
};

/** With an addition and a ReLU that TensorFlow's optimiser has put behind it. */
export const fusedBatchNorm: Importer = (call) => {
  const result = batchNorm(call) as Activation;
  let { tensor } = result;
  if (call.attrs.int('num_side_inputs', 0) > 0) {
    const side = call.activation(5);
    const aligned = result.layout === 'plain' ? call.plain(side) : call.channelsLast(side);
    tensor = call.add('add', [tensor, aligned], {}, { name: call.name('add') });
  }
  const mode = call.attrs.text('activation_mode', 'Identity');
  if (mode === 'Relu') tensor = call.activate(tensor, 'relu');
  else if (mode !== 'Identity') throw call.attrs.wrong('activation_mode', 'Relu or Identity');
  return activation(tensor, result.layout);
};
