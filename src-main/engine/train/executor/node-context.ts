// A kernel's view of the pass it runs in.

import type { Shape, WeightRole } from '../../graph/types';
import type { Rng } from '../../graph/rng';
import type { Backend } from '../../runtime/backend';
import type { Primitives, Tensor, TensorFlow } from '../../runtime/primitives';
import type { Step } from './steps';
import type { KernelContext, PassOptions } from './types';
import type { WeightTensors } from './weight-tensors';

export class NodeContext implements KernelContext {
  readonly tf: TensorFlow;
  readonly primitives: Primitives;
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  readonly batchStatistics: boolean;
  readonly momentum: number | null;
  readonly dropout: Rng | null;
  /** Tensors kept for the gradient. */
  readonly saved: Tensor[] = [];

  constructor(
    backend: Backend,
    private readonly step: Step,
    private readonly weights: WeightTensors,
    options: PassOptions,
    private readonly recording: boolean,
  ) {
    this.tf = backend.tf;
    this.primitives = backend.primitives;
    this.inputShapes = step.inputShapes;
    this.outputShapes = step.outputShapes;
    this.batchStatistics = options.batchStatistics;
    this.momentum = options.momentum;
    this.dropout = options.dropout;
  }

  readonly weight = (role: WeightRole): Tensor | undefined => {
    const id = this.step.node.weights[role];
    return id === undefined ? undefined : this.weights.get(id);
  };

  updateWeight(role: WeightRole, value: Tensor): void {
    this.weights.replace(this.step.node.weights[role]!, this.tf.keep(value));
  }

  save(...tensors: Tensor[]): void {
    if (!this.recording) return;
    for (const tensor of tensors) this.saved.push(this.tf.keep(tensor));
  }
}
