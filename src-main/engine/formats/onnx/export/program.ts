// An ONNX graph under construction: nodes, stored tensors, and names that are taken.

import { unusedName } from '../../../graph/build';
import type { Shape } from '../../../graph/types';
import type { AttributeProto, NodeProto, TensorProto } from '../proto/messages';
import { attributeTypes, dataTypes } from '../proto/schema';

/** The value of an attribute with its type, which a number alone would not show. */
export type Attribute = Omit<AttributeProto, 'name'>;

export const int = (i: number): Attribute => ({ type: attributeTypes.INT, i });
export const float = (f: number): Attribute => ({ type: attributeTypes.FLOAT, f });
export const ints = (values: readonly number[]): Attribute => ({
  type: attributeTypes.INTS,
  ints: values,
});
export const text = (value: string): Attribute => ({
  type: attributeTypes.STRING,
  s: new TextEncoder().encode(value),
});

export type Attributes = Readonly<Record<string, Attribute>>;

export class OnnxProgram {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  private readonly names = new Set<string>();
  private readonly nodeNames = new Set<string>();
  private readonly stored = new Map<string, string>();

  /** A name that no tensor has yet. */
  freeName(wanted: string): string {
    const name = unusedName(wanted, this.names);
    this.names.add(name);
    return name;
  }

  /** Adds a node and returns the names of its outputs, the first as wanted where that is free. */
  emit(
    op: string,
    inputs: readonly string[],
    attributes: Attributes,
    { name, outputs = [name] }: { readonly name: string; readonly outputs?: readonly string[] },
  ): readonly string[] {
    const made = outputs.map((output) => this.freeName(output));
    const unique = unusedName(name, this.nodeNames);
    this.nodeNames.add(unique);
    this.nodes.push({
      opType: op,
      name: unique,
      input: inputs,
      output: made,
      attribute: Object.entries(attributes).map(([key, value]) => ({ name: key, ...value })),
    });
    return made;
  }

  /**
   * Gives tensors the names of outputs. What is an input, a stored tensor or an output under another name already is
   * copied.
   */
  nameOutputs(outputs: readonly { readonly tensor: string; readonly name: string }[]): void {
    const made = new Set(this.nodes.flatMap(({ output }) => output));
    const renamed = new Map<string, string>();
    const copied: NodeProto[] = [];
    for (const { tensor, name } of outputs) {
      if (made.has(tensor) && !renamed.has(tensor)) renamed.set(tensor, name);
      else
        copied.push({ opType: 'Identity', name, input: [tensor], output: [name], attribute: [] });
    }
    const now = (names: readonly string[]): readonly string[] =>
      names.map((name) => renamed.get(name) ?? name);
    for (const [i, node] of [...this.nodes, ...copied].entries()) {
      this.nodes[i] = { ...node, input: now(node.input), output: now(node.output) };
    }
  }

  /** A stored tensor of float32; the same key gives the one that is there. */
  floats(key: string, shape: Shape, make: () => Float32Array): string {
    return this.store(key, () => {
      const data = make();
      return {
        dims: shape,
        dataType: dataTypes.FLOAT,
        rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      };
    });
  }

  /** A stored list of whole numbers: sizes, axes, indices. Equal lists are one tensor. */
  integers(values: readonly number[], shape: Shape = [values.length]): string {
    return this.store(`ints ${values.join(' ')}${shape.length === 0 ? ' scalar' : ''}`, () => {
      const data = BigInt64Array.from(values, BigInt);
      return { dims: shape, dataType: dataTypes.INT64, rawData: new Uint8Array(data.buffer) };
    });
  }

  /** A number on its own. */
  number(value: number): string {
    return this.floats(`number ${value}`, [], () => Float32Array.of(value));
  }

  private store(key: string, make: () => Omit<TensorProto, 'name'>): string {
    const known = this.stored.get(key);
    if (known !== undefined) return known;
    const name = this.freeName(key);
    this.stored.set(key, name);
    this.initializers.push({ ...make(), name });
    return name;
  }
}
