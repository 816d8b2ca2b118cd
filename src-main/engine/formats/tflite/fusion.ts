// Which layers become one TFLite operator: those that `formats/fusion` finds, with the activations that operators of
// TFLite compute themselves.

import type { Graph, Node, Op } from '../../graph/types';
import { planFusion, type FusionPlan } from '../fusion';
import type { FusedActivation } from './schema';

/** Ops whose TFLite operators have a field for an activation and whose kernels obey it. */
const activating: ReadonlySet<Op> = new Set<Op>([
  'conv2d',
  'depthwiseConv2d',
  'dense',
  'batchNorm',
  'add',
  'sub',
  'mul',
  'div',
]);

export function planOperators(graph: Graph): FusionPlan<FusedActivation> {
  return planFusion(graph, (layer, next) =>
    activating.has(layer.op) ? fusedActivation(next) : null,
  );
}

function fusedActivation(node: Node): FusedActivation | null {
  if (node.op !== 'activation') return null;
  const { fn } = node.attrs;
  if (fn === 'relu') return 'RELU';
  return fn === 'relu6' ? 'RELU6' : null;
}
