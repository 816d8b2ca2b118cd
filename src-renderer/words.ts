// What the window calls things: operations, criteria, phases, formats and states in words for people.
import type { Progress } from '../src-main/engine/context';
import type { DatasetFormat, SplitName } from '../src-main/engine/data/types';
import type { WriteFormat } from '../src-main/engine/formats/types';
import type { Latency } from '../src-main/engine/measure/types';
import type { LayerReasonCode } from '../src-main/engine/prune/types';
import type { BackendInfo } from '../src-main/ipc/contract';
import type { JobKind } from '../src-main/jobs/types';
import type { JobState, Operation, StageName } from '../src-main/project/types';

export const operationWords: Readonly<Record<Operation, string>> = {
  import: 'Imported',
  zoo: 'Built-in architecture',
  prune: 'Pruned',
  recalibrate: 'BN recalibrated',
  train: 'Fine-tuned',
  scratch: 'Trained from scratch',
};

export const stageWords: Readonly<Record<StageName, string>> = {
  raw: 'Raw cut',
  recalibrated: 'BN recalibrated',
  'fine-tuned': 'Fine-tuned',
  'scratch-e': 'Scratch-E',
  'scratch-b': 'Scratch-B',
};

/** Why a layer was or was not cut, in two or three words beside its bar; the sentence is in the report. */
export const reasonWords: Readonly<Record<LayerReasonCode, string>> = {
  CUT: 'cut',
  PRUNABLE: 'can be cut',
  INPUT: 'input',
  OUTPUT: 'output',
  OP_MIXES_CHANNELS: 'mixed channels',
  OP_WITHOUT_RULE: 'no channel rule',
  TOO_LARGE: 'too large to follow',
  TRUNK: 'trunk stays',
  PROTECTED: 'protected',
  ALIGNMENT: 'alignment',
  MIN_CHANNELS: 'minimum reached',
  MAX_RATIO: 'limit reached',
  CEILING: 'at its ceiling',
  ABOVE_THRESHOLD: 'all important',
  RATIO_ROUNDS_TO_ZERO: 'rounds to zero',
  ONE_CHANNEL: 'one channel',
  GROUPED: 'tied by groups',
  NOT_MEASURED: 'not measured',
  NO_SCORE: 'not ranked',
};

export const phaseWords: Readonly<Record<Progress['phase'], string>> = {
  reading: 'Read',
  decoding: 'Decode images',
  planning: 'Choose channels',
  pruning: 'Cut channels',
  checking: 'Check the cut',
  calibrating: 'Recalibrate BN',
  training: 'Train',
  evaluating: 'Evaluate',
  measuring: 'Measure latency',
  exporting: 'Export',
  verifying: 'Verify with the runtime',
  writing: 'Write files',
};

export const jobKindWords: Readonly<Record<JobKind, string>> = {
  import: 'Import',
  zoo: 'New network',
  prune: 'Prune',
  train: 'Train',
  recalibrate: 'Recalibrate',
  evaluate: 'Evaluate',
  measure: 'Measure',
  sensitivity: 'Sensitivity',
  export: 'Export',
  'add-data': 'Add data set',
};

export const stateWords: Readonly<Record<JobState, string>> = {
  queued: 'Queued',
  running: 'Running',
  cancelling: 'Stopping',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
  interrupted: 'Interrupted',
};

export const datasetFormatWords: Readonly<Record<DatasetFormat, string>> = {
  'image-folder': 'Folder of images',
  idx: 'IDX files',
  'cifar-binary': 'CIFAR binary',
  npz: 'NumPy archive',
};

export const splitWords: Readonly<Record<SplitName, string>> = {
  train: 'Training',
  val: 'Validation',
  test: 'Test',
};

export interface FormatWords {
  readonly title: string;
  readonly runsOn: string;
  readonly files: string;
}

export const formatWords: Readonly<Record<WriteFormat, FormatWords>> = {
  tflite: {
    title: 'TensorFlow Lite',
    runsOn:
      'Android, iOS, microcontrollers and edge Linux, on LiteRT with XNNPACK, GPU or NPU delegates.',
    files: 'model.tflite',
  },
  'tfjs-graph': {
    title: 'TensorFlow.js graph model',
    runsOn: 'Browsers and Node.js, as TensorFlow.js Layers, and faster: operations are fused.',
    files: 'model.json and weight shards',
  },
  'tfjs-layers': {
    title: 'TensorFlow.js Layers',
    runsOn: 'Browsers and Node.js, on WebGL, WebGPU, WebAssembly or native TensorFlow.',
    files: 'model.json and weight shards',
  },
};

/** "LiteRT, 1 thread" */
export function runtimeWords(latency: Pick<Latency, 'runtime' | 'threads'>): string {
  const runtime = latency.runtime === 'litert' ? 'LiteRT' : 'TensorFlow.js';
  return `${runtime}, ${latency.threads} ${latency.threads === 1 ? 'thread' : 'threads'}`;
}

/** What trains here: "TensorFlow 2.21.0, CPU". */
export function backendWords({ name, detail, rival }: BackendInfo): string {
  if (name === 'cpu') return `Pure JavaScript (slow): ${detail}`;
  return rival === null ? detail : `${detail}, or ${rival} where that trains faster`;
}
