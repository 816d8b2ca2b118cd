// What lies beside the model files of an export, so that whoever gets the folder can use it without asking:
// how to run it, labels, preprocessing, what was verified, where it came from, checksums.

import { createHash } from 'node:crypto';

import type { Model } from '../graph/types';
import type { Latency, Verification } from '../measure/types';
import type { Precision, WriteFormat, WrittenFile } from './types';

export interface ExportFacts {
  readonly model: Model;
  /** The version's name. */
  readonly name: string;
  readonly format: WriteFormat;
  readonly precision: Precision;
  readonly files: readonly WrittenFile[];
  readonly verification: Verification;
  readonly accuracy: { readonly top1: number; readonly dataName: string } | null;
  readonly latency: readonly Latency[];
  /** From the first ancestor to the version itself. */
  readonly lineage: readonly { readonly name: string; readonly operation: string }[];
  readonly engineVersion: string;
}

const text = (path: string, content: string): WrittenFile => ({
  path,
  bytes: new TextEncoder().encode(content.endsWith('\n') ? content : `${content}\n`),
});

const json = (path: string, value: unknown): WrittenFile =>
  text(path, JSON.stringify(value, null, 2));

/** The files beside the model: README.md, labels.txt, preprocessing.json, model-card.json, SHA256SUMS. */
export function describeExport(facts: ExportFacts): readonly WrittenFile[] {
  const { model, files } = facts;
  const companions = [
    text('README.md', readme(facts)),
    ...(model.labels ? [text('labels.txt', model.labels.join('\n'))] : []),
    json('preprocessing.json', preprocessing(model)),
    json('model-card.json', modelCard(facts)),
  ];
  const all = [...files, ...companions];
  return [...companions, text('SHA256SUMS', all.map(checksumLine).join('\n'))];
}

/** The line that `sha256sum --check` reads. */
function checksumLine({ path, bytes }: WrittenFile): string {
  return `${createHash('sha256').update(bytes).digest('hex')}  ${path}`;
}

function preprocessing(model: Model): object {
  return {
    inputShape: model.graph.inputs[0]?.shape ?? [],
    layout: 'HWC',
    formula: 'x = (pixel * scale - mean) / std, per channel, pixel from 0 to 255',
    ...model.preprocessing,
  };
}

function modelCard(facts: ExportFacts): object {
  const { name, format, precision, accuracy, latency, lineage, verification, engineVersion } =
    facts;
  return {
    name,
    format,
    precision,
    outputKind: facts.model.outputKind,
    accuracy,
    latency,
    lineage,
    verification,
    madeWith: `Secateur ${engineVersion}`,
  };
}

function readme(facts: ExportFacts): string {
  const { model, name, format, verification, accuracy, lineage } = facts;
  const shape = model.graph.inputs[0]?.shape ?? [];
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
  const latency = facts.latency.map(
    (l) =>
      `- ${l.medianMs.toFixed(3)} ms median, ${l.p95Ms.toFixed(3)} ms p95: ${l.runtimeDetail}, ` +
      `${l.threads} thread(s), batch 1, ${l.device}`,
  );
  return [
    `# ${name}`,
    '',
    `Exported by Secateur ${facts.engineVersion}. Lineage: ${lineage.map((v) => v.name).join(' -> ')}.`,
    '',
    '## Use',
    '',
    ...(format === 'tflite' ? tfliteUsage(facts, shape) : tfjsUsage(facts, shape)),
    '',
    '## Figures',
    '',
    ...(accuracy ? [`- ${percent(accuracy.top1)} top-1 on ${accuracy.dataName}`] : []),
    ...latency,
    `- verified with ${verification.runtime} on ${verification.samples} samples: largest difference ` +
      `${verification.maxAbsDiff.toExponential(2)}, mean ${verification.meanAbsDiff.toExponential(2)}, ` +
      `${percent(verification.top1Agreement)} agree on the class`,
    '',
    '## Files',
    '',
    ...facts.files.map((file) => `- \`${file.path}\`: the model`),
    ...(model.labels ? ['- `labels.txt`: class names, one a line, in output order'] : []),
    '- `preprocessing.json`: how a picture becomes the input',
    '- `model-card.json`: the figures above for programs',
    '- `SHA256SUMS`: check with `sha256sum --check SHA256SUMS`',
  ].join('\n');
}

/** A JavaScript or Python expression for a list of numbers: one number stays one. */
const numbers = (values: readonly number[]): string =>
  values.length === 1 ? String(values[0]) : `[${values.join(', ')}]`;

function colourNote(model: Model): string {
  switch (model.preprocessing.channelOrder) {
    case 'gray':
      return 'grey';
    case 'bgr':
      return 'BGR';
    case 'rgb':
      return 'RGB';
  }
}

function tfliteUsage(facts: ExportFacts, shape: readonly number[]): readonly string[] {
  const { model, files } = facts;
  const { scale, mean, std } = model.preprocessing;
  const [height = 1, width = 1, channels = 1] = shape;
  const mode = channels === 1 ? 'L' : 'RGB';
  const flip = model.preprocessing.channelOrder === 'bgr' ? '[:, :, ::-1]' : '';
  return [
    `Input: float32 [1, ${shape.join(', ')}], ${colourNote(model)}. Python, with \`ai-edge-litert\` or TensorFlow:`,
    '',
    '```python',
    'import numpy as np',
    'from PIL import Image',
    'from ai_edge_litert.interpreter import Interpreter  # or: from tensorflow.lite import Interpreter',
    '',
    `interpreter = Interpreter(model_path="${files[0]?.path ?? 'model.tflite'}")`,
    'interpreter.allocate_tensors()',
    `image = Image.open("picture.png").convert("${mode}").resize((${width}, ${height}))`,
    `pixels = np.asarray(image, np.float32).reshape(${height}, ${width}, ${channels})${flip}`,
    `x = (pixels * ${scale} - np.array(${numbers(mean)})) / np.array(${numbers(std)})`,
    'interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x[None].astype(np.float32))',
    'interpreter.invoke()',
    'scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]',
    ...(model.labels
      ? ['labels = open("labels.txt").read().splitlines()', 'print(labels[scores.argmax()])']
      : ['print(scores.argmax())']),
    '```',
  ];
}

function tfjsUsage(facts: ExportFacts, shape: readonly number[]): readonly string[] {
  const { model } = facts;
  const { scale, mean, std } = model.preprocessing;
  const [height = 1, width = 1, channels = 1] = shape;
  const flip = model.preprocessing.channelOrder === 'bgr' ? '.reverse(-1)' : '';
  // With one channel, fromPixels would give the red one.
  const picture =
    channels === 1
      ? 'tf.image.rgbToGrayscale(tf.browser.fromPixels(image))'
      : 'tf.browser.fromPixels(image)';
  return [
    `Input: float32 [1, ${shape.join(', ')}], ${colourNote(model)}. In a page that has TensorFlow.js, served from this folder:`,
    '',
    '```js',
    "const model = await tf.loadLayersModel('model.json');",
    'const scores = tf.tidy(() => {',
    `  const pixels = ${picture}.resizeBilinear([${height}, ${width}])${flip};`,
    `  const x = pixels.mul(${scale}).sub(${numbers(mean)}).div(${numbers(std)});`,
    '  return model.predict(x.expandDims(0));',
    '});',
    'console.log((await scores.argMax(-1).data())[0]);',
    '```',
  ];
}
