// Chooses what computes a training: TensorFlow on a GPU of its own (CUDA) where it has one, else the faster of its
// processor and WebGPU, else WebGPU, else plain JavaScript. A training goes on with what it began with.

import { silentContext, type EngineContext } from '../../engine/context';
import type { Dataset } from '../../engine/data/types';
import { toAppError } from '../../engine/errors';
import type { Model } from '../../engine/graph/types';
import { loadBackend, type Backend } from '../../engine/runtime/backend';
import type { Compute } from '../../engine/train/compute';
import type { RemoteCompute } from '../../engine/train/remote/connect';
import { measureTrainingSpeed } from '../../engine/train/speed';
import { localCompute } from '../../engine/train/step';
import type { BackendName, TrainOptions } from '../../engine/train/types';
import type { BackendInfo } from '../../ipc/contract';
import { gpuMode, type GpuMode } from '../gpu-mode';
import { openGpu } from './gpu';

export interface PlannedTraining {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly options: TrainOptions;
  readonly context: Pick<EngineContext, 'signal' | 'log'>;
  /** What an earlier run of it has used; null for one that begins. */
  readonly begunOn: BackendName | null;
}

type LocalKind = Pick<Backend, 'name' | 'isCuda'>;

/** Whether it is worth looking for a GPU by WebGPU. */
export function asksForGpu(local: LocalKind, mode: GpuMode, begunOn: BackendName | null): boolean {
  if (mode === 'off') return false;
  if (begunOn !== null) return begunOn === 'webgpu';
  return mode === 'always' || !local.isCuda;
}

/** Which of the two computes, where WebGPU was asked for and is there; 'faster' is to be measured. */
export function preferred(
  local: LocalKind,
  gpu: { readonly isSoftware: boolean },
  mode: GpuMode,
  begunOn: BackendName | null,
): 'local' | 'gpu' | 'faster' {
  if (mode === 'always' || begunOn === 'webgpu' || local.name === 'cpu') return 'gpu';
  return gpu.isSoftware ? 'local' : 'faster';
}

/** Runs a training, or something like one, with what computes it best; a window that was opened for it closes. */
export async function withCompute<T>(
  training: PlannedTraining,
  work: (compute: Compute) => Promise<T>,
): Promise<T> {
  const { context, begunOn } = training;
  const backend = await loadBackend();
  const local = localCompute(backend);
  const mode = gpuMode();
  const gpu = asksForGpu(backend, mode, begunOn) ? await tryGpu(context) : null;
  if (gpu === null) return work(announced(local, training));
  try {
    const choice = preferred(backend, gpu, mode, begunOn);
    const isGpu =
      choice === 'gpu' || (choice === 'faster' && (await isFaster(gpu, local, training)));
    if (isGpu) return await work(announced(gpu, training));
  } finally {
    gpu.close();
  }
  return work(announced(local, training));
}

/** What trainings will use here, before there is one. */
export async function foreseenCompute(): Promise<BackendInfo> {
  const backend = await loadBackend();
  const { name, detail } = backend;
  const mode = gpuMode();
  const gpu = asksForGpu(backend, mode, null) ? await tryGpu(silentContext) : null;
  gpu?.close();
  const choice = gpu === null ? 'local' : preferred(backend, gpu, mode, null);
  if (gpu === null || choice === 'local') return { name, detail, rival: null };
  if (choice === 'gpu') return { name: gpu.name, detail: gpu.detail, rival: null };
  return { name, detail, rival: gpu.detail };
}

/** Null where there is none: what the processor can do, it does. */
async function tryGpu(context: Pick<EngineContext, 'log'>): Promise<RemoteCompute | null> {
  try {
    return await openGpu();
  } catch (error) {
    if (gpuMode() === 'always') context.log('warn', toAppError(error).message);
    return null;
  }
}

async function isFaster(
  gpu: Compute,
  local: Compute,
  { model, dataset, options, context }: PlannedTraining,
): Promise<boolean> {
  const silent = { ...silentContext, signal: context.signal };
  const speed = (compute: Compute): Promise<number> =>
    measureTrainingSpeed(model, dataset, options, silent, compute);
  const ofLocal = await speed(local);
  let ofGpu: number;
  try {
    ofGpu = await speed(gpu);
  } catch (error) {
    context.signal.throwIfAborted();
    // Not every driver can do every network; nothing is lost yet.
    context.log('warn', `${gpu.detail} cannot train this: ${toAppError(error).message}`);
    return false;
  }
  const figure = ({ detail }: Compute, speed: number): string =>
    `${detail}: ${Math.round(speed)} images/s`;
  context.log('info', `Measured ${figure(gpu, ofGpu)}; ${figure(local, ofLocal)}.`);
  return ofGpu > ofLocal;
}

/** Says in the log what computes, and where that is not what the training began with. */
function announced(compute: Compute, { context, begunOn }: PlannedTraining): Compute {
  context.log('info', `Training on ${compute.detail}.`);
  if (begunOn !== null && begunOn !== compute.name) {
    context.log('warn', `It began on ${begunOn}, which is not there now: its rounding differs.`);
  }
  return compute;
}
