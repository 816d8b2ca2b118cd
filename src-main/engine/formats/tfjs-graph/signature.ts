// Inputs and outputs of a graph model, and what they are called.

import { z } from 'zod';
import { corrupt } from '../keras-config/errors';
import { parseRef, shapeOf, type GraphNode, type TensorRef } from './graph-def';

export interface Endpoint {
  readonly name: string;
  readonly ref: TensorRef;
  /** Batch included, -1 where open; null where the signature does not say. */
  readonly shape: readonly number[] | null;
}

export interface Signature {
  readonly inputs: readonly Endpoint[];
  readonly outputs: readonly Endpoint[];
}

const entriesSchema = z.record(
  z.string(),
  z.object({ name: z.string(), tensorShape: z.unknown().optional() }),
);
const signatureSchema = z.object({
  inputs: entriesSchema.optional(),
  outputs: entriesSchema.optional(),
});

/**
 * The endpoints that the signature names; where it names none, all placeholders are inputs and all nodes that
 * nobody reads are outputs, as TensorFlow.js does.
 * @throws AppError MODEL_CORRUPT
 */
export function parseSignature(json: unknown, nodes: ReadonlyMap<string, GraphNode>): Signature {
  const parsed = signatureSchema.safeParse(json ?? {});
  if (!parsed.success) throw corrupt('The signature of the model is not as the format wants it');
  const inputs = endpoints(parsed.data.inputs ?? {}, nodes);
  const outputs = endpoints(parsed.data.outputs ?? {}, nodes);
  return {
    inputs: inputs.length > 0 ? inputs : placeholders(nodes),
    outputs: outputs.length > 0 ? outputs : unread(nodes),
  };
}

/** "Identity:0" is the name that a tensor has without one of its own. */
function plainName(name: string): string {
  return name.replace(/:0$/, '');
}

function endpoints(
  entries: z.infer<typeof entriesSchema>,
  nodes: ReadonlyMap<string, GraphNode>,
): readonly Endpoint[] {
  return Object.entries(entries).map(([key, { name, tensorShape }]) => {
    const ref = parseRef(name);
    if (!nodes.has(ref.node)) {
      throw corrupt(`The signature names the node "${ref.node}", which the model does not have`);
    }
    const shape = tensorShape === undefined ? null : shapeOf(tensorShape);
    if (shape === 'wrong') throw corrupt(`The signature gives "${key}" a shape that is none`);
    return { name: plainName(key), ref, shape };
  });
}

function placeholders(nodes: ReadonlyMap<string, GraphNode>): readonly Endpoint[] {
  return [...nodes.values()]
    .filter(({ op }) => op.startsWith('Placeholder'))
    .map(({ name, attrs }) => ({
      name,
      ref: { node: name, output: 0 },
      shape: attrs.shape('shape'),
    }));
}

function unread(nodes: ReadonlyMap<string, GraphNode>): readonly Endpoint[] {
  const read = new Set([...nodes.values()].flatMap(({ inputs }) => inputs.map(({ node }) => node)));
  return [...nodes.values()]
    .filter(({ name, op }) => !read.has(name) && op !== 'NoOp' && op !== 'Const')
    .map(({ name }) => ({ name, ref: { node: name, output: 0 }, shape: null }));
}
