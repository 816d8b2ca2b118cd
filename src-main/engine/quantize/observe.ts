// What activations hold on images: their ranges, and how often each number occurs.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import { sizeOf } from '../graph/ops/check';
import { inferShapes } from '../graph/shapes';
import type { Graph, TensorId } from '../graph/types';
import { loadBackend, type Backend } from '../runtime/backend';
import { compile, type Executable } from '../train/executor';
import { Histogram } from './histogram';
import { rangeOf, unionOf } from './parameters';
import type { CalibrationMethod, CalibrationSamples, Range } from './types';

/** Activations that are held at once: a batch has as many samples as fit. */
const bytesAtOnce = 192 * 1024 ** 2;

/** Gives the range of a tensor by a method. */
export type RangeOf = (tensor: TensorId, method: CalibrationMethod) => Range;

/**
 * Runs a graph of one input on samples and looks at some of its tensors: once for their extremes, and once more for their
 * histograms where another method than 'minmax' asks for these.
 * @throws AppError RUNTIME_UNAVAILABLE, or the reason of the signal
 */
export async function observe(
  graph: Graph,
  tensors: readonly TensorId[],
  samples: CalibrationSamples,
  methods: readonly CalibrationMethod[],
  context: EngineContext,
  preloaded?: Backend,
): Promise<RangeOf> {
  const backend = preloaded ?? (await loadBackend());
  const wanted = [...new Set(tensors)];
  const executable = compile(graph, backend, wanted);
  try {
    const pass = new Pass(graph, wanted, samples, executable, context);
    const needsHistograms = methods.some((method) => method !== 'minmax');
    const passes = needsHistograms ? 2 : 1;
    const ranges = new Map<TensorId, Range>();
    await pass.run(0, passes, (tensor, values) => {
      const earlier = ranges.get(tensor);
      const range = rangeOf(values);
      ranges.set(tensor, earlier === undefined ? range : unionOf([earlier, range])!);
    });
    if (!needsHistograms) return (tensor) => ranges.get(tensor)!;
    const histograms = new Map(
      [...ranges].map(([tensor, range]) => [tensor, new Histogram(range)] as const),
    );
    await pass.run(1, passes, (tensor, values) => histograms.get(tensor)!.add(values));
    return (tensor, method) => histograms.get(tensor)!.rangeBy(method);
  } finally {
    executable.dispose();
  }
}

/** Runs over all samples. */
class Pass {
  private readonly batch: number;

  constructor(
    private readonly graph: Graph,
    private readonly tensors: readonly TensorId[],
    private readonly samples: CalibrationSamples,
    private readonly executable: Executable,
    private readonly context: EngineContext,
  ) {
    const shapes = inferShapes(graph);
    const numbers = tensors.reduce((sum, tensor) => sum + sizeOf(shapes.get(tensor)!), 0);
    this.batch = Math.max(1, Math.floor(bytesAtOnce / (numbers * 4)));
  }

  async run(
    pass: number,
    passes: number,
    look: (tensor: TensorId, values: Float32Array) => void,
  ): Promise<void> {
    const { count, inputs } = this.samples;
    const { tf } = this.executable.backend;
    const [input] = this.graph.inputs;
    const size = inputs.length / count;
    for (let start = 0; start < count; start += this.batch) {
      this.context.progress({
        phase: 'calibrating',
        label: 'Looking at activations',
        done: pass * count + start,
        total: passes * count,
      });
      await setImmediate();
      this.context.signal.throwIfAborted();
      const end = Math.min(start + this.batch, count);
      tf.tidy(() => {
        const values = inputs.subarray(start * size, end * size);
        const image = tf.tensor(values, [end - start, ...input!.shape]);
        const outputs = this.executable.run([image]);
        this.tensors.forEach((tensor, i) => {
          look(tensor, outputs[i]!.dataSync<'float32'>());
          outputs[i]!.dispose();
        });
      });
    }
  }
}
