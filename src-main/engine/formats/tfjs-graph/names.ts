// Names of layers from the paths that TensorFlow gives its nodes: "StatefulPartitionedCall/model/conv1/BiasAdd" is a
// part of the layer "conv1".

/** Scopes and variables that Keras and TF-Slim add below a layer. */
const parts: ReadonlySet<string> = new Set([
  'BatchNorm',
  'ReadVariableOp',
  'Tensordot',
  'a',
  'alpha',
  'b',
  'batch_norm',
  'batchnorm',
  'beta',
  'bias',
  'biases',
  'concat',
  'conv_transpose',
  'convolution',
  'depthwise',
  'depthwise_kernel',
  'depthwise_weights',
  'div',
  'filter',
  'filters',
  'gamma',
  'kernel',
  'merged_input',
  'moments',
  'moving_mean',
  'moving_variance',
  'mul',
  'pointwise_weights',
  'resize',
  'separable_conv2d',
  'shape',
  'size',
  'split',
  'stack',
  'strided_slice',
  'sub',
  'transpose',
  'truediv',
  'weights',
]);

/** Operations that are layers of this name as well: "model/add/add" is the layer "add". */
const ambiguous: ReadonlySet<string> = new Set(['add', 'maximum', 'minimum', 'reshape', 'softmax']);

/** Operations by the words that they end with: "BiasAdd", "Conv2D_weights", "FusedBatchNormV3", "MaxPool2d". */
const endings = [
  'Abs|Add|AddN|AddV2|AvgPool|BackpropInput|BatchNorm|BatchNormV2|BatchNormV3|Bilinear|Cast|Concat|ConcatV2|Const',
  'Conv2D|Conv2DBackpropInput|Conv2dNative|Div|Elu|Erf|Exp|ExpandDims|Gather|GatherV2|Identity|IdentityN|Mat[Mm]ul',
  'Max|Maximum|Mean|Min|Minimum|Mul|ND|Neg|Nearest[Nn]eighbor|Op|Pack|Pad|PadV2|Pool|Pool2[Dd]|Pow|Prelu|Prod|Relu',
  'Relu6|Reshape|Rsqrt|Selu|Shape|Sigmoid|Slice|Softmax|Softplus|Space|Depth|Split|SplitV|Sqrt|Square|Squeeze|Sub|Sum',
  'Tanh|Transpose|Unpack',
];
const operation = new RegExp(
  `^_?(?:[A-Z][A-Za-z0-9]*)?(?:${endings.join('|')})(?:_weights|_bias)?$`,
);

function isPart(text: string): boolean {
  return parts.has(text) || operation.test(text);
}

const withoutNumber = (text: string): string => text.replace(/_\d+$/, '');

/** The last part of a path that says more than which operation it is; null where none does. */
export function layerName(path: string): string | null {
  const segments = path.split('/').filter((part) => part !== '');
  const last = segments.at(-1);
  if (segments.length > 1 && last !== undefined && ambiguous.has(withoutNumber(last)))
    segments.pop();
  while (segments.length > 1 && isPart(withoutNumber(segments.at(-1)!))) segments.pop();
  const name = segments.at(-1) ?? '';
  return name === '' || isPart(withoutNumber(name)) || name === 'StatefulPartitionedCall'
    ? null
    : name;
}

/** What a node adds to its layer's name where that is taken: "relu" of "model/conv1/Relu". */
export function partName(path: string): string {
  const last = path.split('/').at(-1) ?? '';
  return withoutNumber(last).replace(/^_/, '').toLowerCase();
}
