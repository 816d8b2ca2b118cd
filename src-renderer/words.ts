// What the window calls things: operations, criteria, phases, formats and states in words for people.
import type { Progress } from '../src-main/engine/context';
import type { DatasetFormat, SplitName, Task } from '../src-main/engine/data/types';
import type { Precision } from '../src-main/engine/formats/types';
import type { Latency } from '../src-main/engine/measure/types';
import type { CalibrationMethod } from '../src-main/engine/quantize/types';
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
  'image-csv': 'Folder of images with a table',
  idx: 'IDX files',
  'cifar-binary': 'CIFAR binary',
  npz: 'NumPy archive',
};

/** What a data set tells of each image. */
export const taskWords: Readonly<Record<Task, string>> = {
  classes: 'Classes',
  labels: 'Labels',
  values: 'Values',
};

export const splitWords: Readonly<Record<SplitName, string>> = {
  train: 'Training',
  val: 'Validation',
  test: 'Test',
};

interface PrecisionWords {
  readonly title: string;
  readonly text: string;
  /** Size beside float32, roughly: biases and scales stay wide. */
  readonly share: number;
  /** What a file must keep to be good, after "unless the file": the numbers of engine/formats/precisions.ts. */
  readonly proof: string;
}

/** Points of accuracy on images, or a cosine without them. */
const keepsAnswers = (points: string, cosine: string): string =>
  `costs at most ${points} points of accuracy on images, or without images keeps a cosine of ${cosine}`;

/** Number formats of exports. */
export const precisionWords: Readonly<Record<Precision, PrecisionWords>> = {
  fp32: {
    title: 'float32',
    share: 1,
    text: 'Weights and arithmetic in 32-bit floating point.',
    proof: 'differs from the version by at most 1e-4',
  },
  fp16: {
    title: 'float16',
    share: 0.51,
    text: 'Weights in 16-bit floating point: half the size, next to the same answers.',
    proof: keepsAnswers('0.5', '0.9999'),
  },
  uint8: {
    title: 'uint8 weights',
    share: 0.26,
    text: 'Weights in 8 bits, brought back to float32 when the model is loaded.',
    proof: keepsAnswers('1', '0.99'),
  },
  'int8-dynamic': {
    title: 'int8 filters',
    share: 0.27,
    text: 'Filters in 8 bits, a scale for each channel: a quarter of the size. Activations stay floating point between layers.',
    proof: keepsAnswers('1', '0.99'),
  },
  int8: {
    title: 'full int8',
    share: 0.28,
    text: 'Filters and activations in 8 bits: a quarter of the size, fastest, and all that integer hardware runs. Ranges are found on images.',
    proof: keepsAnswers('2', '0.98'),
  },
};

export const calibrationWords: Readonly<Record<CalibrationMethod | 'auto', string>> = {
  auto: 'Best of all',
  minmax: 'Min–max',
  percentile: 'Percentile',
  mse: 'Squared error',
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
