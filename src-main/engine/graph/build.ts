// Builds graphs layer by layer: for the zoo, importers and tests. Shapes are known as soon as a layer is added.
import { AppError } from '../errors';
import { filledWeight, initialWeight } from './initialise';
import type { InitOptions } from './initialise';
import { opDef } from './ops/table';
import type { Rng } from './rng';
import { inferOutputs } from './shapes';
import type {
  ActivationFn,
  Graph,
  GraphInput,
  GraphOutput,
  Node,
  Op,
  OpAttrs,
  Padding,
  Pair,
  Shape,
  TensorId,
  Weight,
  WeightId,
  WeightRole,
} from './types';
import { validateGraph } from './validate';

export interface BuilderOptions {
  /** Draws the weights that are not given; without it only given weights exist. */
  readonly rng?: Rng;
  readonly init?: InitOptions;
}

export interface LayerOptions {
  /** The layer's name; made unique by a number at the end. The op's name unless given. */
  readonly name?: string | undefined;
  /** A weight, the id of one that is there already (shared), or null to leave an optional one out. */
  readonly weights?: Readonly<Partial<Record<WeightRole, Weight | WeightId | null>>>;
}

interface WindowOptions extends LayerOptions {
  readonly kernelSize: number | Pair;
  /** 1 unless given. */
  readonly strides?: number | Pair;
  /** 1 unless given. */
  readonly dilations?: number | Pair;
  /** 'same' unless given. */
  readonly padding?: Padding;
  /** Whether to have a bias; true unless given. */
  readonly bias?: boolean;
}

interface PoolOptions extends LayerOptions {
  readonly poolSize: number | Pair;
  /** The pool size unless given. */
  readonly strides?: number | Pair;
  /** 'valid' unless given. */
  readonly padding?: Padding;
  readonly countPadding?: boolean;
}

function pair(value: number | Pair): Pair {
  return typeof value === 'number' ? [value, value] : value;
}

function windowAttrs(
  options: WindowOptions,
): Pick<OpAttrs['conv2d'], 'kernelSize' | 'strides' | 'dilations' | 'padding'> {
  return {
    kernelSize: pair(options.kernelSize),
    strides: pair(options.strides ?? 1),
    dilations: pair(options.dilations ?? 1),
    padding: options.padding ?? 'same',
  };
}

function poolAttrs(options: PoolOptions): OpAttrs['maxPool2d'] {
  return {
    poolSize: pair(options.poolSize),
    strides: pair(options.strides ?? options.poolSize),
    padding: options.padding ?? 'valid',
    ...(options.countPadding === undefined ? {} : { countPadding: options.countPadding }),
  };
}

function withoutBias<T extends LayerOptions>(options: T, bias: boolean | undefined): LayerOptions {
  return bias === false ? { ...options, weights: { ...options.weights, bias: null } } : options;
}

/** Collects layers in topological order. A tensor is known by the id that the call making it returned. */
export class GraphBuilder {
  private readonly inputs: GraphInput[] = [];
  private readonly outputs: GraphOutput[] = [];
  private readonly nodes: Node[] = [];
  private readonly weights = new Map<WeightId, Weight>();
  private readonly shapes = new Map<TensorId, Shape>();
  private readonly names = new Set<string>();
  /** The number that the next layer of a name may have at its end. */
  private readonly nextNumbers = new Map<string, number>();

  constructor(
    private readonly name: string,
    private readonly options: BuilderOptions = {},
  ) {}

  /** Declares an input, per sample: [H, W, C]. */
  input(name: string, shape: Shape): TensorId {
    const tensor = this.uniqueName(name);
    this.inputs.push({ tensor, name: tensor, shape });
    this.shapes.set(tensor, shape);
    return tensor;
  }

  /** Declares an output of the model, named like the tensor unless a name is given. */
  output(tensor: TensorId, name: string = tensor): void {
    this.outputs.push({ tensor, name });
  }

