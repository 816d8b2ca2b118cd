// A graph's weights as tensors of the backend, and back.

import type { Graph, Weight, WeightId } from '../../graph/types';
import type { Tensor, TensorFlow } from '../../runtime/primitives';

export class WeightTensors {
  private readonly tensors = new Map<WeightId, Tensor>();

  constructor(
    tf: TensorFlow,
    private readonly graph: Graph,
  ) {
    for (const [id, { data, shape }] of graph.weights) {
      // tfjs may keep the array, but no op writes into a tensor that it reads.
      const values = data instanceof Float32Array ? data : Float32Array.from(data);
      this.tensors.set(id, tf.keep(tf.tensor(values, [...shape], 'float32')));
    }
  }

  get(id: WeightId): Tensor {
    return this.tensors.get(id)!;
  }

  /** Puts another tensor in a weight's place and frees the old one. */
  replace(id: WeightId, tensor: Tensor): void {
    this.get(id).dispose();
    this.tensors.set(id, tensor);
  }

  /** The graph with the weights as they are now. */
  toGraph(): Graph {
    const weights = new Map<WeightId, Weight>();
    for (const [id, weight] of this.graph.weights) {
      const isFloat = weight.dtype === 'float32';
      const data = isFloat ? this.get(id).dataSync<'float32'>().slice() : weight.data;
      weights.set(id, { ...weight, data });
    }
    return { ...this.graph, weights };
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
    this.tensors.clear();
  }
}
