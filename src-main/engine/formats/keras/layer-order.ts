// The order in which Keras has the layers of a functional model once it has rebuilt it: by depth, those furthest
// from the outputs first, and by when a search from the outputs meets them. It finds weights by that order, so
// that they are written in it (keras/src/ops/function.py, map_graph; the same in Keras 2).

import type { ExportedLayer, LayersModel } from '../keras-config/export/model';

/** A call of a layer. */
interface Call {
  readonly layer: ExportedLayer;
  readonly parents: readonly Call[];
}

/** The layers of a model in Keras's order. */
export function inKerasOrder(model: LayersModel): readonly ExportedLayer[] {
  const find = callFinder(model.layers);
  const met = new Map<ExportedLayer, number>();
  const finished = postOrder(
    model.outputs.map(([layer, number]) => find(layer, number)),
    met,
  );
  const depths = new Map<Call, number>();
  const layerDepths = new Map<ExportedLayer, number>();
  for (const call of finished.reverse()) {
    const depth = Math.max(depths.get(call) ?? 0, layerDepths.get(call.layer) ?? 0);
    layerDepths.set(call.layer, depth);
    depths.set(call, depth);
    for (const parent of call.parents) {
      depths.set(parent, Math.max(depth + 1, depths.get(parent) ?? 0));
    }
  }
  const place = (layer: ExportedLayer): readonly [number, number] => [
    layerDepths.get(layer) ?? 0,
    // Inputs that no output depends on come before the others of their depth.
    met.get(layer) ?? -1,
  ];
  return model.layers
    .map((layer) => ({ layer, place: place(layer) }))
    .sort((a, b) => b.place[0] - a.place[0] || a.place[1] - b.place[1])
    .map(({ layer }) => layer);
}

function callFinder(layers: readonly ExportedLayer[]): (name: string, number: number) => Call {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const calls = new Map<string, Call>();
  // A layer is listed after those that it is called on, unless it is called again on what they made of it.
  const find = (name: string, number: number): Call => {
    const key = `${name} ${number}`;
    let call = calls.get(key);
    if (call === undefined) {
      const parents: Call[] = [];
      call = { layer: byName.get(name)!, parents };
      calls.set(key, call);
    }
    return call;
  };
  for (const layer of layers) {
    layer.inbound_nodes.forEach((tensors, number) => {
      const { parents } = find(layer.name, number);
      (parents as Call[]).push(...tensors.map(([from, call]) => find(from, call)));
    });
  }
  return find;
}

/** Calls, each after those that it reads; `met` gets the number at which each layer was first come to. */
function postOrder(outputs: readonly Call[], met: Map<ExportedLayer, number>): Call[] {
  const finished: Call[] = [];
  const seen = new Set<Call>();
  // A stack of its own: a deep network would exhaust that of the program.
  const stack: { readonly call: Call; next: number }[] = [];
  const visit = (call: Call): void => {
    if (seen.has(call)) return;
    seen.add(call);
    if (!met.has(call.layer)) met.set(call.layer, met.size);
    stack.push({ call, next: 0 });
  };
  for (const output of outputs) {
    visit(output);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const parent = top.call.parents[top.next++];
      if (parent !== undefined) visit(parent);
      else finished.push(stack.pop()!.call);
    }
  }
  return finished;
}
