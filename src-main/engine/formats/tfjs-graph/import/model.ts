// From the nodes of a graph model to a graph: numbers that do not depend on the input first, then layer by layer.

import { GraphBuilder } from '../../../graph/build';
import { formatShape } from '../../../graph/ops/check';
import type { Graph, Weight } from '../../../graph/types';
import { validateGraph } from '../../../graph/validate';
import { corrupt } from '../../keras-config/errors';
import { unsupportedOp } from '../errors';
import type { GraphNode } from '../graph-def';
import type { Endpoint, Signature } from '../signature';
import { fold } from './fold';
import { countReaders, orderOf, Source, withSources } from './order';
import { findSpelt } from './patterns';
import { Call, type Session } from './session';
import { simplify } from './simplify';
import { importerOf } from './table';
import { activation, storedConstant, type Constant, type Value } from './values';

export interface GraphModel {
  readonly name: string;
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly signature: Signature;
  readonly weights: ReadonlyMap<string, Weight>;
}

/**
 * Builds the graph of a model.
 * @throws AppError MODEL_CORRUPT, MODEL_UNSUPPORTED_OP naming the node, MODEL_TOO_LARGE
 */
export function importGraphModel(model: GraphModel, notes: string[]): Graph {
  const { signature, weights } = model;
  const ends = new Set(signature.inputs.map(({ ref }) => ref.node));
  const source = new Source(model.nodes, ends);
  const resolved = withSources(model.nodes, source);
  const outputs = signature.outputs.map(({ ref }) => source.of(ref));
  const whole = orderOf(resolved, outputs, ends);
  const constants = foldConstants(resolved, whole, weights, ends);
  const readers = countReaders(resolved, whole, outputs);
  const nodes = new Map([
    ...resolved,
    ...findSpelt({ nodes: resolved, constants, readers }, whole),
  ]);

  const session = openSession(model, notes);
  const values = new Map<string, readonly Value[]>(constants);
  for (const endpoint of signature.inputs) {
    values.set(endpoint.ref.node, [addInput(session, endpoint, nodes)]);
  }
  const valueOf = (ref: { readonly node: string; readonly output: number }): Value => {
    const value = values.get(ref.node)?.[ref.output];
    if (value !== undefined) return value;
    throw corrupt(`The node "${ref.node}" has no output ${ref.output} that is known here`);
  };
  for (const name of orderOf(nodes, outputs, ends)) {
    if (values.has(name)) continue;
    const node = nodes.get(name)!;
    values.set(name, importNode(session, node, node.inputs.map(valueOf)));
  }
  signature.outputs.forEach((endpoint, i) => {
    const value = valueOf(outputs[i]!);
    const node = nodes.get(outputs[i]!.node)!;
    if (value.kind === 'constant') {
      throw corrupt(`The output "${endpoint.name}" does not depend on the input`);
    }
    session.builder.output(new Call(session, node, []).plain(value), endpoint.name);
  });
  const graph = simplify(session.builder.build());
  validateGraph(graph);
  return graph;
}

/** What nodes compute from stored numbers alone. */
function foldConstants(
  nodes: ReadonlyMap<string, GraphNode>,
  order: readonly string[],
  weights: ReadonlyMap<string, Weight>,
  ends: ReadonlySet<string>,
): ReadonlyMap<string, readonly Constant[]> {
  const constants = new Map<string, readonly Constant[]>();
  for (const name of order) {
    const node = nodes.get(name)!;
    if (ends.has(name)) continue;
    if (node.op === 'Const') {
      const weight = weights.get(name);
      if (weight === undefined) throw corrupt(`The file has no numbers for the constant "${name}"`);
      constants.set(name, [storedConstant(name, weight)]);
      continue;
    }
    const inputs = node.inputs.map((ref) => constants.get(ref.node)?.[ref.output]);
    if (!inputs.every((input) => input !== undefined)) continue;
    const folded = fold(node, inputs);
    if (folded !== null) constants.set(name, folded);
  }
  return constants;
}

function openSession({ name, signature }: GraphModel, notes: string[]): Session {
  const first = signature.inputs[0]?.shape?.[0];
  return {
    builder: new GraphBuilder(name),
    notes,
    batch: first !== undefined && first > 0 ? first : NaN,
    names: new Set(),
    stored: new Map(),
    turned: new Map(),
  };
}

function importNode(session: Session, node: GraphNode, inputs: readonly Value[]): readonly Value[] {
  const known = inputs.filter((input) => input.kind === 'constant');
  if (known.length === inputs.length && node.spelt === undefined) {
    // Arithmetic on shapes.
    const folded = fold(node, known);
    if (folded !== null) return folded;
  }
  const importer = importerOf(node);
  const result = importer(new Call(session, node, inputs));
  return 'kind' in result ? [result] : result;
}

const numberTypes: ReadonlySet<string> = new Set([
  '',
  'DT_BFLOAT16',
  'DT_DOUBLE',
  'DT_FLOAT',
  'DT_HALF',
  'DT_INT32',
  'DT_INT64',
  'DT_UINT8',
]);

/** An input, per sample; images that the model's convolutions want with channels first are read with them last. */
function addInput(
  session: Session,
  { name, ref, shape: stated }: Endpoint,
  nodes: ReadonlyMap<string, GraphNode>,
): Value {
  const node = nodes.get(ref.node)!;
  const type = node.attrs.type('dtype');
  if (!numberTypes.has(type)) throw unsupportedOp(node.name, node.op, `it is of the type ${type}`);
  const shape = stated ?? node.attrs.shape('shape');
  const [, ...sample] = shape ?? [];
  if (shape === null || shape.length < 2 || sample.includes(-1)) {
    const text = shape === null ? 'of any form' : formatShape(shape).replaceAll('-1', '?');
    throw unsupportedOp(
      node.name,
      node.op,
      `its shape ${text} is not fixed but for the number of samples`,
      'Convert the model with a fixed input size (for instance [-1, 224, 224, 3]).',
    );
  }
  if (sample.includes(0)) throw corrupt(`The input "${name}" has an axis of size 0`);
  const isFirst = sample.length === 3 && wantsChannelsFirst(nodes);
  const own = isFirst ? [...sample.slice(1), sample[0]!] : sample;
  session.names.add(name);
  const tensor = session.builder.input(name, own);
  if (!isFirst) return activation(tensor);
  session.notes.push(`The input "${name}" has its channels first in the file; here they are last.`);
  return activation(tensor, 'channelsFirst');
}

function wantsChannelsFirst(nodes: ReadonlyMap<string, GraphNode>): boolean {
  const formats = [...nodes.values()]
    .filter(({ op, attrs }) => op.includes('Conv2') && attrs.has('data_format'))
    .map(({ attrs }) => attrs.text('data_format', 'NHWC'));
  return formats.length > 0 && formats.every((format) => format === 'NCHW');
}
