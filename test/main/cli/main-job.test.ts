import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll } from 'vitest';
import { builtScript, classes, makeIdx, makeImages, onlyObject, secateur, start } from './program';

interface VersionAnswer {
  readonly id: string;
  readonly name: string;
  readonly macs: number;
  readonly bytes: number;
  readonly accuracy: { readonly top1: number } | null;
}

const digits = expect.any(Number) as number;
const text = expect.any(String) as string;

/** The keys of a version that scripts rely on. */
const version = {
  id: expect.stringMatching(/^v-[0-9a-f]{12}$/) as string,
  name: text,
  parent: expect.toSatisfy((parent) => parent === null || typeof parent === 'string') as unknown,
  operation: text,
  params: digits,
  macs: digits,
  bytes: digits,
};
// Three classes: no top five of them.
const onShapes = {
  data: 'shapes',
  split: 'test',
  samples: 12,
  task: 'classes',
  top1: digits,
  top5: null,
  macroF1: digits,
};
const latency = { runtime: 'litert', threads: 1, medianMs: digits, p95Ms: digits };

describe('the main job in a shell script', () => {
  let folder: string;
  const answers = new Map<string, string>();
  const logs = new Map<string, string>();
  const read = <T>(name: string): T => onlyObject<T>(answers.get(name) ?? '');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secateur-cli-'));
    await makeImages(join(folder, 'images'));
    await makeIdx(join(folder, 'digits'), 40, 9);
    const script = join(import.meta.dirname, 'main-job.sh');
    const { code, stdout, stderr } = await start('sh', [script, builtScript('cli.js'), folder])
      .ended;
    for (const name of await readdir(join(folder, 'answers'))) {
      const content = await readFile(join(folder, 'answers', name), 'utf8');
      (name.endsWith('.json') ? answers : logs).set(name.replace(/\.\w+$/, ''), content);
    }
    expect(code, stderr + [...logs.values()].at(-1)).toBe(0);
    expect(stdout + stderr).toBe('');
  }, 600_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('prints one JSON object a command, and keeps the rest on stderr', () => {
    expect(answers.size).toBe(19);
    for (const [name, stdout] of answers) {
      expect(Object.keys(onlyObject(stdout)), name).not.toHaveLength(0);
    }
    for (const [name, stderr] of logs) {
      // Remarks are sentences or labels; neither TensorFlow's own lines nor the same line twice in a row.
      expect(stderr, name).not.toMatch(/absl|oneDNN|cpu_feature|WARNING|\d+ port\.cc/);
      expect(stderr, name).not.toMatch(/^(.+)\n\1$/m);
      expect(stderr, name).not.toContain('\u001b');
    }
  });

  it('tells of architectures and model files', () => {
    expect(read('zoo')).toMatchObject({
      architectures: expect.arrayContaining([
        expect.objectContaining({ id: 'resnet56-cifar', params: 853_018, macs: 125_485_696 }),
      ]) as unknown,
    });
    expect(read('write')).toMatchObject({ architecture: 'lenet5', params: 15_031, macs: 43_452 });
    expect(read('inspect')).toMatchObject({
      format: 'tfjs-layers',
      params: 15_031,
      macs: 43_452,
      layers: expect.arrayContaining([
        expect.objectContaining({ name: 'conv1', op: 'conv2d', group: digits, frozen: null }),
      ]) as unknown,
      groups: expect.arrayContaining([expect.objectContaining({ id: 0, channels: 6 })]) as unknown,
      frozen: [{ layer: 'fc3', reason: expect.stringMatching(/output/) as string }],
    });
  });

  it('attaches images and IDX files', () => {
    expect(read('create')).toEqual({ name: 'Shapes', folder: join(folder, 'project') });
    expect(read('add-images')).toMatchObject({
      name: 'shapes',
      format: 'image-folder',
      classes,
      height: 12,
      width: 12,
      channels: 1,
      counts: { train: 48, val: 12, test: 12 },
      notes: expect.any(Array) as unknown,
    });
    expect(read('add-idx')).toMatchObject({
      name: 'digits',
      format: 'idx',
      height: 9,
      counts: { train: 28, val: 12, test: 0 },
    });
  });

  it('imports and trains', () => {
    const imported = read<VersionAnswer>('import');
    expect(imported).toEqual({
      ...version,
      name: 'lenet',
      parent: null,
      operation: 'import',
      accuracy: onShapes,
      latency: [],
    });
    const trained = read<VersionAnswer>('train');
    expect(trained).toMatchObject({ ...version, name: 'base', parent: imported.id });
    expect(trained).toHaveProperty('history.length', 4);
    expect(trained.accuracy!.top1).toBeGreaterThan(0.6);
    const epochs = logs
      .get('train')!
      .split('\n')
      .filter((line) => line.startsWith('Epoch'));
    expect(epochs).toEqual(
      [1, 2, 3, 4].map((epoch) =>
        expect.stringMatching(
          `^Epoch ${epoch} of 4: loss [\\d.]+, training [\\d.]+ %, validation [\\d.]+ %, \\d+ images/s$`,
        ),
      ),
    );
  });

  it('prunes to half the MACs, proves it and recovers', () => {
    const base = read<VersionAnswer>('train');
    const pruned = read<VersionAnswer & { versions: VersionAnswer[]; layers: object[] }>('prune');
    expect(pruned).toMatchObject({
      ...version,
      name: 'slim-tuned',
      operation: 'train',
      accuracy: onShapes,
      equivalence: { maxAbsDiff: digits, passed: true },
      versions: [
        { ...version, name: 'slim', operation: 'prune', parent: base.id, accuracy: onShapes },
        { ...version, name: 'slim-tuned', accuracy: onShapes },
      ],
    });
    expect(pruned.macs).toBeLessThanOrEqual(base.macs / 2);
    expect(pruned.bytes).toBeLessThan(base.bytes);
    expect(pruned.layers).toHaveLength(5);
    for (const layer of pruned.layers) {
      expect(layer).toEqual({
        name: text,
        from: digits,
        to: digits,
        code: text,
        reason: text,
        cause: expect.toSatisfy((cause) => cause === null || typeof cause === 'string') as unknown,
      });
    }
  });

  it('evaluates and measures', () => {
    const evaluated = read<{ evaluation: object }>('evaluate');
    // The test split stands for the version, whatever was evaluated last.
    expect(evaluated).toMatchObject({ ...version, name: 'slim', accuracy: onShapes });
    expect(evaluated.evaluation).toMatchObject({
      data: 'shapes',
      split: 'val',
      samples: 12,
      top1: digits,
      perClass: [digits, digits, digits],
      confusion: [[digits, digits, digits], expect.any(Array), expect.any(Array)],
    });
    expect(read('measure')).toMatchObject({
      versions: [
        { id: text, name: 'base', latency: { ...latency, runs: 5, device: text } },
        { id: text, name: 'slim', latency },
      ],
    });
  });

  it('exports both formats, verified by their runtimes', () => {
    const file = { path: text, bytes: digits, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) };
    for (const [name, runtime, out] of [
      ['tflite', /^LiteRT/, 'out/tflite'],
      ['tfjs', /^TensorFlow\.js/, 'project/exports/slim-tfjs-layers'],
    ] as const) {
      const made = read<{ files: object[] }>(name);
      expect(made).toMatchObject({
        version: 'slim',
        precision: 'fp32',
        folder: join(folder, out),
        verification: {
          runtime: expect.stringMatching(runtime) as string,
          maxAbsDiff: digits,
          meanAbsDiff: digits,
          top1Agreement: 1,
          passed: true,
        },
      });
      expect(made.files.length).toBeGreaterThan(4);
      for (const one of made.files) expect(one).toEqual(file);
    }
  });

  it('keeps the project in order', () => {
    const { id } = read<VersionAnswer>('import');
    expect(read('trash')).toEqual({ kind: 'version', id, name: 'lenet' });
    expect(read('restore')).toEqual({ kind: 'version', id, name: 'lenet' });
    expect(read('rename')).toEqual({ id, name: 'untrained' });
    expect(read('baseline')).toMatchObject({ name: 'base' });
    const compared = read<{ versions: VersionAnswer[] }>('compare');
    expect(compared).toMatchObject({ baseline: { ...version, name: 'base' } });
    expect(compared.versions.map(({ name }) => name)).toEqual(['base', 'slim']);
    const listed = read<{ jobs: { state: string }[]; versions: VersionAnswer[] }>('list');
    expect(listed).toMatchObject({ name: 'Shapes', trash: [] });
    expect(listed.versions.map(({ name }) => name)).toEqual([
      'untrained',
      'base',
      'slim',
      'slim-tuned',
    ]);
    expect(listed.jobs).toHaveLength(9);
    expect(new Set(listed.jobs.map(({ state }) => state))).toEqual(new Set(['done']));
  });

  it('prints tables for people', async () => {
    const project = join(folder, 'project');
    const compared = await secateur('compare', project);
    expect(compared).toMatchObject({ code: 0, stderr: '' });
    const lines = compared.stdout.split('\n');
    expect(lines[0]).toMatch(/^version +size +latency +accuracy +MACs +params$/);
    expect(lines.find((line) => line.startsWith('slim '))).toMatch(
      /^slim +[\d.]+ kB +-[\d.]+ % +[\d.]+ ms +[+-]?[\d.]+ % +[\d.]+ % +[+-]?[\d.]+ pt +[\d.]+ k +-/,
    );
    expect(lines).toContain('Differences are to base. Latency: litert, 1 thread.');
    const listed = await secateur('list', project);
    expect(listed.stdout).toMatch(/^v-[0-9a-f]{12} +slim +prune +[\d.]+ kB +[\d.]+ ms +[\d.]+ % /m);
    expect(listed.stdout).toMatch(/^shapes: 48 training, 12 validation, 12 test images of /m);
    const inspected = await secateur('inspect', join(folder, 'model'));
    expect(inspected.stdout).toMatch(
      /^fc3 +dense +3 +255 +252 +Its channels are the model's output\.$/m,
    );
  }, 60_000);

  it('ends quietly when its reader has seen enough', async () => {
    const line = `node ${builtScript('cli.js')} zoo list --json | head -c 1`;
    const { code, stdout, stderr } = await start('sh', ['-c', line]).ended;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '{', stderr: '' });
  });
});
