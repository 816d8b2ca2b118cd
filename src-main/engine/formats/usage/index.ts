// How the files of each runtime are used. A format's writer takes the one that fits.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { WrittenFile } from '../types';
import { preprocessingHeader } from './header';
import kerasProgram from './programs/keras.py?raw';
import onnxProgram from './programs/onnx.py?raw';
import page from './programs/page.html?raw';
import pictureProgram from './programs/picture.py?raw';
import tfliteProgram from './programs/tflite.py?raw';
import tfliteCode from './programs/tflite.cpp?raw';
import type { Usage, UsageFacts } from './types';

export type { Usage, UsageFacts } from './types';

const textFile = (path: string, content: string): WrittenFile => ({
  path,
  bytes: new TextEncoder().encode(content),
});

const pythonPrograms = (program: string): readonly WrittenFile[] => [
  textFile('run.py', program),
  textFile('picture.py', pictureProgram),
];

const python = (libraries: string): readonly string[] => [
  'Python:',
  '',
  '```sh',
  `pip install numpy pillow ${libraries}`,
  'python run.py picture.png',
  '```',
];

/** LiteRT: Python and C++. */
export function tfliteUsage(facts: UsageFacts): Promise<Usage> {
  return Promise.resolve({
    programs: [
      ...pythonPrograms(tfliteProgram),
      textFile('run.cpp', tfliteCode),
      textFile('preprocessing.h', preprocessingHeader(facts)),
    ],
    text: [
      ...python('ai-edge-litert  # or tensorflow'),
      '',
      "C++, with the C library of LiteRT (TensorFlow Lite's `tensorflowlite_c`) and its headers:",
      '',
      '```sh',
      'g++ -std=c++17 -O2 run.cpp -I<include> -L<lib> -ltensorflowlite_c -o run',
      './run picture.ppm',
      '```',
    ],
  });
}

/** ONNX Runtime: Python. */
export function onnxUsage(): Promise<Usage> {
  return Promise.resolve({
    programs: pythonPrograms(onnxProgram),
    text: python('onnxruntime'),
  });
}

/** Keras 3: Python. */
export function kerasUsage(): Promise<Usage> {
  return Promise.resolve({
    programs: pythonPrograms(kerasProgram),
    text: python('keras tensorflow'),
  });
}

/** TensorFlow.js: a page, with the library beside it. */
export async function pageUsage(): Promise<Usage> {
  const library = createRequire(import.meta.url).resolve('@tensorflow/tfjs/dist/tf.min.js');
  return {
    programs: [textFile('index.html', page), { path: 'tf.min.js', bytes: await readFile(library) }],
    text: [
      'A page that runs the model in a browser, served from this folder:',
      '',
      '```sh',
      'python3 -m http.server 8000',
      '```',
      '',
      'Then open http://localhost:8000 and drop a picture on it. In a program:',
      '`await tf.loadLayersModel("model.json")`, or `tf.loadGraphModel` where model.json says "graph-model".',
    ],
  };
}
