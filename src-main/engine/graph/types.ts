// The model graph: plain data that every part of the engine reads and writes. No tensors of any library.
//
// Shapes are per sample (no batch dimension); activations are NHWC, so the channel axis is the last one.
// A tensor is named by the id of the edge that carries it; a weight by its id in `Graph.weights`.

export type NodeId = string;
export type TensorId = string;
export type WeightId = string;

/** Per-sample shape: [] scalar, [C] vector, [H, W, C] image. */
export type Shape = readonly number[];

export type DType = 'float32' | 'int32' | 'bool';

export interface Weight {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** Amount of padding before and after each spatial axis: [[top, bottom], [left, right]]. */
export type ExplicitPadding = readonly [readonly [number, number], readonly [number, number]];

/** TensorFlow's 'same' (asymmetric, extra at the end), 'valid', or explicit zeros. */
export type Padding = 'same' | 'valid' | ExplicitPadding;

export type Pair = readonly [number, number];

export type ActivationFn =
  | 'relu'
  | 'relu6'
  | 'leakyRelu'
  | 'elu'
  | 'selu'
  | 'sigmoid'
  | 'hardSigmoid'
  | 'tanh'
  | 'softplus'
  | 'softsign'
  | 'swish'
  | 'hardSwish'
  | 'gelu'
  | 'geluTanh'
  | 'mish'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'abs'
  | 'neg'
  | 'linear';

interface Conv2dAttrs {
  readonly filters: number;
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
  readonly groups: number;
}

interface PoolAttrs {
  readonly poolSize: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
  /** Average pooling: whether explicit padding counts in the divisor (false in TensorFlow). */
  readonly countPadding?: boolean;
}

/**
 * Attributes of each op; its keys are the closed list of ops. An op is added here and in `ops/table.ts`, which
 * the compiler then asks for: shape inference, cost, weight roles and the channel rule for pruning.
 *
 * Weight layouts: conv2d kernel [kh, kw, in/groups, out]; depthwiseConv2d kernel [kh, kw, in, multiplier];
 * conv2dTranspose kernel [kh, kw, out, in]; dense kernel [in, out]; bias, gamma, beta, mean, variance [C];
 * layerNorm gamma, beta: the sizes of its axes, ascending. Axes are those of the sample; negative ones count
 * from the end. Element-wise ops align per-sample shapes at the last axis: [C] meets [H, W, C] as [1, 1, C].
 */
export interface OpAttrs {
  conv2d: Conv2dAttrs;
  depthwiseConv2d: Omit<Conv2dAttrs, 'filters' | 'groups'> & { readonly multiplier: number };
  conv2dTranspose: Omit<Conv2dAttrs, 'groups'> & { readonly outputPadding: Pair | null };
  dense: { readonly units: number };
  /** Normalises over the last axis. gamma and beta may be absent (scale / centre off). */
  batchNorm: { readonly epsilon: number; readonly momentum: number };
  layerNorm: { readonly epsilon: number; readonly axes: readonly number[] };
  groupNorm: { readonly epsilon: number; readonly groups: number };
  /** alpha: the slope of leakyRelu (0.2 unless given), elu (1) and hardSigmoid (0.2: Keras 2; 1/6: Keras 3, PyTorch). */
  activation: { readonly fn: ActivationFn; readonly alpha?: number };
  /** Weight role alpha, broadcast against the input. */
  prelu: Record<string, never>;
  softmax: { readonly axis: number };
  add: Record<string, never>;
  sub: Record<string, never>;
  mul: Record<string, never>;
  div: Record<string, never>;
  max: Record<string, never>;
  min: Record<string, never>;
  average: Record<string, never>;
  concat: { readonly axis: number };
  split: { readonly axis: number; readonly sizes: readonly number[] };
  /** begin inclusive, end exclusive, per axis of the sample. */
  slice: {
    readonly begin: readonly number[];
    readonly end: readonly number[];
    readonly strides: readonly number[];
  };
  /** Picks entries of the last axis: channel selection. */
  gather: { readonly indices: readonly number[] };
  maxPool2d: PoolAttrs;
  avgPool2d: PoolAttrs;
  /** Mean or maximum over height and width; [H, W, C] -> [C], or [1, 1, C] with keepDims. */
  globalAvgPool: { readonly keepDims: boolean };
  globalMaxPool: { readonly keepDims: boolean };
  flatten: Record<string, never>;
  reshape: { readonly shape: Shape };
  /** Axes of the sample, 0-based without the batch. */
  permute: { readonly perm: readonly number[] };
  /** [before, after] per axis of the sample. */
  pad: {
    readonly paddings: readonly (readonly [number, number])[];
    readonly mode: 'constant' | 'reflect' | 'symmetric';
    readonly value: number;
  };
  /** [[top, bottom], [left, right]]. */
  crop: { readonly amounts: ExplicitPadding };
  resize: {
    readonly size: Pair;
    readonly mode: 'nearest' | 'bilinear';
    readonly alignCorners: boolean;
    readonly halfPixel: boolean;
  };
  depthToSpace: { readonly block: number; readonly order: 'dcr' | 'crd' };
  spaceToDepth: { readonly block: number };
  reduce: {
    readonly fn: 'mean' | 'sum' | 'max' | 'min' | 'prod';
    readonly axes: readonly number[];
    readonly keepDims: boolean;
  };
  /** Matrix product over the last two axes of two activations. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /** A stored tensor without batch dimension, weight role value; broadcasts against activations. */
  constant: Record<string, never>;
  /** Identity at inference. */
  dropout: { readonly rate: number };
  /** x * scale + offset, each a scalar or one number a channel (preprocessing kept inside the model). */
  rescale: { readonly scale: readonly number[]; readonly offset: readonly number[] };
}

export type Op = keyof OpAttrs;

/** Names of a node's weights; which roles an op has is stated in `ops/table.ts`. */
export type WeightRole =
  'kernel' | 'bias' | 'gamma' | 'beta' | 'mean' | 'variance' | 'alpha' | 'value';

interface NodeBase<K extends Op> {
  readonly id: NodeId;
  /** The layer's name as the user knows it. Unique in a graph. */
  readonly name: string;
  readonly op: K;
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  readonly attrs: OpAttrs[K];
  readonly weights: Readonly<Partial<Record<WeightRole, WeightId>>>;
  /**
   * Provenance of the (last-axis) channels of output 0: for each, its index in the first imported ancestor.
   * Absent means identity: nothing was ever cut here.
   */
  readonly origin?: readonly number[];
}

export type NodeOf<K extends Op> = NodeBase<K>;
/** Any node, discriminated by `op`. */
export type Node = { [K in Op]: NodeBase<K> }[Op];

export interface GraphInput {
  readonly tensor: TensorId;
  readonly name: string;
  readonly shape: Shape;
}

export interface GraphOutput {
  readonly tensor: TensorId;
  readonly name: string;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphOutput[];
  /** In topological order. */
  readonly nodes: readonly Node[];
  readonly weights: ReadonlyMap<WeightId, Weight>;
}

/** How an image becomes the model's input: x = (pixel * scale - mean) / std, per channel. */
export interface Preprocessing {
  /** Applied to uint8 pixels first: 1/255 gives [0, 1]. */
  readonly scale: number;
  /** One number a channel, or one for all. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly channelOrder: 'rgb' | 'bgr' | 'gray';
}

/**
 * What the outputs of a model are: scores of classes ('logits', without a softmax in the graph; 'softmax', their
 * probabilities), of labels that do not exclude each other ('label-logits', without a sigmoid in the graph; 'sigmoid',
 * their probabilities), or 'values' (regression, several outputs).
 */
export type OutputKind = 'logits' | 'softmax' | 'label-logits' | 'sigmoid' | 'values';

/** A graph with what is needed to use it: the content of a version. */
export interface Model {
  readonly graph: Graph;
  readonly preprocessing: Preprocessing;
  /** Names of classes, labels or values by output index, where known. */
  readonly labels: readonly string[] | null;
  readonly outputKind: OutputKind;
}

/** Costs of one node or of a whole graph, per sample. */
export interface Cost {
  /** Trainable and non-trainable parameters (BN mean and variance not counted, as in the literature). */
  readonly params: number;
  /** Multiply-accumulates of conv and dense; BN, activations and pooling not counted (Li et al. 2017). */
  readonly macs: number;
  /** Bytes of the stored weights, BN statistics included, at float32. */
  readonly weightBytes: number;
  /** Bytes of the output tensors at float32; for a graph, the peak of live tensors in topological order. */
  readonly activationBytes: number;
}
