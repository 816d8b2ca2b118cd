// The formats that there are, in words: what front ends list and ids are made of. Data alone, for any process to read.
// `table.ts` has what reads and writes them.

type Precisions = readonly ('fp32' | 'fp16' | 'uint8' | 'int8-dynamic' | 'int8')[];

interface FormatEntry {
  readonly title: string;
  /** File names offered in the open dialog, without dots. */
  readonly extensions: readonly string[];
  /** Those that it is written in. */
  readonly precisions: Precisions;
  /** Where written files are of use, in a sentence. */
  readonly runsOn: string;
  /** What is written. */
  readonly files: string;
}

/** In the order of the export wizard. */
export const catalogue = {
  tflite: {
    title: 'TensorFlow Lite',
    extensions: ['tflite', 'lite'],
    precisions: ['fp32', 'fp16', 'int8-dynamic', 'int8'],
    runsOn:
      'Android, iOS, microcontrollers and edge Linux, on LiteRT with XNNPACK, GPU or NPU delegates.',
    files: 'model.tflite',
  },
  'tfjs-graph': {
    title: 'TensorFlow.js graph model',
    extensions: ['json'],
    precisions: ['fp32', 'fp16', 'uint8'],
    runsOn: 'Browsers and Node.js, as TensorFlow.js Layers, and faster: operations are fused.',
    files: 'model.json and weight shards',
  },
  'tfjs-layers': {
    title: 'TensorFlow.js Layers',
    extensions: ['json'],
    precisions: ['fp32', 'fp16', 'uint8'],
    runsOn: 'Browsers and Node.js, on WebGL, WebGPU, WebAssembly or native TensorFlow.',
    files: 'model.json and weight shards',
  },
  onnx: {
    title: 'ONNX',
    extensions: ['onnx'],
    precisions: ['fp32'],
    runsOn:
      'ONNX Runtime on any system, and the compilers that start from ONNX: TensorRT, OpenVINO, TVM.',
    files: 'model.onnx',
  },
  keras: {
    title: 'Keras',
    extensions: ['keras'],
    precisions: ['fp32'],
    runsOn: 'Python with Keras 3, to go on training or to convert with other tools.',
    files: 'model.keras',
  },
  'keras-h5': {
    title: 'Keras HDF5',
    extensions: ['h5', 'hdf5'],
    precisions: ['fp32'],
    runsOn: 'Python with Keras 2 or 3: the older file format of Keras.',
    files: 'model.h5',
  },
} as const satisfies Readonly<Record<string, FormatEntry>>;

export type Format = keyof typeof catalogue;
export type Precision = Precisions[number];

/** The entry of a format, its lists not narrowed to the words in them. */
export function formatEntry(format: Format): FormatEntry {
  return catalogue[format];
}

/** All ids. */
export const formats = Object.keys(catalogue) as readonly Format[];
