// Turns a graph into the layers of a functional Keras model, and notes what the layers alone do not say.

import { AppError } from '../../../errors';
import { inferShapes, inputShapesOf, weightsOf } from '../../../graph/shapes';
import type { ShapeMap } from '../../../graph/ops/types';
import type { ActivationFn, Graph, Node, TensorId, Weight } from '../../../graph/types';
import type { Composite, SecateurMetadata } from '../metadata';
import { exporters } from './table';
import {
  targetTitles,
  type Exported,
  type ExportNode,
  type LayerOptions,
  type NodeExport,
  type Port,
  type Target,
} from './types';

export type InboundTensor = readonly [string, number, number, Readonly<Record<string, never>>];

export interface ExportedLayer {
  readonly name: string;
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** A list of tensors for each call. */
  readonly inbound_nodes: (readonly InboundTensor[])[];
}

export interface LayersModel {
  readonly layers: readonly ExportedLayer[];
  readonly inputs: readonly (readonly [string, number, number])[];
  readonly outputs: readonly (readonly [string, number, number])[];
  /** By name, in the order of the layers. */
  readonly weights: ReadonlyMap<string, Weight>;
  readonly notes: Pick<SecateurMetadata, 'nodes' | 'composites' | 'outputs' | 'origins'>;
}

/** @throws AppError EXPORT_UNSUPPORTED naming the layer that the target cannot hold */
export function exportGraph(graph: Graph, target: Target): LayersModel {
  return new GraphExport(graph, target).run();
}

/** Nodes that an output depends on: TensorFlow.js has no place for the weights of others. */
function neededNodes({ nodes, outputs }: Graph): readonly Node[] {
  const needed = new Set(outputs.map(({ tensor }) => tensor));
  const backwards = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((tensor) => needed.has(tensor))) return false;
    for (const tensor of node.inputs) needed.add(tensor);
    return true;
  });
  return backwards.reverse();
}

class GraphExport {
  private readonly shapes: ShapeMap;
  private readonly neverNegative: ReadonlySet<TensorId>;
  private readonly layers = new Map<string, ExportedLayer>();
  private readonly weights = new Map<string, Weight>();
  private readonly ports = new Map<TensorId, Port>();
  private readonly nodeNames = new Map<string, string[]>();
  private readonly composites: Composite[] = [];
  /** Layers that further nodes with the same weights and attributes are calls of. */
  private readonly shared = new Map<string, string>();

  constructor(
    private readonly graph: Graph,
    private readonly target: Target,
  ) {
    this.shapes = inferShapes(graph);
    this.neverNegative = neverNegative(graph);
  }

  run(): LayersModel {
    const inputs = this.graph.inputs.map((input) => {
      const name = this.freeName(input.name);
      const config = { batch_input_shape: [null, ...input.shape], dtype: 'float32', sparse: false };
      this.layers.set(name, {
        name,
        class_name: 'InputLayer',
        config: { ...config, name },
        inbound_nodes: [],
      });
      this.noteName(name, input.name);
      this.ports.set(input.tensor, { layer: name, call: 0 });
      return [name, 0, 0] as const;
    });
    for (const node of neededNodes(this.graph)) this.addNode(node);
    return {
      layers: [...this.layers.values()],
      inputs,
      outputs: this.graph.outputs.map(({ tensor }) => {
        const { layer, call } = this.ports.get(tensor)!;
        return [layer, call, 0] as const;
      }),
      weights: this.weights,
      notes: {
        outputs: this.graph.outputs.map(({ name }) => name),
        nodes: Object.fromEntries(
          [...this.nodeNames].filter(([layer, names]) => names.length > 1 || names[0] !== layer),
        ),
        composites: this.composites,
        origins: Object.fromEntries(
          this.graph.nodes.flatMap(({ name, origin }) =>
            origin === undefined ? [] : [[name, [...origin]] as const],
          ),
        ),
      },
    };
  }

  private addNode(node: Node): void {
    const inputs = node.inputs.map((tensor) => this.ports.get(tensor)!);
    const ids = Object.entries(node.weights).map(([role, id]) => `${role} ${id}`);
    const key = JSON.stringify([node.op, node.attrs, ids.sort()]);
    const known = ids.length > 0 ? this.shared.get(key) : undefined;
    if (known !== undefined) {
      this.noteName(known, node.name);
      this.ports.set(node.outputs[0]!, this.call(known, inputs));
      return;
    }
    const added: string[] = [];
    const exported = this.exportNode(node, inputs, added);
    node.outputs.forEach((tensor, i) => this.ports.set(tensor, exported.outputs[i]!));
    if (exported.exact) {
      this.noteName(added[0]!, node.name);
      this.shared.set(key, added[0]!);
    } else {
      this.composites.push(this.describeComposite(node, inputs, added, exported));
    }
  }

