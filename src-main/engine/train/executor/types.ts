// What a kernel is: how one op computes on tensors, and how gradients flow back through it.

import type { NodeOf, Op, Shape, WeightRole } from '../../graph/types';
import type { Rng } from '../../graph/rng';
import type { Primitives, Tensor, TensorFlow } from '../../runtime/primitives';

/** How a pass computes. */
export interface PassOptions {
  /** Batch norm by the statistics of the batch, which moves the running ones; false takes the running ones. */
  readonly batchStatistics: boolean;
  /** What stays of the running statistics, instead of each node's own momentum; null leaves it to the node. */
  readonly momentum: number | null;
  /** What dropout draws from; null switches dropout off. */
  readonly dropout: Rng | null;
}

/** Given to a kernel beside its inputs. Tensors carry the batch as axis 0; shapes here are per sample. */
export interface KernelContext extends PassOptions {
  readonly tf: TensorFlow;
  readonly primitives: Primitives;
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  /** The node's weight; undefined when it has none of that role. */
  readonly weight: (role: WeightRole) => Tensor | undefined;
  /** Replaces a weight: running statistics. */
  updateWeight(role: WeightRole, value: Tensor): void;
  /** Keeps tensors for `backward`. */
  save(...tensors: Tensor[]): void;
}

/** What gradients are computed from. */
export interface BackwardArguments {
  /** Only shapes can be read unless the kernel `keeps` inputs or outputs. */
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Gradients with respect to the outputs; null where none reached one. */
  readonly dys: readonly (Tensor | null)[];
  /** Gradient with respect to output 0. */
  readonly dy: Tensor;
  readonly saved: readonly Tensor[];
  /** Which inputs a gradient is wanted of. */
  readonly wanted: readonly boolean[];
}

/** New tensors: one an input (null where not wanted), and one a trainable weight of the node. */
export interface KernelGradients {
  readonly inputs: readonly (Tensor | null)[];
  readonly weights?: Readonly<Partial<Record<WeightRole, Tensor>>>;
}

export interface Kernel<K extends Op> {
  /** New tensors, one an output. Intermediate ones are disposed by the caller. */
  forward(
    node: NodeOf<K>,
    inputs: readonly Tensor[],
    context: KernelContext,
  ): Tensor | readonly Tensor[];
  /** What `backward` reads the values of; nothing but shapes unless stated. */
  keeps?(node: NodeOf<K>): 'inputs' | 'outputs' | 'both';
  /**
   * Absent where tfjs differentiates `forward` itself, computing it again: for ops that are rare in training
   * or cost little. Such a kernel uses differentiable tfjs ops only, and one output or several.
   */
  backward?(node: NodeOf<K>, pass: BackwardArguments, context: KernelContext): KernelGradients;
}

export type KernelTable = { readonly [K in Op]: Kernel<K> };

/** The kernels of some ops: what a family's file exports. */
export type KernelsOf<K extends Op> = Pick<KernelTable, K>;

/** Weights that training changes by gradients; statistics and constants are not among them. */
export const trainableRoles: ReadonlySet<WeightRole> = new Set([
  'kernel',
  'bias',
  'gamma',
  'beta',
  'alpha',
]);
