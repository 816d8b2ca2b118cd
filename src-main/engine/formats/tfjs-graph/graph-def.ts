// The topology of a graph model: TensorFlow's GraphDef as protobuf's JSON mapping writes it (tensorflow/core/framework/
// graph.proto, node_def.proto, attr_value.proto). 64-bit integers are strings there, bytes are base64.

import { z } from 'zod';
import type { ActivationFn, ExplicitPadding, Pair } from '../../graph/types';
import { corrupt, tooLarge } from '../keras-config/errors';
import { maxLayers } from '../keras-config/limits';

/** Operations are smaller than layers: a layer is some ten of them at most. */
const maxNodes = 10 * maxLayers;

/** An output of a node. */
export interface TensorRef {
  readonly node: string;
  readonly output: number;
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** Data alone: inputs that only order the execution are left out. */
  readonly inputs: readonly TensorRef[];
  readonly attrs: Attrs;
  /** What several nodes of the file were found to be together, in the place of the last one. */
  readonly spelt?: Spelt;
}

export type Spelt =
  | { readonly kind: 'activation'; readonly fn: ActivationFn; readonly alpha?: number }
  /** Slopes for numbers below 0, which the file may have with the other sign. */
  | { readonly kind: 'prelu'; readonly isNegated: boolean }
  /** A convolution between SpaceToBatchND and BatchToSpaceND: its dilation, and zeros around the image. */
  | { readonly kind: 'dilated'; readonly dilations: Pair; readonly padding: ExplicitPadding };

const nodeSchema = z.object({
  name: z.string().min(1),
  op: z.string().min(1),
  input: z.array(z.string()).optional(),
  attr: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});

const topologySchema = z.object({ node: z.array(z.unknown()) });

/** The nodes by name. @throws AppError MODEL_CORRUPT, MODEL_TOO_LARGE */
export function parseGraphDef(json: unknown): ReadonlyMap<string, GraphNode> {
  const topology = topologySchema.safeParse(json);
  if (!topology.success) throw corrupt('The topology of the model holds no list of nodes');
  const { node: list } = topology.data;
  if (list.length > maxNodes) throw tooLarge('Number of nodes', list.length, maxNodes);
  const nodes = new Map<string, GraphNode>();
  for (const [i, item] of list.entries()) {
    const parsed = nodeSchema.safeParse(item);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      const where = ['node', i, ...issue.path].join('.');
      throw corrupt(`The topology is not as the format wants it, at ${where}: ${issue.message}`);
    }
    const { name, op, input = [], attr = {} } = parsed.data;
    if (nodes.has(name)) throw corrupt(`The node "${name}" is in the topology twice`);
    const inputs = input.filter((text) => !text.startsWith('^')).map(parseRef);
    nodes.set(name, { name, op, inputs, attrs: new Attrs(name, op, attr) });
  }
  return nodes;
}

/** "node", "node:1", or inside functions "node:output:1". */
export function parseRef(text: string): TensorRef {
  const [node = '', ...rest] = text.split(':');
  const output = rest.length === 0 ? 0 : Number(rest.at(-1));
  if (node !== '' && Number.isInteger(output) && output >= 0) return { node, output };
  throw corrupt(`${JSON.stringify(text.slice(0, 100))} names no output of a node`);
}

type AttrValue = Readonly<Record<string, unknown>>;

/** Settings of a node, each read as the type that the operation gives it. */
export class Attrs {
  constructor(
    private readonly node: string,
    private readonly op: string,
    private readonly values: Readonly<Record<string, AttrValue>>,
  ) {}

  has(name: string): boolean {
    return Object.hasOwn(this.values, name);
  }

  text(name: string, fallback: string): string {
    const value = this.field(name, 's');
    return value === undefined ? fallback : this.decode(name, value);
  }

  texts(name: string): readonly string[] {
    return this.list(name, 's').map((value) => this.decode(name, value));
  }

  number(name: string, fallback: number): number {
    const value = this.field(name, 'f');
    return value === undefined ? fallback : this.toNumber(name, value);
  }

  int(name: string, fallback: number): number {
    const value = this.field(name, 'i');
    return value === undefined ? fallback : this.toInt(name, value);
  }

  ints(name: string): readonly number[] {
    return this.list(name, 'i').map((value) => this.toInt(name, value));
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.field(name, 'b');
    if (value === undefined) return fallback;
    if (typeof value === 'boolean') return value;
    throw this.wrong(name, 'true or false');
  }

  /** A data type by its name ("DT_FLOAT"), '' where there is none. */
  type(name: string): string {
    const value = this.field(name, 'type');
    if (value === undefined) return '';
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return typeNames[value] ?? `type ${value}`;
    throw this.wrong(name, 'a data type');
  }

  /** Sizes, -1 where open; null where nothing is said. */
  shape(name: string): readonly number[] | null {
    const value = this.field(name, 'shape');
    if (value === undefined) return null;
    const sizes = shapeOf(value);
    if (sizes === 'wrong') throw this.wrong(name, 'a shape');
    return sizes;
  }

  wrong(name: string, wanted: string): ReturnType<typeof corrupt> {
    return corrupt(`Node "${this.node}" (${this.op}): "${name}" is not ${wanted}`, {
      layer: this.node,
    });
  }

  private field(name: string, kind: string): unknown {
    const value = this.has(name) ? this.values[name] : undefined;
    if (value === undefined) return undefined;
    // An attribute that is there without a value has the default value of its kind, which protobuf leaves out.
    return Object.hasOwn(value, kind) ? value[kind] : undefined;
  }

  private list(name: string, kind: string): readonly unknown[] {
    const list = this.field(name, 'list');
    if (list === undefined) return [];
    const items = (list as Readonly<Record<string, unknown>> | null)?.[kind] ?? [];
    if (!Array.isArray(items)) throw this.wrong(name, 'a list');
    return items as readonly unknown[];
  }

  private decode(name: string, value: unknown): string {
    if (typeof value === 'string') return Buffer.from(value, 'base64').toString('latin1');
    // TensorFlow.js itself also takes the bytes as a list.
    if (Array.isArray(value) && value.every((byte) => Number.isInteger(byte))) {
      return String.fromCharCode(...(value as number[]).slice(0, 1000));
    }
    throw this.wrong(name, 'a text');
  }

  private toNumber(name: string, value: unknown): number {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw this.wrong(name, 'a number');
  }

  private toInt(name: string, value: unknown): number {
    const number = this.toNumber(name, value);
    if (Number.isSafeInteger(number)) return number;
    throw this.wrong(name, 'a whole number');
  }
}

const typeNames: Readonly<Record<number, string>> = {
  1: 'DT_FLOAT',
  3: 'DT_INT32',
  4: 'DT_UINT8',
  7: 'DT_STRING',
  9: 'DT_INT64',
  10: 'DT_BOOL',
};

const shapeSchema = z.object({
  unknownRank: z.boolean().optional(),
  dim: z.array(z.object({ size: z.union([z.string(), z.number()]).optional() })).optional(),
});

/** A TensorShapeProto: sizes, -1 where open; null where not even the rank is known. */
export function shapeOf(json: unknown): readonly number[] | null | 'wrong' {
  const parsed = shapeSchema.safeParse(json);
  if (!parsed.success) return 'wrong';
  const { unknownRank = false, dim = [] } = parsed.data;
  if (unknownRank) return null;
  // A size of 0 is the one that protobuf leaves out.
  const sizes = dim.map(({ size }) => Number(size ?? 0));
  return sizes.every((size) => Number.isSafeInteger(size) && size >= -1) ? sizes : 'wrong';
}
