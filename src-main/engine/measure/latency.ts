// Latency of single inferences on this machine, on the runtime that a device would use.

import { cpus } from 'node:os';
import { setImmediate } from 'node:timers/promises';

import type { EngineContext } from '../context';
import { createRng } from '../graph/rng';
import type { Model } from '../graph/types';
import { loadBackend, type Backend } from '../runtime/backend';
import { compile } from '../train/executor';
import { openLiteRt } from './litert';
import { tfliteBytes } from './size';
import { startStopwatch } from './stopwatch';
import type { Latency, LatencyRuntime } from './types';

export interface LatencyOptions {
  readonly runtime: LatencyRuntime;
  readonly threads: number;
  /** Inferences before the clock starts, at least. */
  readonly warmup: number;
  readonly runs: number;
}

/** One inference on a prepared sample, repeatable. */
interface Subject {
  readonly runtimeDetail: string;
  readonly threads: number;
  invoke(): Promise<void>;
  close(): void;
}

/** How long the first warm-up of a process takes at least: twice as long as was seen. */
const optimisingSeconds = 1.5;
/** Those that this process has warmed up. */
const warmRuntimes = new Set<LatencyRuntime>();

/** Between two looks at the clock of progress and the wish to cancel. */
const reportEvery = 10;

/**
 * Median, 95th percentile and minimum of `runs` single inferences (batch 1) on one random sample.
 * Latency of convolutional networks does not depend on the values, only denormals would: none arise here.
 * @throws AppError EXPORT_UNSUPPORTED (litert: the model has no .tflite), RUNTIME_UNAVAILABLE,
 * INVALID_ARGUMENT (too many threads), or the reason of the signal
 */
export async function measureLatency(
  model: Model,
  options: LatencyOptions,
  context: EngineContext,
): Promise<Latency> {
  const [latency] = await compareLatency([model], options, context);
  return latency!;
}

/**
 * The same for several models, whose inferences take turns: what else the machine does meanwhile slows all of them
 * alike, so that their quotients hold where single figures drift.
 * @throws AppError as `measureLatency`
 */
export async function compareLatency(
  models: readonly Model[],
  options: LatencyOptions,
  context: EngineContext,
): Promise<readonly Latency[]> {
  const { runtime, runs } = options;
  const subjects: Subject[] = [];
  try {
    for (const model of models) subjects.push(await prepare(model, options));
    await warmUp(subjects, options, context);
    const times = subjects.map((): number[] => []);
    for (let i = 0; i < runs; i++) {
      if (i % reportEvery === 0) {
        await setImmediate();
        context.signal.throwIfAborted();
        const label = `Measuring latency on ${runtime}`;
        context.progress({ phase: 'measuring', label, done: i, total: runs });
      }
      for (const [which, subject] of subjects.entries()) {
        const elapsed = startStopwatch();
        await subject.invoke();
        times[which]!.push(elapsed() * 1000);
      }
    }
    return subjects.map((subject, which) => summary(subject, times[which]!, options));
  } finally {
    for (const subject of subjects) subject.close();
  }
}

/**
 * Runs until a process is known to run at full speed: `warmup` times, and the first time for as long as it takes to
 * optimise what runs. WebAssembly is compiled fast at first and well later, function by function as they turn out to
 * be hot: for some 600 ms small networks take up to three times as long.
 */
async function warmUp(
  subjects: readonly Subject[],
  { runtime, warmup }: LatencyOptions,
  { signal }: EngineContext,
): Promise<void> {
  const elapsed = startStopwatch();
  const isWarm = (): boolean => warmRuntimes.has(runtime) || elapsed() >= optimisingSeconds;
  for (let i = 0; i < warmup || !isWarm(); i++) {
    if (i % reportEvery === 0) {
      await setImmediate();
      signal.throwIfAborted();
    }
    for (const subject of subjects) await subject.invoke();
  }
  warmRuntimes.add(runtime);
}

function prepare(model: Model, { runtime, threads }: LatencyOptions): Promise<Subject> {
  const input = randomSample(model);
  return runtime === 'litert' ? liteRtSubject(model, input, threads) : tfjsSubject(model, input);
}

function summary(
  { runtimeDetail, threads }: Subject,
  times: number[],
  { runtime, warmup, runs }: LatencyOptions,
): Latency {
  times.sort((a, b) => a - b);
  return {
    runtime,
    runtimeDetail,
    threads,
    batch: 1,
    warmup,
    runs,
    medianMs: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    minMs: times[0] ?? NaN,
    device: `${cpus()[0]?.model.trim() || process.arch}, ${cpus().length} cores`,
  };
}

/** The value below which a share of the sorted values lies, interpolated (type 7 of Hyndman and Fan 1996). */
export function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

function randomSample(model: Model): Float32Array {
  const size = (model.graph.inputs[0]?.shape ?? []).reduce((a, b) => a * b, 1);
  const rng = createRng(0);
  return Float32Array.from({ length: size }, () => rng.normal());
}

async function liteRtSubject(model: Model, input: Float32Array, threads: number): Promise<Subject> {
  const runner = await openLiteRt(await tfliteBytes(model), { threads });
  const sample = runner.prepare(input);
  return {
    runtimeDetail: runner.runtime,
    threads: runner.threads,
    invoke: () => sample.invoke(),
    close: () => {
      sample.close();
      runner.close();
    },
  };
}

/** TensorFlow takes its threads from the environment when it loads; they cannot be changed afterwards. */
function tfjsThreads(backend: Backend): number {
  if (!backend.isNative) return 1;
  return Number(process.env['TF_NUM_INTRAOP_THREADS']) || cpus().length;
}

async function tfjsSubject(model: Model, input: Float32Array): Promise<Subject> {
  const backend = await loadBackend();
  const { tf } = backend;
  const executable = compile(model.graph, backend);
  const tensor = tf.tensor(input, [1, ...(model.graph.inputs[0]?.shape ?? [])]);
  return {
    runtimeDetail: backend.detail,
    threads: tfjsThreads(backend),
    invoke: () => {
      // Reading the result is part of an inference: without it a backend may still be at work.
      tf.tidy(() => executable.run([tensor]).map((output) => output.dataSync()));
      return Promise.resolve();
    },
    close: () => {
      tensor.dispose();
      executable.dispose();
    },
  };
}
