// Names of layers as the author of the model knows them: those of the modules in PyTorch, where the file tells.

import { isStandard, type OnnxGraph, type OnnxNode } from './model';

/** Where a node comes from: the path of its module, and its own name within. */
interface Origin {
  readonly module: string;
  readonly own: string;
}

/** A name for each node; names may occur more than once. */
export function layerNames({
  nodes,
  constants,
}: Pick<OnnxGraph, 'nodes' | 'constants'>): ReadonlyMap<OnnxNode, string> {
  const origins = new Map(nodes.map((node) => [node, originOf(node)]));
  const inModule = new Map<string, number>();
  for (const origin of origins.values()) {
    if (origin === null) continue;
    const path = origin.module.split('.');
    // What a module within it computes is the module's too.
    for (let i = 1; i <= path.length; i++) {
      const module = path.slice(0, i).join('.');
      inModule.set(module, (inModule.get(module) ?? 0) + 1);
    }
  }
  return new Map(
    nodes.map((node) => {
      const weight = weightOwner(node, constants);
      if (weight !== null) return [node, weight];
      const origin = origins.get(node)!;
      if (origin === null) return [node, node.name || node.outputs.find(Boolean) || node.op];
      if (origin.module === '') return [node, origin.own];
      // A module that is one node is the layer; what a larger one computes itself is named within it.
      const isLayer = inModule.get(origin.module) === 1;
      return [node, isLayer ? origin.module : `${origin.module}.${origin.own}`];
    }),
  );
}

/** "layer1.0.conv1" where a node's weight is called "layer1.0.conv1.weight". */
function weightOwner(node: OnnxNode, constants: OnnxGraph['constants']): string | null {
  if (!isStandard(node)) return null;
  for (const input of node.inputs.slice(1)) {
    const owner = /^(.+)\.weight$/.exec(constants.has(input) ? input : '')?.[1];
    if (owner !== undefined) return owner;
  }
  return null;
}

/**
 * PyTorch's newer exporter notes scopes: ['', 'layer1', 'layer1.0', 'layer1.0.relu', 'relu_3']. The older one puts
 * modules into names, children of a list with the list's name again: "/layer1/layer1.0/relu/Relu".
 */
function originOf({ name, scopes }: OnnxNode): Origin | null {
  if (scopes.length >= 2) return { module: scopes.at(-2)!, own: scopes.at(-1)! };
  if (!/^\/./.test(name)) return null;
  const parts = name.slice(1).split('/');
  const own = parts.pop()!;
  const modules: string[] = [];
  for (const part of parts) {
    const last = modules.at(-1);
    if (last !== undefined && part.startsWith(`${last}.`)) modules.pop();
    modules.push(part);
  }
  return { module: modules.join('.'), own };
}
