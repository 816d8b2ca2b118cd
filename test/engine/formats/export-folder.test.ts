// What an export has beside its model files.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeExport, type ExportFacts } from '../../../src-main/engine/formats/export-folder';
import { graphCost } from '../../../src-main/engine/graph/cost';
import type { Latency, Verification } from '../../../src-main/engine/measure/types';
import { buildZoo } from '../../../src-main/engine/zoo';

const verification: Verification = {
  runtime: 'LiteRT.js 2.5.3',
  samples: 200,
  maxAbsDiff: 1.5e-6,
  meanAbsDiff: 2e-7,
  top1Agreement: 1,
  accuracy: { version: 0.9, file: 0.9 },
  tolerance: 1e-4,
  passed: true,
};

const latency: Latency = {
  runtime: 'litert',
  runtimeDetail: 'LiteRT.js 2.5.3',
  threads: 1,
  batch: 1,
  warmup: 5,
  runs: 50,
  medianMs: 1.25,
  p95Ms: 1.5,
  minMs: 1.2,
  device: 'Test processor, 2 cores',
};

const labels = Array.from({ length: 10 }, (_, i) => `class ${i}`);

function factsOf(change: Partial<ExportFacts> = {}): ExportFacts {
  return {
    model: { ...buildZoo('lenet5', { seed: 1 }), labels },
    name: 'Slim 50 %',
    format: 'tflite',
    precision: 'fp32',
    files: [{ path: 'Slim-50.tflite', bytes: Uint8Array.of(1, 2, 3) }],
    usage: { programs: [{ path: 'run.py', bytes: Uint8Array.of(10) }], text: ['python run.py'] },
    verification,
    accuracy: { task: 'classes', top1: 0.9034, dataName: 'fashion' },
    latency: [latency],
    lineage: [
      { name: 'Original', operation: 'import' },
      { name: 'Slim 50 %', operation: 'prune' },
    ],
    engineVersion: '0.1.0',
    ...change,
  };
}

function read(facts: ExportFacts): ReadonlyMap<string, string> {
  const decoder = new TextDecoder();
  return new Map(describeExport(facts).map(({ path, bytes }) => [path, decoder.decode(bytes)]));
}

describe('describeExport', () => {
  it('lists checksums of every file, the model among them', () => {
    const facts = factsOf();
    const written = describeExport(facts);
    const sums = read(facts).get('SHA256SUMS')!.trimEnd().split('\n');
    const expected = [...facts.files, ...written.slice(0, -1)].map(
      ({ path, bytes }) => `${createHash('sha256').update(bytes).digest('hex')}  ${path}`,
    );
    expect(sums).toEqual(expected);
    expect(sums[0]).toContain('039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81');
  });

  it('states figures, lineage and proof for people and for programs', () => {
    const files = read(factsOf());
    const readme = files.get('README.md')!;
    expect(readme).toContain('Original -> Slim 50 %');
    expect(readme).toContain('90.34 % top-1 on fashion');
    expect(readme).toContain('1.250 ms median, 1.500 ms p95');
    expect(readme).toContain('largest difference 1.50e-6');
    const card = JSON.parse(files.get('model-card.json')!) as Record<string, unknown>;
    expect(card).toMatchObject({ name: 'Slim 50 %', verification, latency: [latency] });
    expect(files.get('labels.txt')).toBe(`${labels.join('\n')}\n`);
    expect(JSON.parse(files.get('preprocessing.json')!)).toMatchObject({
      inputShape: factsOf().model.graph.inputs[0]!.shape,
      layout: 'HWC',
      channelOrder: 'gray',
    });
  });

  it('says what the outputs are', () => {
    const { model } = factsOf();
    const proof = { ...verification, top1Agreement: null };
    const values = read(
      factsOf({
        model: { ...model, outputKind: 'values' },
        accuracy: { task: 'values', mae: 0.063_14, dataName: 'angles' },
        verification: proof,
      }),
    );
    const readme = values.get('README.md')!;
    expect(readme).toContain('Output: values, as they are.');
    expect(readme).toContain('- MAE 0.06314 on angles');
    expect(readme).toContain('names of values');
    expect(readme).not.toContain('agree on the class');
    const accuracy = { task: 'labels', macroF1: 0.9, dataName: 'sky' } as const;
    const labelled = read(factsOf({ model: { ...model, outputKind: 'label-logits' }, accuracy }));
    expect(labelled.get('README.md')).toContain('a sigmoid makes them probabilities');
    expect(labelled.get('README.md')).toContain('- 90.00 % macro-F1 on sky');
    expect(JSON.parse(labelled.get('model-card.json')!)).toMatchObject({
      outputKind: 'label-logits',
      accuracy,
    });
  });

  it('has the programs of the format, and says what they are', () => {
    const files = read(factsOf());
    expect(files.get('run.py')).toBe('\n');
    expect(files.get('README.md')).toContain('python run.py');
    expect(files.get('README.md')).toContain('- `run.py`: runs the model on a picture');
  });

  it('counts what the model costs', () => {
    const { params, macs } = graphCost(factsOf().model.graph);
    const files = read(factsOf());
    expect(JSON.parse(files.get('model-card.json')!)).toMatchObject({ params, macs, bytes: 3 });
    expect(files.get('README.md')).toContain(`${params.toLocaleString('en-GB')} parameters`);
  });

  it('does without labels, accuracy and latency', () => {
    const model = { ...factsOf().model, labels: null };
    const files = read(factsOf({ model, accuracy: null, latency: [] }));
    expect(files.has('labels.txt')).toBe(false);
    expect(files.get('README.md')).not.toContain('top-1 on');
    expect(files.get('README.md')).not.toContain('labels.txt');
  });
});
