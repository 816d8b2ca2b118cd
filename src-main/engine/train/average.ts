// An exponential moving average of the weights, which generalises better than where the last steps led.

import type { Graph, WeightId } from '../graph/types';
import type { Backend } from '../runtime/backend';
import type { TensorId } from '../graph/types';
import { compile, type Executable } from './executor/executable';
import type { WeightTensors } from './executor/weight-tensors';

/** Where an average stands: its weights, and how often it was moved. */
export interface AverageState {
  readonly graph: Graph;
  readonly updates: number;
}

/** Averages all weights that training changes, the running statistics of batch norm too. */
export class WeightAverage {
  /** Runs with the averaged weights. */
  readonly executable: Executable;
  private readonly moving: readonly WeightId[];
  private updates: number;

  /** Begins with the weights of the graph. */
  constructor(
    { graph, updates }: AverageState,
    private readonly backend: Backend,
    outputs: readonly TensorId[],
    private readonly decay: number,
  ) {
    this.executable = compile(graph, backend, outputs);
    this.updates = updates;
    const statistics = graph.nodes.flatMap(({ op, weights }) =>
      op === 'batchNorm' ? [weights.mean, weights.variance] : [],
    );
    const moving = [...this.executable.trainable.keys(), ...statistics];
    this.moving = [...new Set(moving)].filter((id) => id !== undefined);
  }

  /**
   * average <- d * average + (1 - d) * weight, d being the decay but at most (1 + n) / (10 + n) after n updates: a
   * short run would not leave its beginning behind (TensorFlow's ExponentialMovingAverage with num_updates).
   */
  update(weights: WeightTensors): void {
    const { tf } = this.backend;
    this.updates += 1;
    const decay = Math.min(this.decay, (1 + this.updates) / (10 + this.updates));
    for (const id of this.moving) {
      const average = this.executable.weights.get(id);
      const moved = tf.tidy(() =>
        tf.add(tf.mul(average, decay), tf.mul(weights.get(id), 1 - decay)),
      );
      this.executable.weights.replace(id, tf.keep(moved));
    }
  }

  async state(): Promise<AverageState> {
    return { graph: await this.executable.weights.toGraph(), updates: this.updates };
  }

  dispose(): void {
    this.executable.dispose();
  }
}
