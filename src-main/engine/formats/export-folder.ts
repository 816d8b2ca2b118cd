// What lies beside the model files of an export, so that whoever gets the folder can use it without asking:
// how to run it, labels, preprocessing, what was verified, where it came from, checksums.

import { createHash } from 'node:crypto';

import type { Model, OutputKind } from '../graph/types';
import { formatScore, scoreNames, scoreOf, type Scored } from '../measure/score';
import type { Latency, Verification } from '../measure/types';
import { graphCost } from '../graph/cost';
import { outputNames } from './output-names';
import type { Precision, WriteFormat, WrittenFile } from './types';
import type { Usage } from './usage';

export interface ExportFacts {
  readonly model: Model;
  /** The version's name. */
  readonly name: string;
  readonly format: WriteFormat;
  readonly precision: Precision;
  readonly files: readonly WrittenFile[];
  readonly usage: Usage;
  readonly verification: Verification;
  readonly accuracy: (Scored & { readonly dataName: string }) | null;
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

/**
 * The files beside the model: README.md, labels.txt, preprocessing.json, model-card.json, programs that run it,
 * SHA256SUMS.
 */
export function describeExport(facts: ExportFacts): readonly WrittenFile[] {
  const { model, files, usage } = facts;
  const companions = [
    text('README.md', readme(facts)),
    ...(model.labels ? [text('labels.txt', model.labels.join('\n'))] : []),
    json('preprocessing.json', preprocessing(model)),
    json('model-card.json', modelCard(facts)),
    ...usage.programs,
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
  const { model, name, format, precision, files, accuracy, latency } = facts;
  const { lineage, verification, engineVersion } = facts;
  const { params, macs } = graphCost(model.graph);
  return {
    name,
    format,
    precision,
    outputKind: model.outputKind,
    params,
    macs,
    bytes: byteLength(files),
    accuracy,
    latency,
    lineage,
    verification,
    madeWith: `Secateur ${engineVersion}`,
  };
}

function byteLength(files: readonly WrittenFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

function readme(facts: ExportFacts): string {
  const { model, name, files, usage, verification, accuracy, lineage } = facts;
  const shape = model.graph.inputs[0]?.shape ?? [];
  const { params, macs } = graphCost(model.graph);
  const count = (value: number): string => value.toLocaleString('en-GB');
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
    `Input: [1, ${shape.join(', ')}] (rows, columns, channels), ${colourNote(model)}, prepared as preprocessing.json says.`,
    `Output: ${outputWords[model.outputKind]}.`,
    '',
    ...usage.text,
    '',
    '## Figures',
    '',
    `- ${count(byteLength(files))} bytes, ${count(params)} parameters, ${count(macs)} multiply-accumulates`,
    ...(accuracy ? [`- ${scoreWords(accuracy)} on ${accuracy.dataName}`] : []),
    ...latency,
    `- verified with ${verification.runtime} on ${verification.samples} samples: largest difference ` +
      `${verification.maxAbsDiff.toExponential(2)}, mean ${verification.meanAbsDiff.toExponential(2)}` +
      (verification.top1Agreement === null
        ? ''
        : `, ${percent(verification.top1Agreement)} agree on the class`),
    '',
    '## Files',
    '',
    ...facts.files.map((file) => `- \`${file.path}\`: the model`),
    ...(model.labels
      ? [`- \`labels.txt\`: names of ${outputNames[model.outputKind]}, one a line, in output order`]
      : []),
    '- `preprocessing.json`: how a picture becomes the input',
    '- `model-card.json`: the figures above for programs',
    ...usage.programs.map(({ path }) => `- \`${path}\`: ${about(path)}`),
    '- `SHA256SUMS`: check with `sha256sum --check SHA256SUMS`',
  ].join('\n');
}

const outputWords: Readonly<Record<OutputKind, string>> = {
  logits: 'logits of the classes; a softmax makes them probabilities',
  softmax: 'probabilities of the classes',
  'label-logits':
    'logits of the labels; a sigmoid makes them probabilities, above 0 is more likely than not',
  sigmoid: 'independent probabilities',
  values: 'values, as they are',
};

/** "90.34 % top-1", "MAE 0.0631". */
function scoreWords(scored: Scored): string {
  const score = formatScore(scored.task, scoreOf(scored));
  const name = scoreNames[scored.task];
  return scored.task === 'values' ? `${name} ${score}` : `${score} ${name}`;
}

/** What the file of a program is there for. */
function about(path: string): string {
  if (path.startsWith('run.')) return 'runs the model on a picture';
  return path === 'index.html'
    ? 'a page that runs the model on a picture'
    : 'a part of the program';
}

function colourNote({ preprocessing: { channelOrder } }: Model): string {
  return channelOrder === 'gray' ? 'grey' : channelOrder.toUpperCase();
}
