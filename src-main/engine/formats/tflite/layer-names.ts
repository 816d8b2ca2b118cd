// Names of layers, from the names that converters give to tensors: paths of TensorFlow operations, several of them joined
// by ';' where operators were fused.

/** Last parts of a path that say what an operation computes, not where it stands. A counter may follow. */
const computation =
  /^(activation|[aA]dd(V2)?|sub|Sub|mul|Mul|Div|truediv|RealDiv|AvgPool\w*|MaxPool\w*|BatchNorm\w*|FusedBatchNorm\w*|BiasAdd|concat|Conv2D\w*|conv2d|conv2d_transpose|convolution|conv_transpose|depthwise\w*|einsum|Einsum|Elu|ExpandDims|Gelu|HardSwish|Identity|LeakyRelu|MatMul|Max|Maximum|Mean|Min|Minimum|Pad|PadV2|Prod|Relu6?|Reshape|ResizeBilinear|ResizeNearestNeighbor|Rsqrt|Selu|Sigmoid|Softmax|Softplus|split|Sqrt|Squeeze|stack|[sS]tridedSlice|strided_slice|Sum|Tanh|[tT]ranspose)(_?\d+)*$/;

/** Scopes that an operation opens for its parts. */
const scope = /^(batchnorm|resize|separable_conv2d|Tensordot)(_\d+)?$/;

/** Which of several fused paths names the layer: the one with filters. */
const filters =
  /\/(convolution|Conv2D\w*|depthwise\w*|MatMul|conv_transpose|conv2d_transpose)(_?\d+)*$/;

const maxLength = 120;

/** The name of the layer that makes a tensor of a converted model; not unique. */
export function layerName(tensor: string, operator: string): string {
  const paths = tensor.split(';').filter((path) => path.trim() !== '');
  const path = paths.find((candidate) => filters.test(candidate)) ?? paths[0] ?? '';
  const parts = path.replace(/:\d+$/, '').split('/').filter(Boolean);
  // "model/conv1/Conv2D" is "conv1"; a name without a computation at its end is a layer's own.
  let end = parts.length;
  if (end > 1 && computation.test(parts[end - 1]!)) end--;
  if (end > 1 && scope.test(parts[end - 1]!)) end--;
  const name = end === parts.length ? parts.join('/') : parts[end - 1]!;
  const isOwn = name !== '' && !/^(StatefulPartitionedCall|PartitionedCall|arith\.)/.test(name);
  return isOwn ? name.slice(0, maxLength) : operator.toLowerCase();
}
