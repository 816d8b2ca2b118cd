// Importance measured on data: passes over some training images, reduced to one number a channel by TensorFlow.
//
// All passes are at inference: batch norm takes its running statistics. By those of the batch, a filter in front
// of a batch norm could be scaled without effect, so that weight * gradient would sum to zero over each filter.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import { BatchLoader, type Batch } from '../data/loader';
import type { ImageSplit, Task } from '../data/types';
import { AppError } from '../errors';
import type { Model, NodeId } from '../graph/types';
import { loadBackend, type Backend } from '../runtime/backend';
import type { Tensor } from '../runtime/primitives';
import { BatchInput } from '../train/batch-input';
import { compile, inference, type Executable } from '../train/executor';
import { plainTarget, taskHead, taskLoss, taskOf } from '../train/task-loss';
import type { ChannelFlow, FlowSite } from './channels';
import type { Analysis } from './groups';
import type { ChannelStatistics } from './importance';
import { observedTensors } from './observed';
import { defaultImages } from './options';
import type { MeasuredCriterion } from './types';

export interface StatisticsOptions {
  readonly criterion: MeasuredCriterion;
  /** At most this many images of the split; 512 unless given. */
  readonly images?: number;
  /** Chooses the images. */
  readonly seed: number;
  readonly backend?: Backend;
}

/** Images at a time, fewer where they are large: all activations of a batch are in memory at once. */
const largestBatch = 32;
const pixelsPerBatch = 2 ** 18;

/**
 * Measures the importance of every layer's channels on images of a split.
 *
 * 'taylor': with w the kernel and g the gradient of a batch's mean loss, the mean over batches of
 * (sum of w g over the filter)^2 (Molchanov et al. 2019, "Importance Estimation for Neural Network Pruning",
 * equation 8 summed over a filter as in section 3.1); where a batch norm chooses its channels, gamma and beta stand
 * for the filter, which is that paper's gate. 'activation': the mean |a| over images and positions.
 * 'apoz': one minus the share of zeros over images and positions (Hu et al. 2016, "Network Trimming", equation 1).
 * Both read the tensor that `observedTensors` names; 'apoz' says nothing of layers without zeros there.
 * @param split training images that fit the model
 * @throws AppError DATA_MISMATCH (no images, or 'taylor' and a network that cannot do the task), INVALID_ARGUMENT ('apoz' and no
 * activation with zeros), MODEL_NOT_FINITE, RUNTIME_UNAVAILABLE, or the reason of the signal
 */
export async function collectStatistics(
  model: Model,
  { flow }: Pick<Analysis, 'flow'>,
  split: ImageSplit,
  options: StatisticsOptions,
  context: EngineContext,
): Promise<ChannelStatistics> {
  if (split.count === 0) throw noImages(options.criterion);
  const backend = options.backend ?? (await loadBackend());
  const images = Math.min(options.images ?? defaultImages, split.count);
  const byPixels = Math.floor(pixelsPerBatch / (split.height * split.width));
  const batchSize = Math.max(1, Math.min(largestBatch, byPixels, images));
  const order = { shuffle: true, seed: options.seed, augment: null, samplesPerEpoch: images };
  const loader = new BatchLoader(split, { ...order, batchSize });
  const input = new BatchInput(backend.tf, split, model.preprocessing);
  const meter = meterOf(model, flow, options.criterion, backend, taskOf(split));
  try {
    let done = 0;
    for (let batch = await loader.next(); batch !== null; batch = await loader.next()) {
      meter.add(input, batch);
      done += batch.count;
      const label = `Measuring channels on ${images} images`;
      context.progress({ phase: 'planning', label, done, total: images });
      await setImmediate();
      context.signal.throwIfAborted();
    }
    return finite(meter.result(), flow);
  } finally {
    meter.dispose();
  }
}

/** Takes in batch after batch. */
interface Meter {
  add(input: BatchInput, batch: Batch): void;
  result(): ChannelStatistics;
  dispose(): void;
}

function meterOf(
  model: Model,
  flow: ChannelFlow,
  criterion: MeasuredCriterion,
  backend: Backend,
  task: Task,
): Meter {
  return criterion === 'taylor'
    ? new TaylorMeter(model, flow, backend, task)
    : new ActivationMeter(model, flow, backend, criterion);
}

/** A producing layer, the weights that its channels are scored by, and what was summed so far. */
interface ScoredLayer {
  readonly node: NodeId;
  readonly sites: readonly FlowSite[];
  readonly sums: Float64Array;
}

/** The kernel by its filters; where a batch norm chooses the channels, its scale and shift. */
function scoredSites({ sites }: ChannelFlow, layer: NodeId): readonly FlowSite[] {
  const own = sites.filter(({ node }) => node === layer);
  const kernels = own.filter(({ role, kind }) => role === 'kernel' && kind === 'out');
  return kernels.length > 0
    ? kernels
    : own.filter(({ role }) => role === 'gamma' || role === 'beta');
}

function otherAxes({ shape }: Tensor, axis: number): number[] {
  return shape.map((_, i) => i).filter((i) => i !== axis);
}

class TaylorMeter implements Meter {
  private readonly head;
  private readonly executable: Executable;
  private readonly layers: readonly ScoredLayer[];
  private batches = 0;

  constructor(
    model: Model,
    flow: ChannelFlow,
    private readonly backend: Backend,
    task: Task,
  ) {
    this.head = taskHead(model, task);
    this.executable = compile(model.graph, backend, [this.head.tensor]);
    this.layers = flow.producers.map(({ node, classes }) => ({
      node,
      sites: scoredSites(flow, node),
      sums: new Float64Array(classes.length),
    }));
  }

