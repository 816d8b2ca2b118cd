// The graph of an ONNX file as the importer sees it: checked names, nodes in order, constants at hand.

import { corrupt, tooLarge, unsupportedOp } from './errors';
import { Attributes } from './attributes';
import { maxNodes, maxTensors } from './limits';
import type { GraphProto, ModelProto, NodeProto, ValueInfoProto } from './proto/messages';
import { storedTensor, type Constant, type ReadExternal } from './tensor';

export interface OnnxNode {
  /** May be empty. */
  readonly name: string;
  readonly op: string;
  /** '' for the standard operators. */
  readonly domain: string;
  /** '' where an optional input or output is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  /** Modules of the program that the node comes from, outermost first, and last its own name; [] where unknown. */
  readonly scopes: readonly string[];
}

export interface OnnxInput {
  readonly name: string;
  /** TensorProto.DataType, 0 where it is not stated. */
  readonly elementType: number;
  /** Null for a size that is open. */
  readonly dims: readonly (number | null)[];
}

export interface OnnxGraph {
  readonly name: string;
  /** Version of the standard operators. */
  readonly opset: number;
  readonly producer: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly inputs: readonly OnnxInput[];
  readonly outputs: readonly string[];
  /** Those that an output depends on, each after those whose tensors it reads. */
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, Constant>;
}

/** @throws AppError MODEL_CORRUPT, MODEL_UNSUPPORTED_OP, MODEL_TOO_LARGE */
export function readGraph(proto: ModelProto, external: ReadExternal): OnnxGraph {
  const graph = graphOf(proto);
  requireReasonableCounts(graph);
  const tensors = new Names('tensor');
  const constants = new Map<string, Constant>();
  for (const tensor of graph.initializer) {
    const constant = storedTensor(tensor, '', external);
    tensors.claim(constant.name);
    constants.set(constant.name, constant);
  }
  if ((graph.sparseInitializer ?? []).length > 0) {
    throw unsupportedOp(
      graph.name ?? '',
      'sparse initialiser',
      'its weights are stored sparsely',
      'Export the model with dense weights.',
    );
  }
  // Older files list their initialisers among the inputs.
  const inputs = graph.input.filter(({ name = '' }) => !constants.has(name)).map(readInput);
  for (const { name } of inputs) tensors.claim(name);
  const nodes: OnnxNode[] = [];
  const aliases = new Map<string, string>();
  for (const protoNode of graph.node) {
    const node = readNode(protoNode, external);
    for (const output of node.outputs) if (output !== '') tensors.claim(output);
    if (isStandard(node) && node.op === 'Constant') {
      constants.set(node.outputs[0]!, constantNode(node));
    } else if (isStandard(node) && node.op === 'Identity' && node.inputs[0] && node.outputs[0]) {
      aliases.set(node.outputs[0], node.inputs[0]);
    } else {
      nodes.push(node);
    }
  }
  const resolve = resolver(aliases);
  const resolved = nodes.map((node) => ({ ...node, inputs: node.inputs.map(resolve) }));
  const outputs = graph.output.map(({ name = '' }) => name);
  if (outputs.length === 0) throw corrupt('It has no output');
  const known = new Set([...inputs.map(({ name }) => name), ...constants.keys()]);
  return {
    name: graph.name ?? '',
    opset: opsetOf(proto),
    producer: proto.producerName ?? '',
    metadata: new Map(proto.metadataProps.map(({ key = '', value = '' }) => [key, value])),
    inputs,
    outputs: outputs.map(resolve),
    nodes: inOrder(resolved, outputs.map(resolve), known),
    constants,
  };
}

/** Whether an operator is of the standard set. */
export function isStandard({ domain }: Pick<OnnxNode, 'domain'>): boolean {
  return domain === '' || domain === 'ai.onnx';
}

/** How a node is spoken of. */
export function describeNode({
  name,
  op,
  outputs,
}: Pick<OnnxNode, 'name' | 'op' | 'outputs'>): string {
  return `Layer "${name || outputs[0] || op}" (${op})`;
}

function graphOf({ graph }: ModelProto): GraphProto {
  if (graph) return graph;
  throw corrupt('It holds no graph');
}

function requireReasonableCounts({ node, initializer }: GraphProto): void {
  if (node.length > maxNodes) throw tooLarge('Number of nodes', node.length, maxNodes);
  if (initializer.length > maxTensors) {
    throw tooLarge('Number of tensors', initializer.length, maxTensors);
  }
}

/** The oldest set whose operators are read as they were meant then. */
const oldestOpset = 7;

function opsetOf({ opsetImport }: ModelProto): number {
  const version = opsetImport.find(({ domain = '' }) => isStandard({ domain }))?.version;
  if (!version) throw corrupt('It does not say which version of the ONNX operators it uses');
  if (version >= oldestOpset) return version;
  throw unsupportedOp(
    'model',
    `operators of version ${version}`,
    `Secateur reads versions from ${oldestOpset} on`,
    'Export the model with opset_version 17, or convert the file with onnx.version_converter.',
  );
}

/** Refuses a second claim to a name. */
class Names {
  private readonly seen = new Set<string>();

  constructor(private readonly what: string) {}

