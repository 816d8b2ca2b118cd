// Chooses the tensor backend and loads it once per process: TensorFlow's native library through tfjs-node, or
// tfjs's backend in plain JavaScript, which runs everywhere but is some hundred times slower.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import util from 'node:util';
import { AppError } from '../errors';
import type { BackendName } from '../train/types';
import { NativePrimitives } from './native';
import { PlainPrimitives } from './plain';
import { replacePointwiseKernels } from './pointwise';
import type { Primitives, TensorFlow } from './primitives';

/** A loaded backend. Tensors belong to it; everything that computes is given it. */
export interface Backend {
  readonly name: BackendName;
  /** Library, version and device, for people and for the record of what computed a figure. */
  readonly detail: string;
  /** The tfjs API with this backend in charge. */
  readonly tf: TensorFlow;
  readonly isNative: boolean;
  /** Whether TensorFlow computes on a GPU of its own (CUDA). */
  readonly isCuda: boolean;
  readonly primitives: Primitives;
  /** Why native TensorFlow is not in use although 'auto' would have taken it; else null. */
  readonly fallbackReason: string | null;
}

/** Those that load in every process. */
type LocalName = Exclude<BackendName, 'webgpu'>;

const loaded = new Map<LocalName, Promise<Backend>>();

/**
 * Loads a backend, or gives the one loaded before, and puts it in charge. 'auto' takes TensorFlow where its
 * library loads, else plain JavaScript with `fallbackReason`. The environment decides the number of threads
 * (TF_NUM_INTRAOP_THREADS, read when the library loads).
 * @throws AppError RUNTIME_UNAVAILABLE when 'tensorflow' is asked for and does not load
 */
export async function loadBackend(preferred: LocalName | 'auto' = 'auto'): Promise<Backend> {
  const backend = await (preferred === 'auto' ? loadBest() : loadOnce(preferred));
  if (backend.tf.getBackend() !== backend.name) await backend.tf.setBackend(backend.name);
  return backend;
}

async function loadBest(): Promise<Backend> {
  try {
    return await loadOnce('tensorflow');
  } catch (error) {
    return { ...(await loadOnce('cpu')), fallbackReason: firstLine(error) };
  }
}

function loadOnce(name: LocalName): Promise<Backend> {
  let backend = loaded.get(name);
  if (backend === undefined) {
    backend = name === 'tensorflow' ? loadTensorFlow() : loadPlain();
    loaded.set(name, backend);
  }
  return backend;
}

async function loadTensorFlow(): Promise<Backend> {
  // TensorFlow writes its start-up remarks to stderr unless told otherwise before it loads.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // Electron's allocator gives large blocks back at once, and every tensor is paged in anew: training is ten times
  // slower there. TensorFlow's own pool keeps them.
  process.env['TF_CPU_ALLOCATOR_USE_BFC'] ??= 'true';
  restoreRemovedUtil();
  try {
    await import('@tensorflow/tfjs-node');
  } catch (error) {
    throw new AppError(
      'RUNTIME_UNAVAILABLE',
      `TensorFlow's native library does not load: ${firstLine(error)}`,
      'Run "npm run setup" to build it, or train with the slow backend in plain JavaScript.',
      { cause: error },
    );
  }
  const tf = await import('@tensorflow/tfjs-core');
  await tf.setBackend('tensorflow');
  await tf.ready();
  const backend = tf.backend() as unknown as ConstructorParameters<typeof NativePrimitives>[1];
  const { TF_Version: version } = backend.binding;
  const pointwiseConv = !cachesAreHidden();
  if (!pointwiseConv) {
    replacePointwiseKernels(tf, 'tensorflow', (x, activation, weights, alpha) =>
      backend.applyActivation(x, activation, weights, alpha),
    );
  }
  return {
    name: 'tensorflow',
    detail: `TensorFlow ${version}, ${backend.isUsingGpuDevice ? cudaName() : 'CPU'}`,
    tf,
    isNative: true,
    isCuda: backend.isUsingGpuDevice,
    primitives: new NativePrimitives(tf, backend, { pointwiseConv }),
    fallbackReason: null,
  };
}

async function loadPlain(): Promise<Backend> {
  const tf = await import('@tensorflow/tfjs-core');
  // tfjs-node brings the plain backend along: a second registration would only warn.
  if (tf.findBackendFactory('cpu') === null) await import('@tensorflow/tfjs-backend-cpu');
  // Without this tfjs advertises its native backend on stderr.
  tf.enableProdMode();
  await tf.setBackend('cpu');
  await tf.ready();
  return {
    name: 'cpu',
    detail: `tfjs ${tf.version_core}, plain JavaScript`,
    tf,
    isNative: false,
    isCuda: false,
    primitives: new PlainPrimitives(tf),
    fallbackReason: null,
  };
}

/** tfjs-node 4.22 calls util.isNullOrUndefined, which Node 23 removed. */
function restoreRemovedUtil(): void {
  const removed = util as { isNullOrUndefined?: (value: unknown) => boolean };
  removed.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

/** What NVIDIA's driver calls the first GPU, which is the one that TensorFlow takes; on Linux only. */
function cudaName(): string {
  const folder = '/proc/driver/nvidia/gpus';
  try {
    const [first] = readdirSync(folder).sort();
    const model = /^Model:\s*(.+)$/m.exec(readFileSync(`${folder}/${first}/information`, 'utf8'));
    return model ? `CUDA: ${model[1]}` : 'CUDA GPU';
  } catch {
    return 'CUDA GPU';
  }
}

/** Whether the system hides the sizes of the processor's caches, as some virtual machines do. */
function cachesAreHidden(): boolean {
  return process.platform === 'linux' && !existsSync('/sys/devices/system/cpu/cpu0/cache/index0');
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}