  private exportNode(node: Node, inputs: readonly Port[], added: string[]): Exported {
    const weight = weightsOf(this.graph, node);
    const [input] = this.graph.inputs;
    const given = {
      target: this.target,
      node,
      anchor: { port: this.ports.get(input!.tensor)!, shape: input!.shape },
      isNeverNegative: this.neverNegative.has(node.inputs[0] ?? ''),
      inputs,
      inputShapes: inputShapesOf(node, this.shapes),
      outputShapes: node.outputs.map((tensor) => this.shapes.get(tensor)!),
      weight,
      layer: (className, config, layerInputs, options = {}) => {
        const port = this.addLayer(node.name, className, config, layerInputs, options);
        added.push(port.layer);
        return port;
      },
      unsupported: (why) => unsupported(node, this.target, why),
    } satisfies Omit<NodeExport<Node['op']>, 'node'> & { node: Node };
    // The table pairs each op with the exporter of its own node type; the compiler cannot follow the pairing.
    const exporter = exporters[node.op] as ExportNode<Node['op']>;
    return exporter(given as Parameters<typeof exporter>[0]);
  }

  private addLayer(
    nodeName: string,
    className: string,
    config: Readonly<Record<string, unknown>>,
    inputs: readonly Port[],
    { suffix, weights = {} }: LayerOptions,
  ): Port {
    const name = this.freeName(suffix === undefined ? nodeName : `${nodeName}_${suffix}`);
    this.layers.set(name, {
      name,
      class_name: className,
      config: { name, ...config },
      inbound_nodes: [],
    });
    for (const [weightName, weight] of Object.entries(weights)) {
      if (weight !== undefined) this.weights.set(`${name}/${weightName}`, weight);
    }
    return this.call(name, inputs);
  }

  private call(layer: string, inputs: readonly Port[]): Port {
    const calls = this.layers.get(layer)!.inbound_nodes;
    calls.push(inputs.map((port) => [port.layer, port.call, 0, {}] as const));
    return { layer, call: calls.length - 1 };
  }

  private describeComposite(
    node: Node,
    inputs: readonly Port[],
    layers: readonly string[],
    { outputs }: Exported,
  ): Composite {
    const places = inputs.map((input): [string, number] => {
      for (const layer of layers) {
        const tensors = this.layers.get(layer)!.inbound_nodes[0]!;
        const place = tensors.findIndex(
          ([from, call]) => from === input.layer && call === input.call,
        );
        if (place >= 0) return [layer, place];
      }
      return [layers[0]!, 0];
    });
    return {
      name: node.name,
      op: node.op,
      attrs: node.attrs,
      layers: [...layers],
      inputs: places,
      outputs: outputs.map(({ layer }) => layer),
    };
  }

  private noteName(layer: string, node: string): void {
    this.nodeNames.set(layer, [...(this.nodeNames.get(layer) ?? []), node]);
  }

  /**
   * A name that TensorFlow.js takes for a tensor's (tfjs-layers, common.ts: letters, digits and -._/ after a
   * letter or digit), Keras for a layer's (no slashes), and that no layer has yet.
   */
  private freeName(wanted: string): string {
    const foreign = this.target === 'keras' ? /[^-A-Za-z0-9._]/g : /[^-A-Za-z0-9._/]/g;
    const plain = wanted.replace(foreign, '_');
    const base = /^[A-Za-z0-9]/.test(plain) ? plain : `layer${plain}`;
    let name = base;
    for (let n = 1; this.layers.has(name) || this.isTaken(name, wanted); n++) name = `${base}_${n}`;
    return name;
  }

  /** Whether another node or input will want this very name later. */
  private isTaken(name: string, wanted: string): boolean {
    return name !== wanted && this.graph.nodes.some((node) => node.name === name);
  }
}

/** Activations whose results are at least zero. */
const positiveFunctions: ReadonlySet<ActivationFn> = new Set([
  'relu',
  'relu6',
  'sigmoid',
  'hardSigmoid',
  'softplus',
  'exp',
  'sqrt',
  'abs',
] as const);

/** Tensors that come straight from such a function, or from one through layers that only choose or keep values. */
function neverNegative({ nodes }: Graph): ReadonlySet<TensorId> {
  const found = new Set<TensorId>();
  for (const node of nodes) {
    const isSource =
      node.op === 'softmax' || (node.op === 'activation' && positiveFunctions.has(node.attrs.fn));
    const keeps = ['maxPool2d', 'dropout', 'gather', 'slice', 'concat'].includes(node.op);
    if (isSource || (keeps && node.inputs.every((tensor) => found.has(tensor)))) {
      for (const tensor of node.outputs) found.add(tensor);
    }
  }
  return found;
}

function unsupported(node: Node, target: Target, why: string): AppError {
  return new AppError(
    'EXPORT_UNSUPPORTED',
    `Layer "${node.name}" (${node.op}) cannot be written for ${targetTitles[target]}: ${why}.`,
    'Export as TensorFlow Lite, which can hold it.',
    { details: { layer: node.name, op: node.op } },
  );
}
