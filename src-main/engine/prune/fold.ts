// Constants of cut channels go where later layers can keep them: into a bias, or the mean of the batch norm behind.
//
// A cut takes a channel's contribution away. Where that contribution is one known number (see constants.ts), the
// next layer's sums only lack a number per filter, which its bias can hold. With 'same' padding the sums at the
// border lack less, as the zeros around the image are no channel's constant: there the fold is an approximation.

import type { Graph, Node, Weight, WeightId } from '../graph/types';
import { findConstants, padsWithZeros } from './constants';
import type { Analysis } from './groups';
import type { ConstantFold } from './types';

/** Weights with constants folded in, and what was folded where. */
export interface FoldedWeights {
  readonly weights: ReadonlyMap<WeightId, Weight>;
  readonly folds: readonly ConstantFold[];
}

/** A layer's weight that can take a number per filter. */
interface Sink {
  readonly weight: WeightId;
  /** 1 for a bias, -1 for a mean, which is subtracted. */
  readonly sign: 1 | -1;
}

/**
 * Folds the constants of dropped channels into the layers that read them. Weights that change are copied.
 * @param dropped by class: 1 where it goes.
 */
export function foldConstants({ flow }: Analysis, dropped: Uint8Array): FoldedWeights {
  const { graph, shapes } = flow;
  const weights = new Map(graph.weights);
  const folds: ConstantFold[] = [];
  const constants = findConstants(graph, shapes);
  if (constants.size === 0) return { weights, folds };
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const uses = countUses(graph);
  for (const site of flow.sites) {
    if (site.kind !== 'in') continue;
    const node = nodes.get(site.node)!;
    const known = constants.get(node.inputs[0]!);
    if (known === undefined) continue;
    // The reading layer has made all rows of a labelled block one: the first speaks for all.
    const { ids } = flow.labels.get(node.inputs[0]!)!;
    const gone = known.values.map((value, i) =>
      dropped[ids[i]!] === 1 && !Number.isNaN(value) ? value : 0,
    );
    const channels = new Set(ids.subarray(0, gone.length).filter((_, i) => gone[i] !== 0)).size;
    if (channels === 0) continue;
    const sink = sinkOf(graph, node, uses);
    if (sink !== null) {
      const stored = weights.get(sink.weight)!;
      const data = Float32Array.from(stored.data);
      contributions(node, graph.weights.get(site.weight)!, gone).forEach((value, i) => {
        data[i]! += sink.sign * value;
      });
      weights.set(sink.weight, { ...stored, data });
    }
    folds.push({ node: node.id, channels, result: resultOf(node, sink, known.exact) });
  }
  return { weights, folds };
}

function resultOf(node: Node, sink: Sink | null, exact: boolean): ConstantFold['result'] {
  if (sink === null) return 'lost';
  const atBorders = node.op === 'conv2d' && padsWithZeros(node.attrs);
  return exact && !atBorders ? 'exact' : 'approximate';
}

/** What the known constants add to each output channel under a window that lies within the image. */
function contributions(node: Node, kernel: Weight, constants: Float64Array): Float64Array {
  const { shape, data } = kernel;
  const [inputs, outputs] = [shape.at(-2)!, shape.at(-1)!];
  const groups = node.op === 'conv2d' ? node.attrs.groups : 1;
  const perGroup = outputs / groups;
  const sums = new Float64Array(outputs);
  for (let row = 0; row * outputs < data.length; row++) {
    for (let output = 0; output < outputs; output++) {
      const group = Math.floor(output / perGroup);
      const constant = constants[group * inputs + (row % inputs)]!;
      sums[output]! += constant * data[row * outputs + output]!;
    }
  }
  return sums;
}

/** The layer's own bias, or the mean of a batch norm that alone reads the layer; null when neither is there. */
function sinkOf(graph: Graph, node: Node, uses: ReadonlyMap<WeightId, number>): Sink | null {
  // What a transposed convolution makes of a constant differs from place to place.
  if (node.op === 'conv2dTranspose') return null;
  const { bias } = node.weights;
  if (bias !== undefined) return uses.get(bias) === 1 ? { weight: bias, sign: 1 } : null;
  const [output] = node.outputs;
  const readers = graph.nodes.filter(({ inputs }) => inputs.includes(output!));
  const isOutput = graph.outputs.some(({ tensor }) => tensor === output);
  const [reader] = readers;
  if (isOutput || readers.length !== 1 || reader?.op !== 'batchNorm') return null;
  const mean = reader.weights.mean!;
  return uses.get(mean) === 1 ? { weight: mean, sign: -1 } : null;
}

function countUses({ nodes }: Graph): ReadonlyMap<WeightId, number> {
  const uses = new Map<WeightId, number>();
  for (const { weights } of nodes) {
    for (const id of Object.values(weights)) uses.set(id, (uses.get(id) ?? 0) + 1);
  }
  return uses;
}