  /** Shape of a tensor, per sample. @throws AppError GRAPH_INVALID when there is no such tensor. */
  shapeOf(tensor: TensorId): Shape {
    const shape = this.shapes.get(tensor);
    if (shape !== undefined) return shape;
    throw new AppError(
      'GRAPH_INVALID',
      `Tensor "${tensor}" is read before a layer makes it.`,
      'Export the model again and repeat the import.',
      { details: { tensor } },
    );
  }

  /** Stores a weight that layers can share by its id. */
  addWeight(id: WeightId, weight: Weight): WeightId {
    const unique = unusedName(id, this.weights);
    this.weights.set(unique, weight);
    return unique;
  }

  /** Adds a layer of any op and returns its first output. @throws AppError GRAPH_INVALID */
  apply<K extends Op>(
    op: K,
    inputs: readonly TensorId[],
    attrs: OpAttrs[K],
    options: LayerOptions = {},
  ): TensorId {
    return this.applyAll(op, inputs, attrs, options)[0]!;
  }

  /** Adds a layer of any op and returns all its outputs. @throws AppError GRAPH_INVALID */
  applyAll<K extends Op>(
    op: K,
    inputs: readonly TensorId[],
    attrs: OpAttrs[K],
    options: LayerOptions = {},
  ): readonly TensorId[] {
    const name = this.uniqueName(options.name ?? op);
    const inputShapes = inputs.map((tensor) => this.shapeOf(tensor));
    const given = this.storeGiven(name, options.weights ?? {});
    const bare = {
      id: name,
      name,
      op,
      inputs,
      outputs: [],
      attrs,
      weights: given,
    } as unknown as Node;
    const outputShapes = inferOutputs(bare, inputShapes, (role) => {
      const id = given[role];
      return id === undefined ? undefined : this.weights.get(id);
    });
    const outputs = outputShapes.map((_, i) => (i === 0 ? name : this.uniqueName(`${name}:${i}`)));
    const weights = this.initialiseMissing(bare, inputShapes, options.weights ?? {});
    this.nodes.push({ ...bare, outputs, weights });
    outputs.forEach((tensor, i) => this.shapes.set(tensor, outputShapes[i]!));
    return outputs;
  }

  conv2d(
    x: TensorId,
    options: WindowOptions & { readonly filters: number; readonly groups?: number },
  ): TensorId {
    const { filters, groups = 1, bias } = options;
    const attrs = { ...windowAttrs(options), filters, groups };
    return this.apply('conv2d', [x], attrs, withoutBias(options, bias));
  }

  depthwiseConv2d(
    x: TensorId,
    options: WindowOptions & { readonly multiplier?: number },
  ): TensorId {
    const { multiplier = 1, bias } = options;
    const attrs = { ...windowAttrs(options), multiplier };
    return this.apply('depthwiseConv2d', [x], attrs, withoutBias(options, bias));
  }

  conv2dTranspose(
    x: TensorId,
    options: WindowOptions & { readonly filters: number; readonly outputPadding?: Pair },
  ): TensorId {
    const { filters, outputPadding = null, bias } = options;
    const attrs = { ...windowAttrs(options), filters, outputPadding };
    return this.apply('conv2dTranspose', [x], attrs, withoutBias(options, bias));
  }

  dense(
    x: TensorId,
    options: LayerOptions & { readonly units: number; readonly bias?: boolean },
  ): TensorId {
    return this.apply('dense', [x], { units: options.units }, withoutBias(options, options.bias));
  }

  /** Epsilon 1e-5 and momentum 0.9 unless given; momentum is what stays of the old statistics. */
  batchNorm(
    x: TensorId,
    options: LayerOptions & { readonly epsilon?: number; readonly momentum?: number } = {},
  ): TensorId {
    const { epsilon = 1e-5, momentum = 0.9 } = options;
    return this.apply('batchNorm', [x], { epsilon, momentum }, options);
  }

  activation(
    x: TensorId,
    fn: ActivationFn,
    options: LayerOptions & { readonly alpha?: number } = {},
  ): TensorId {
    const attrs = options.alpha === undefined ? { fn } : { fn, alpha: options.alpha };
    return this.apply('activation', [x], attrs, { name: options.name ?? fn });
  }

