// Which image inputs have their channels last: those whose every reader begins by moving them to the front, as the
// converters from TensorFlow write it.

import { isStandard, type OnnxGraph, type OnnxNode } from '../model';

/** Operators that treat every value alike, so that one may look behind them. */
const pointwise: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div', 'Cast', 'Clip', 'Neg']);

export function channelsLastInputs(graph: OnnxGraph): ReadonlySet<string> {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const movesChannels = (tensor: string): boolean => {
    const own = readers.get(tensor) ?? [];
    return (
      own.length > 0 &&
      own.every((node) => {
        if (!isStandard(node)) return false;
        if (node.op === 'Transpose') return node.attributes.ints('perm', []).join() === '0,3,1,2';
        return (
          pointwise.has(node.op) && node.inputs[0] === tensor && movesChannels(node.outputs[0]!)
        );
      })
    );
  };
  return new Set(graph.inputs.flatMap(({ name }) => (movesChannels(name) ? [name] : [])));
}