  add(input: BatchInput, batch: Batch): void {
    const { tf } = this.backend;
    this.batches++;
    tf.tidy(() => {
      const pass = this.executable.record([input.images(batch)], inference);
      const target = plainTarget(tf, batch);
      const loss = taskLoss(this.backend, this.head, pass.outputs[0]!, target, 'mse');
      const gradients = pass.backward([tf.div(loss.gradient, batch.count)]);
      for (const { sites, sums } of this.layers) {
        const products = sites.flatMap(({ weight, axis }) => {
          const gradient = gradients.get(weight);
          if (gradient === undefined) return [];
          const product = tf.mul(this.executable.weights.get(weight), gradient);
          return [tf.sum(product, otherAxes(product, axis))];
        });
        if (products.length === 0) continue;
        const squares = tf.square(tf.addN(products)).dataSync<'float32'>();
        squares.forEach((value, channel) => (sums[channel]! += value));
      }
    });
  }

  result(): ChannelStatistics {
    return new Map(
      this.layers.map(({ node, sums }) => [node, sums.map((sum) => sum / this.batches)]),
    );
  }

  dispose(): void {
    this.executable.dispose();
  }
}

/** What is counted of one tensor: a sum for each position of its labelled block. */
interface Count {
  readonly sums: Float64Array;
  /** Values that each sum is over. */
  values: number;
}

class ActivationMeter implements Meter {
  private readonly observed: ReadonlyMap<NodeId, { readonly tensor: string }>;
  private readonly counts: ReadonlyMap<string, Count>;
  private readonly executable: Executable;

  constructor(
    model: Model,
    private readonly flow: ChannelFlow,
    private readonly backend: Backend,
    private readonly criterion: 'activation' | 'apoz',
  ) {
    const all = observedTensors(flow);
    this.observed =
      criterion === 'activation' ? all : new Map([...all].filter(([, { hasZeros }]) => hasZeros));
    if (this.observed.size === 0) throw noZeros(model);
    const tensors = new Set([...this.observed.values()].map(({ tensor }) => tensor));
    this.counts = new Map(
      [...tensors].map((tensor) => {
        const { ids } = flow.labels.get(tensor)!;
        return [tensor, { sums: new Float64Array(ids.length), values: 0 }];
      }),
    );
    this.executable = compile(model.graph, backend, [...tensors]);
  }

  add(input: BatchInput, batch: Batch): void {
    const { tf } = this.backend;
    tf.tidy(() => {
      const outputs = this.executable.run([input.images(batch)]);
      [...this.counts].forEach(([tensor, count], i) => this.count(tensor, count, outputs[i]!));
    });
  }

  private count(tensor: string, count: Count, output: Tensor): void {
    const { tf } = this.backend;
    const block = this.flow.labels.get(tensor)!.shape.length;
    const axes = output.shape.map((_, i) => i).slice(0, output.shape.length - block);
    const values =
      this.criterion === 'activation'
        ? tf.abs(output)
        : tf.cast(tf.notEqual(output, tf.scalar(0)), 'float32');
    const sums = tf.sum(values, axes).dataSync<'float32'>();
    sums.forEach((value, position) => (count.sums[position]! += value));
    count.values += axes.reduce((product, axis) => product * output.shape[axis]!, 1);
  }

  /** A channel with several positions in the tensor gets their mean. */
  result(): ChannelStatistics {
    const means = new Map(
      [...this.counts].map(([tensor, { sums, values }]) => {
        const { ids } = this.flow.labels.get(tensor)!;
        const totals = new Map<number, { sum: number; positions: number }>();
        ids.forEach((channel, position) => {
          const { sum, positions } = totals.get(channel) ?? { sum: 0, positions: 0 };
          totals.set(channel, { sum: sum + sums[position]! / values, positions: positions + 1 });
        });
        return [tensor, totals];
      }),
    );
    return new Map(
      this.flow.producers.flatMap(({ node, classes }) => {
        const observed = this.observed.get(node);
        if (observed === undefined) return [];
        const totals = means.get(observed.tensor)!;
        const scores = Float64Array.from(classes, (channel) => {
          const { sum, positions } = totals.get(channel)!;
          return sum / positions;
        });
        return [[node, scores] as const];
      }),
    );
  }

  dispose(): void {
    this.executable.dispose();
  }
}

function finite(statistics: ChannelStatistics, { graph }: ChannelFlow): ChannelStatistics {
  for (const [node, scores] of statistics) {
    if (Array.from(scores).every(Number.isFinite)) continue;
    const name = graph.nodes.find(({ id }) => id === node)!.name;
    throw new AppError(
      'MODEL_NOT_FINITE',
      `What layer "${name}" gives on the data is not made of finite numbers.`,
      'The model diverged when it was trained, or its preprocessing does not fit the data: see to these first.',
      { details: { layer: name } },
    );
  }
  return statistics;
}

function noImages(criterion: MeasuredCriterion): AppError {
  return new AppError(
    'DATA_MISMATCH',
    `The criterion '${criterion}' looks at training images, and the data set has none.`,
    'Choose a data set with a training split, or a criterion that reads the weights alone.',
  );
}

function noZeros({ graph }: Model): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    `The criterion 'apoz' counts zeros behind ReLUs, and "${graph.name}" has none that follows a layer.`,
    "Choose another criterion, for instance 'activation'.",
    { details: { criterion: 'apoz' } },
  );
}