  /** One slope a channel unless slopes are given. */
  prelu(x: TensorId, options: LayerOptions = {}): TensorId {
    const alpha = options.weights?.alpha ?? filledWeight(this.shapeOf(x).slice(-1), 0.25);
    return this.apply('prelu', [x], {}, { ...options, weights: { alpha } });
  }

  maxPool2d(x: TensorId, options: PoolOptions): TensorId {
    return this.apply('maxPool2d', [x], poolAttrs(options), options);
  }

  avgPool2d(x: TensorId, options: PoolOptions): TensorId {
    return this.apply('avgPool2d', [x], poolAttrs(options), options);
  }

  globalAvgPool(
    x: TensorId,
    options: LayerOptions & { readonly keepDims?: boolean } = {},
  ): TensorId {
    return this.apply('globalAvgPool', [x], { keepDims: options.keepDims ?? false }, options);
  }

  flatten(x: TensorId, options: LayerOptions = {}): TensorId {
    return this.apply('flatten', [x], {}, options);
  }

  add(inputs: readonly TensorId[], options: LayerOptions = {}): TensorId {
    return this.apply('add', inputs, {}, options);
  }

  mul(inputs: readonly TensorId[], options: LayerOptions = {}): TensorId {
    return this.apply('mul', inputs, {}, options);
  }

  /** On the last axis unless another is given. */
  concat(
    inputs: readonly TensorId[],
    options: LayerOptions & { readonly axis?: number } = {},
  ): TensorId {
    return this.apply('concat', inputs, { axis: options.axis ?? -1 }, options);
  }

  constant(value: Weight, options: Omit<LayerOptions, 'weights'> = {}): TensorId {
    return this.apply('constant', [], {}, { ...options, weights: { value } });
  }

  /** The finished graph. @throws AppError GRAPH_INVALID when it breaks an invariant. */
  build(): Graph {
    const graph: Graph = {
      name: this.name,
      inputs: this.inputs,
      outputs: this.outputs,
      nodes: this.nodes,
      weights: this.weights,
    };
    validateGraph(graph);
    return graph;
  }

  private uniqueName(base: string): string {
    // Names are never given back, so that the search goes on where it ended: files have thousands of layers of one name.
    const from = this.nextNumbers.get(base) ?? 1;
    const name = unusedName(base, this.names, from);
    this.names.add(name);
    if (name !== base) this.nextNumbers.set(base, Number(name.slice(base.length + 1)) + 1);
    return name;
  }

  private storeGiven(
    layer: string,
    given: NonNullable<LayerOptions['weights']>,
  ): Partial<Record<WeightRole, WeightId>> {
    const ids: Partial<Record<WeightRole, WeightId>> = {};
    for (const [role, weight] of Object.entries(given) as [
      WeightRole,
      Weight | WeightId | null,
    ][]) {
      if (weight === null) continue;
      ids[role] = typeof weight === 'string' ? weight : this.addWeight(`${layer}/${role}`, weight);
    }
    return ids;
  }

  /** The node's weights with new ones, where the builder draws weights, for the roles not mentioned. */
  private initialiseMissing(
    node: Node,
    inputs: readonly Shape[],
    mentioned: NonNullable<LayerOptions['weights']>,
  ): Node['weights'] {
    const { rng, init } = this.options;
    if (rng === undefined) return node.weights;
    const ids: Partial<Record<WeightRole, WeightId>> = { ...node.weights };
    const expected = Object.entries(opDef(node.op).weightShapes(node, inputs));
    for (const [key, { shape }] of expected) {
      const role = key as WeightRole;
      if (shape === null || mentioned[role] !== undefined) continue;
      ids[role] = this.addWeight(
        `${node.name}/${role}`,
        initialWeight(node.op, role, shape, rng, init),
      );
    }
    return ids;
  }
}

/**
 * The name, or the name with the first free number at its end: conv2d, conv2d_1, conv2d_2.
 * @param from numbers below this one are taken
 */
export function unusedName(base: string, used: { has(name: string): boolean }, from = 1): string {
  if (!used.has(base)) return base;
  let number = from;
  while (used.has(`${base}_${number}`)) number++;
  return `${base}_${number}`;
}
