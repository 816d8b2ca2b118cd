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

  /** The numbers of some weights as they are now. */
  read(ids: readonly WeightId[]): Promise<Float32Array[]> {
    // The backend may go on using the array that it gives.
    return Promise.all(ids.map(async (id) => (await this.get(id).data<'float32'>()).slice()));
  }

  /** The graph with the weights as they are now. */
  async toGraph(): Promise<Graph> {
    const floats = [...this.graph.weights].filter(([, { dtype }]) => dtype === 'float32');
    const numbers = await this.read(floats.map(([id]) => id));
    const read = new Map<WeightId, Weight>(
      floats.map(([id, weight], i) => [id, { ...weight, data: numbers[i]! }]),
    );
    const weights = new Map<WeightId, Weight>();
    for (const [id, weight] of this.graph.weights) weights.set(id, read.get(id) ?? weight);
    return { ...this.graph, weights };
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
    this.tensors.clear();
  }
}
