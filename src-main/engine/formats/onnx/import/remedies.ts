// What to do about operators that are not read, where there is something better than to replace them.

const quantised =
  'The model is quantised. Export it before quantisation, in float32: Secateur quantises when it exports.';
const postProcessing =
  'It is a part of the processing after the network: cut the model off before it and export again.';
const controlFlow =
  'The network decides while it runs. Export it by tracing with one example input, so that one way through is left.';
const recurrent = 'Secateur is for convolutional networks; recurrent ones cannot be cut this way.';

export const remedies: Readonly<Record<string, string>> = {
  QuantizeLinear: quantised,
  DequantizeLinear: quantised,
  DynamicQuantizeLinear: quantised,
  QLinearConv: quantised,
  QLinearMatMul: quantised,
  ConvInteger: quantised,
  MatMulInteger: quantised,
  ArgMax: postProcessing,
  ArgMin: postProcessing,
  TopK: postProcessing,
  NonMaxSuppression: postProcessing,
  NonZero: postProcessing,
  RoiAlign: postProcessing,
  If: controlFlow,
  Loop: controlFlow,
  Scan: controlFlow,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
};

/** For operators of another set than the standard one. */
export const foreignRemedy =
  'It is not one of the standard ONNX operators. Export the model as the training program gives it, before a runtime ' +
  'optimised it.';
