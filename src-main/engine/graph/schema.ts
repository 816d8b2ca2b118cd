// The shape of a graph and a model as JSON: what a stored version is checked against before anything reads it.
import { z } from 'zod';
import type { Model, Node, Op, OpAttrs, OutputKind, WeightRole } from './types';

export const outputKindSchema = z.enum([
  'logits',
  'softmax',
  'label-logits',
  'sigmoid',
  'values',
]) satisfies z.ZodType<OutputKind>;

const whole = z.number().int().nonnegative();
const positive = z.number().int().positive();
const pair = z.tuple([positive, positive]);
const wholePair = z.tuple([whole, whole]);
const explicitPadding = z.tuple([wholePair, wholePair]);
const padding = z.union([z.literal('same'), z.literal('valid'), explicitPadding]);
const axis = z.number().int();
const shape = z.array(positive);
const none = z.strictObject({});
const keepDims = z.boolean();

const window = { kernelSize: pair, strides: pair, dilations: pair, padding };
const pool = z.strictObject({
  poolSize: pair,
  strides: pair,
  padding,
  countPadding: z.boolean().exactOptional(),
});
const epsilon = z.number().nonnegative();

const activationFns = [
  'relu',
  'relu6',
  'leakyRelu',
  'elu',
  'selu',
  'sigmoid',
  'hardSigmoid',
  'tanh',
  'softplus',
  'softsign',
  'swish',
  'hardSwish',
  'gelu',
  'geluTanh',
  'mish',
  'exp',
  'log',
  'sqrt',
  'abs',
  'neg',
  'linear',
] as const satisfies readonly OpAttrs['activation']['fn'][];

const roles = [
  'kernel',
  'bias',
  'gamma',
  'beta',
  'mean',
  'variance',
  'alpha',
  'value',
] as const satisfies readonly WeightRole[];

/** One schema for the attributes of each op. */
export const attrSchemas: { readonly [K in Op]: z.ZodType<OpAttrs[K]> } = {
  conv2d: z.strictObject({ ...window, filters: positive, groups: positive }),
  depthwiseConv2d: z.strictObject({ ...window, multiplier: positive }),
  conv2dTranspose: z.strictObject({
    ...window,
    filters: positive,
    outputPadding: wholePair.nullable(),
  }),
  dense: z.strictObject({ units: positive }),
  batchNorm: z.strictObject({ epsilon, momentum: z.number() }),
  layerNorm: z.strictObject({ epsilon, axes: z.array(axis) }),
  groupNorm: z.strictObject({ epsilon, groups: positive }),
  activation: z.strictObject({ fn: z.enum(activationFns), alpha: z.number().exactOptional() }),
  prelu: none,
  softmax: z.strictObject({ axis }),
  add: none,
  sub: none,
  mul: none,
  div: none,
  max: none,
  min: none,
  average: none,
  concat: z.strictObject({ axis }),
  split: z.strictObject({ axis, sizes: z.array(positive) }),
  slice: z.strictObject({
    begin: z.array(whole),
    end: z.array(whole),
    strides: z.array(positive),
  }),
  gather: z.strictObject({ indices: z.array(whole) }),
  maxPool2d: pool,
  avgPool2d: pool,
  globalAvgPool: z.strictObject({ keepDims }),
  globalMaxPool: z.strictObject({ keepDims }),
  flatten: none,
  reshape: z.strictObject({ shape }),
  permute: z.strictObject({ perm: z.array(whole) }),
  pad: z.strictObject({
    paddings: z.array(wholePair),
    mode: z.enum(['constant', 'reflect', 'symmetric']),
    value: z.number(),
  }),
  crop: z.strictObject({ amounts: explicitPadding }),
  resize: z.strictObject({
    size: pair,
    mode: z.enum(['nearest', 'bilinear']),
    alignCorners: z.boolean(),
    halfPixel: z.boolean(),
  }),
  depthToSpace: z.strictObject({ block: positive, order: z.enum(['dcr', 'crd']) }),
  spaceToDepth: z.strictObject({ block: positive }),
  reduce: z.strictObject({
    fn: z.enum(['mean', 'sum', 'max', 'min', 'prod']),
    axes: z.array(axis),
    keepDims,
  }),
  matmul: z.strictObject({ transposeA: z.boolean(), transposeB: z.boolean() }),
  constant: none,
  dropout: z.strictObject({ rate: z.number() }),
  rescale: z.strictObject({ scale: z.array(z.number()), offset: z.array(z.number()) }),
};

const nodeSchema = (op: Op): z.ZodType =>
  z.strictObject({
    id: z.string(),
    name: z.string(),
    op: z.literal(op),
    inputs: z.array(z.string()),
    outputs: z.array(z.string()).min(1),
    attrs: attrSchemas[op],
    weights: z.partialRecord(z.enum(roles), z.string()),
    origin: z.array(whole).exactOptional(),
  });

const nodeSchemas = new Map(Object.keys(attrSchemas).map((op) => [op, nodeSchema(op as Op)]));

/** A node with the attributes of its own op; problems are reported where they are, not for every op. */
const node = z.looseObject({ op: z.string() }).transform((value, context): Node => {
  const result = nodeSchemas.get(value.op)?.safeParse(value);
  if (result?.success) return result.data as Node;
  const issues = result?.error.issues ?? [{ path: ['op'], message: `unknown op "${value.op}"` }];
  for (const { path, message } of issues) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
  return z.NEVER;
});

/** A model without its weights' numbers, and the weights in the order in which their numbers follow. */
export const modelHeaderSchema = z.strictObject({
  graph: z.strictObject({
    name: z.string(),
    inputs: z.array(z.strictObject({ tensor: z.string(), name: z.string(), shape })),
    outputs: z.array(z.strictObject({ tensor: z.string(), name: z.string() })),
    nodes: z.array(node),
  }),
  weights: z.array(
    z.strictObject({
      id: z.string(),
      shape,
      dtype: z.enum(['float32', 'int32', 'bool']),
    }),
  ),
  preprocessing: z.strictObject({
    scale: z.number(),
    mean: z.array(z.number()).min(1),
    std: z.array(z.number().positive()).min(1),
    channelOrder: z.enum(['rgb', 'bgr', 'gray']),
  }) satisfies z.ZodType<Model['preprocessing']>,
  labels: z.array(z.string()).nullable(),
  outputKind: outputKindSchema,
});

export type ModelHeader = z.infer<typeof modelHeaderSchema>;
