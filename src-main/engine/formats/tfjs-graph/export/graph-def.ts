// Builds a GraphDef node by node, in the JSON form that TensorFlow.js's converter writes: whole numbers as strings,
// texts as base64, stored numbers apart.

import { createHash } from 'node:crypto';
import { AppError } from '../../../errors';
import type { Shape, Weight } from '../../../graph/types';

/** A tensor: "node", or "node:1" for the second output. */
export type Ref = string;

type AttrValue = Readonly<Record<string, unknown>>;
export type AttrValues = Readonly<Record<string, AttrValue>>;

export interface NodeJson {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly Ref[];
  readonly attr: AttrValues;
}

const base64 = (value: string): string => Buffer.from(value, 'latin1').toString('base64');

export const attr = {
  type: (name: 'DT_FLOAT' | 'DT_INT32'): AttrValue => ({ type: name }),
  int: (value: number): AttrValue => ({ i: String(value) }),
  ints: (values: readonly number[]): AttrValue => ({ list: { i: values.map(String) } }),
  number: (value: number): AttrValue => ({ f: value }),
  flag: (value: boolean): AttrValue => ({ b: value }),
  text: (value: string): AttrValue => ({ s: base64(value) }),
  texts: (values: readonly string[]): AttrValue => ({ list: { s: values.map(base64) } }),
  shape: (sizes: readonly number[]): AttrValue => ({ shape: shapeJson(sizes) }),
};

/** A TensorShapeProto; -1 is open. */
export function shapeJson(sizes: readonly number[]): AttrValue {
  return { dim: sizes.map((size) => ({ size: String(size) })) };
}

const ofFloats = { T: attr.type('DT_FLOAT') };

export class GraphDefBuilder {
  readonly nodes: NodeJson[] = [];
  /** Stored numbers by the name of their node. */
  readonly weights = new Map<string, Weight>();
  /** Layer whose nodes are being added: names them. */
  layer = '';

  private readonly names = new Set<string>();
  private readonly constants = new Map<string, Ref>();

  /** A node of the layer, or with a name of its own. */
  emit(op: string, inputs: readonly Ref[], attrs: AttrValues = {}, name?: string): Ref {
    const own = this.uniqueName(name ?? `${this.layer}/${op.replace(/^_/, '')}`);
    this.nodes.push({
      name: own,
      op,
      ...(inputs.length === 0 ? {} : { input: inputs }),
      attr: { ...ofFloats, ...attrs },
    });
    return own;
  }

  /** An input of the model, batch included. */
  placeholder(name: string, sizes: readonly number[]): Ref {
    const own = this.uniqueName(name);
    const attrs = { dtype: attr.type('DT_FLOAT'), shape: attr.shape(sizes) };
    this.nodes.push({ name: own, op: 'Placeholder', attr: attrs });
    return own;
  }

  /** Stored numbers; those of equal shape and content share one node. */
  constant(label: string, shape: Shape, data: Float32Array | Int32Array): Ref {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const dtype = data instanceof Float32Array ? 'float32' : 'int32';
    const hash = createHash('sha256').update(bytes).digest('base64');
    const key = `${dtype} ${shape.join('x')} ${hash}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const name = this.uniqueName(`${this.layer}/${label}`);
    const type = attr.type(dtype === 'float32' ? 'DT_FLOAT' : 'DT_INT32');
    const tensor = { dtype: type['type'], tensorShape: shapeJson(shape) };
    this.nodes.push({ name, op: 'Const', attr: { value: { tensor }, dtype: type } });
    this.weights.set(name, { shape, dtype, data });
    this.constants.set(key, name);
    return name;
  }

  /** Axes, sizes and the like. */
  ints(label: string, values: readonly number[], shape: Shape = [values.length]): Ref {
    return this.constant(label, shape, Int32Array.from(values));
  }

  scalar(label: string, value: number): Ref {
    return this.constant(label, [], Float32Array.of(value));
  }

  floats(label: string, values: ArrayLike<number>, shape: Shape = [values.length]): Ref {
    return this.constant(label, shape, Float32Array.from(values));
  }

  /** A name of TensorFlow's alphabet that no node has: a colon would count outputs. */
  private uniqueName(wanted: string): string {
    const clean = wanted.replace(/[^A-Za-z0-9_./-]/g, '_').replace(/^[^A-Za-z0-9.]+/, '');
    const base = clean === '' ? 'node' : clean;
    let name = base;
    for (let i = 1; this.names.has(name); i++) name = `${base}_${i}`;
    this.names.add(name);
    return name;
  }
}

/** The error for a layer that the format cannot hold. */
export function unsupported(layer: string, why: string): AppError {
  return new AppError(
    'EXPORT_UNSUPPORTED',
    `Layer "${layer}" cannot be written as a TensorFlow.js graph model: ${why}.`,
    'Export to another format, or replace this layer.',
    { details: { layer } },
  );
}
