// Where a layer's channels are observed on data: behind the activation that follows the layer.

import { opDef } from '../graph/ops/table';
import type { ActivationFn, Node, NodeId, TensorId } from '../graph/types';
import type { ChannelFlow, Producer } from './channels';

/** A tensor that carries all channels of a layer. */
export interface Observed {
  readonly tensor: TensorId;
  /** True where it comes from an activation that gives zero over a whole range of its input. */
  readonly hasZeros: boolean;
}

/** Activations whose output is exactly zero on an interval: only there does a share of zeros mean something. */
const zeroing: ReadonlySet<ActivationFn> = new Set<ActivationFn>([
  'relu',
  'relu6',
  'hardSigmoid',
  'hardSwish',
]);

/** Whether a node is an activation that does something. */
function isActivation(node: Node): boolean {
  return node.op === 'prelu' || (node.op === 'activation' && node.attrs.fn !== 'linear');
}

/**
 * By producing layer: the output of the first activation that its channels reach, whatever carries them there
 * (batch norms, additions, concatenations, pooling), as long as no other layer with filters lies between. Where
 * there is none, as in a linear bottleneck: the output of the batch norm behind the layer, or the layer's own.
 */
export function observedTensors(flow: ChannelFlow): ReadonlyMap<NodeId, Observed> {
  return new Map(flow.producers.map((producer) => [producer.node, observe(flow, producer)]));
}

function observe({ graph, labels }: ChannelFlow, { node, classes }: Producer): Observed {
  const start = graph.nodes.findIndex(({ id }) => id === node);
  let observed = graph.nodes[start]!.outputs[0]!;
  const carrying = new Set([observed]);
  for (const reader of graph.nodes.slice(start + 1)) {
    if (!reader.inputs.some((tensor) => carrying.has(tensor))) continue;
    if (opDef(reader.op).macs !== undefined) continue;
    const output = reader.outputs[0]!;
    const carried = new Set(labels.get(output)!.ids);
    if (!classes.every((channel) => carried.has(channel))) continue;
    if (isActivation(reader)) {
      return {
        tensor: output,
        hasZeros: reader.op === 'activation' && zeroing.has(reader.attrs.fn),
      };
    }
    if (reader.op === 'batchNorm' && reader.inputs[0] === observed) observed = output;
    carrying.add(output);
  }
  return { tensor: observed, hasZeros: false };
}