  claim(name: string): void {
    if (name === '') throw corrupt(`A ${this.what} has no name`);
    if (this.seen.has(name)) throw corrupt(`The ${this.what} "${name}" is there twice`);
    this.seen.add(name);
  }
}

function readInput({ name = '', type }: ValueInfoProto): OnnxInput {
  const tensor = type?.tensorType;
  if (!tensor?.shape) {
    throw unsupportedOp(
      name,
      'input',
      'the file does not state its shape',
      'Export the model with a fixed input size, or add it with onnx.shape_inference.',
    );
  }
  return {
    name,
    elementType: tensor.elemType ?? 0,
    dims: tensor.shape.dim.map(({ dimValue = 0 }) => (dimValue > 0 ? dimValue : null)),
  };
}

function readNode(proto: NodeProto, external: ReadExternal): OnnxNode {
  const node = {
    name: proto.name ?? '',
    op: proto.opType ?? '',
    domain: proto.domain ?? '',
    inputs: proto.input,
    outputs: proto.output,
  };
  if (node.op === '') throw corrupt(`The node "${node.name}" has no operator`);
  return {
    ...node,
    attributes: new Attributes(describeNode(node), proto.attribute, external),
    scopes: scopesOf(proto),
  };
}

/** PyTorch's exporter notes them as a Python list: "['', 'layer1', 'layer1.0', 'relu']". */
function scopesOf({ metadataProps = [] }: NodeProto): readonly string[] {
  const text = metadataProps.find(({ key }) => key === 'pkg.torch.onnx.name_scopes')?.value ?? '';
  return Array.from(text.matchAll(/'([^']*)'/g), ([, scope]) => scope!);
}

/** The value of a node Constant, in any of the forms that the operator offers. */
function constantNode(node: OnnxNode): Constant {
  const { attributes, outputs } = node;
  const name = outputs[0]!;
  const given = (
    shape: readonly number[],
    kind: Constant['kind'],
    data: readonly number[],
  ): Constant => {
    const numbers = kind === 'float' ? Float32Array.from(data) : Float64Array.from(data);
    return { name, shape, kind, numbers: () => numbers };
  };
  if (attributes.has('value')) return { ...attributes.tensor('value'), name };
  if (attributes.has('value_float')) return given([], 'float', [attributes.float('value_float')]);
  if (attributes.has('value_int')) return given([], 'int', [attributes.int('value_int')]);
  if (attributes.has('value_floats')) {
    const floats = attributes.floats('value_floats');
    return given([floats.length], 'float', floats);
  }
  if (attributes.has('value_ints')) {
    const ints = attributes.ints('value_ints');
    return given([ints.length], 'int', ints);
  }
  throw unsupportedOp(name, node.op, 'its value is neither a tensor nor numbers');
}

/** Follows identities; a circle of them leads nowhere and shows as a tensor that nothing makes. */
function resolver(aliases: ReadonlyMap<string, string>): (name: string) => string {
  return (name) => {
    let current = name;
    for (let steps = 0; steps <= aliases.size; steps++) {
      const next = aliases.get(current);
      if (next === undefined) return current;
      current = next;
    }
    throw corrupt(`The tensor "${name}" is made of itself`);
  };
}

/** Depth first from the outputs, with a stack of its own: a deep network would exhaust that of the program. */
function inOrder(
  nodes: readonly OnnxNode[],
  outputs: readonly string[],
  known: ReadonlySet<string>,
): readonly OnnxNode[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node])));
  const ordered: OnnxNode[] = [];
  const state = new Map<OnnxNode, 'open' | 'done'>();
  const makerOf = (tensor: string, reader: string): OnnxNode | null => {
    if (tensor === '' || known.has(tensor)) return null;
    const maker = makers.get(tensor);
    if (maker !== undefined) return maker;
    throw corrupt(`${reader} reads the tensor "${tensor}", which nothing makes`, { tensor });
  };
  for (const output of outputs) {
    const root = makerOf(output, 'The output');
    const stack = root === null ? [] : [root];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (state.get(node) === 'done') {
        stack.pop();
        continue;
      }
      const before = node.inputs.flatMap((input) => {
        const maker = makerOf(input, describeNode(node));
        return maker === null || state.get(maker) === 'done' ? [] : [maker];
      });
      if (before.length === 0) {
        state.set(node, 'done');
        ordered.push(node);
        stack.pop();
      } else if (state.get(node) === 'open') {
        throw corrupt(`${describeNode(node)} depends on its own output`, { layer: node.name });
      } else {
        state.set(node, 'open');
        for (const maker of before.reverse()) stack.push(maker);
      }
    }
  }
  return inFileOrder(nodes, ordered, known);
}

/** The order of the file, where that is one in which each node finds what it reads, as the format asks for. */
function inFileOrder(
  nodes: readonly OnnxNode[],
  ordered: readonly OnnxNode[],
  known: ReadonlySet<string>,
): readonly OnnxNode[] {
  const needed = new Set(ordered);
  const sorted = nodes.filter((node) => needed.has(node));
  const made = new Set(['', ...known]);
  for (const node of sorted) {
    if (!node.inputs.every((input) => made.has(input))) return ordered;
    for (const output of node.outputs) made.add(output);
  }
  return sorted;
}
