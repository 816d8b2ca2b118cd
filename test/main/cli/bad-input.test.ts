import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project } from '../../../src-main/project/project';
import {
  answer,
  builtScript,
  expectRefusal,
  makeIdx,
  makeImages,
  refused,
  secateur,
  start,
} from './program';

/** Everything in a folder but the database, which keeps a record of jobs that failed. */
async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => !/^(project\.db|backups)/.test(name)).sort();
}

/** Whether this user may mount, in a namespace that ends with the process. */
const mounts = spawnSync('unshare', ['--mount', 'true']).status === 0;

describe('bad input', { timeout: 180_000 }, () => {
  let folder: string;
  let project: string;
  let model: string;
  let before: string[];
  const at = (...names: string[]): string => join(folder, ...names);

  /** A copy of the model with something wrong. */
  async function spoilt(name: string, spoil: (copy: string) => Promise<void>): Promise<string> {
    await cp(model, at(name), { recursive: true });
    await spoil(at(name));
    return join(at(name), 'model.json');
  }

  const shardOf = (copy: string): string => join(copy, 'group1-shard1of1.bin');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secateur-cli-'));
    [project, model] = [at('project'), at('model')];
    await makeImages(at('images'));
    await makeIdx(at('digits'), 40, 9);
    await answer('create', project);
    await answer('zoo', 'write', 'lenet5', model, '--input', '12,12,1', '--classes', '3');
    await answer('import', project, join(model, 'model.json'), '--name', 'lenet');
    await answer('data', 'add', project, at('images'), '--name', 'shapes', '--channels', '1');
    await answer('data', 'add', project, at('digits'), '--name', 'digits');
    before = await filesIn(project);
  }, 300_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** A refusal after which the project holds what it held before, and works. */
  async function refusedUnchanged(
    ...parameters: Parameters<typeof refused>
  ): ReturnType<typeof refused> {
    const error = await refused(...parameters);
    expect(await filesIn(project)).toEqual(before);
    return error;
  }

  describe('models', () => {
    it('a truncated shard', async () => {
      const path = await spoilt('truncated', async (copy) => {
        const content = await readFile(shardOf(copy));
        await writeFile(shardOf(copy), content.subarray(0, 1000));
      });
      const error = await refusedUnchanged('MODEL_CORRUPT', 'import', project, path);
      expect(error.message).toContain('group1-shard1of1.bin');
      await refused('MODEL_CORRUPT', 'inspect', path);
    });

    it('a manifest that names a file outside its folder', async () => {
      const path = await spoilt('outside', async (copy) => {
        const json = join(copy, 'model.json');
        const text = await readFile(json, 'utf8');
        await writeFile(json, text.replace('group1-shard1of1.bin', '../x.bin'));
        await cp(shardOf(copy), at('x.bin'));
      });
      const error = await refusedUnchanged('MODEL_UNSAFE_PATH', 'import', project, path);
      expect(error.message).toContain('../x.bin');
    });

    it('an image that is called model.json', async () => {
      const path = at('picture', 'model.json');
      await cp(at('images', 'train', 'dark', '0.png'), path);
      const error = await refusedUnchanged('MODEL_FORMAT_UNKNOWN', 'import', project, path);
      expect(error.message).toContain('PNG');
    });

    it('weights that are not numbers', async () => {
      const path = await spoilt('nan', async (copy) => {
        const content = await readFile(shardOf(copy));
        content.writeFloatLE(Number.NaN, 40);
        await writeFile(shardOf(copy), content);
      });
      await refusedUnchanged('MODEL_NOT_FINITE', 'import', project, path);
    });

    it('labels that are too few, or those of other classes', async () => {
      const path = join(model, 'model.json');
      await refusedUnchanged('INVALID_ARGUMENT', 'import', project, path, '--labels', 'a,b');
      const error = await refusedUnchanged(
        'DATA_MISMATCH',
        ...['import', project, path, '--labels', 'cat,dog,cow', '--data', 'shapes'],
      );
      expect(error.message).toContain('"dark"');
    });

    it('no file at all', async () => {
      const error = await refusedUnchanged('FILE_UNREADABLE', 'import', project, at('none.json'));
      expect(error.message).toContain('none.json');
    });
  });

  describe('data', () => {
    it('an image that cannot be decoded, unless it may be left out', async () => {
      const images = at('spoilt-images');
      await cp(at('images'), images, { recursive: true });
      const bad = join(images, 'train', 'light', '3.png');
      await writeFile(bad, 'not a picture');
      const error = await refusedUnchanged('DATA_IMAGE_UNREADABLE', 'data', 'add', project, images);
      expect(error.message).toContain(join('light', '3.png'));
      expect(error.hint).toContain('--skip-unreadable');

      const other = at('other-project');
      await answer('create', other);
      const added = await answer<{ counts: { train: number }; notes: string[] }>(
        ...['data', 'add', other, images, '--skip-unreadable'],
      );
      expect(added.counts.train).toBe(47);
      expect(added.notes.join()).toContain('3.png');
    });

    it('images of another size, and no images at all', async () => {
      const error = await refusedUnchanged(
        'DATA_MISMATCH',
        ...['train', project, 'lenet', '--data', 'digits', '--epochs', '1'],
      );
      expect(error.message).toMatch(/9 x 9.*12 x 12/);
      await mkdir(at('nothing'));
      await refusedUnchanged('DATA_FORMAT_UNKNOWN', 'data', 'add', project, at('nothing'));
    });

    it('a split without images', async () => {
      await answer('data', 'add', at('other-project'), at('digits'), '--val', '0', '--test', '0');
      await answer('import', at('other-project'), join(model, 'model.json'));
      await refused(
        'DATA_MISMATCH',
        ...['evaluate', at('other-project'), 'model', '--data', 'digits', '--split', 'val'],
      );
    });
  });

  describe('options', () => {
    it.each<[string, string[], RegExp]>([
      ['an unknown one', ['prune', 'P', 'lenet', '--method', 'l1', '--mac', '0.5'], /--mac'.*/],
      [
        'a share above 1',
        ['prune', 'P', 'lenet', '--method', 'l1', '--macs', '2'],
        /--macs is '2'/,
      ],
      ['a share of 0', ['prune', 'P', 'lenet', '--method', 'l1', '--macs', '0'], /--macs is '0'/],
      ['no target', ['prune', 'P', 'lenet', '--method', 'l1'], /No target/],
      ['an unknown method', ['prune', 'P', 'lenet', '--method', 'magic', '--macs', '0.5'], /magic/],
      ['no method', ['prune', 'P', 'lenet', '--macs', '0.5'], /--method/],
      ['epochs of 0', ['train', 'P', 'lenet', '--data', 'shapes', '--epochs', '0'], /whole number/],
      ['half an epoch', ['train', 'P', 'lenet', '--data', 'shapes', '--epochs', '0.5'], /whole/],
      [
        'a rate that is no number',
        ['train', 'P', 'lenet', '--data', 'shapes', '--epochs', '1', '--lr', 'x'],
        /--lr is 'x'/,
      ],
      ['a half preprocessing', ['import', 'P', 'M', '--mean', '0'], /part of the preprocessing/],
      ['a format that is not written', ['export', 'P', 'lenet', '--format', 'caffe'], /caffe/],
      [
        'a table that is none',
        ['prune', 'P', 'lenet', '--method', 'l1', '--table', 'M'],
        /not a table/,
      ],
      [
        'recovery without data',
        ['prune', 'P', 'lenet', '--method', 'l1', '--macs', '0.5', '--epochs', '1'],
        /data set/,
      ],
      [
        'a method that looks at images, and none named',
        ['prune', 'P', 'lenet', '--method', 'taylor', '--macs', '0.5'],
        /no data set/,
      ],
      [
        'a latency in seconds',
        ['prune', 'P', 'lenet', '--method', 'l1', '--latency', '1.5s'],
        /--latency is '1.5s', expected .* 1\.5ms/,
      ],
      [
        'a latency above the original',
        ['prune', 'P', 'lenet', '--method', 'l1', '--latency', '1.5'],
        /--latency is '1.5'/,
      ],
      [
        'a precision without bytes',
        ['prune', 'P', 'lenet', '--method', 'l1', '--macs', '0.5', '--precision', 'int8'],
        /precision int8/,
      ],
      [
        'a ceiling above 1',
        ['prune', 'P', 'lenet', '--method', 'l1', '--macs', '0.5', '--ceilings', 'conv1=2'],
        /conv1=2/,
      ],
      ['a name with a slash', ['rename', 'P', 'lenet', 'a/b'], /a\/b/],
      ['a missing argument', ['list'], /project/],
      ['an unknown command', ['purne', 'P'], /purne/],
      ['no command', [], /no command/],
      ['a request that is no JSON', ['job', 'P', '{'], /not JSON/],
      ['a request of an unknown kind', ['job', 'P', '{"kind":"delete"}'], /kind/],
    ])('%s', async (_, words, message) => {
      const path = join(model, 'model.json');
      const args = words.map((word) => (word === 'P' ? project : word === 'M' ? path : word));
      const error = await refusedUnchanged('INVALID_ARGUMENT', ...args);
      expect(error.message).toMatch(message);
    });

    it('names what was meant', async () => {
      expect((await refused('INVALID_ARGUMENT', 'purne')).hint).toContain('prune');
      const options = ['--method', 'l1', '--mac', '0.5'];
      const { hint } = await refused('INVALID_ARGUMENT', 'prune', project, 'lenet', ...options);
      expect(hint).toContain('--macs');
      const version = await refused('NOT_FOUND', 'export', project, 'lennet', '--format', 'tflite');
      expect(version.hint).toContain('"lenet"');
      const data = await refused('NOT_FOUND', 'evaluate', project, 'lenet', '--data', 'shape');
      expect(data.hint).toContain('"shapes"');
      const layer = await refusedUnchanged(
        'NOT_FOUND',
        ...['prune', project, 'lenet', '--method', 'l1', '--macs', '0.5', '--protect', 'conv11'],
      );
      expect(layer.hint).toContain('"conv1"');
      const zoo = await refused('NOT_FOUND', 'zoo', 'write', 'resnet', at('resnet'));
      expect(zoo.hint).toContain('resnet20-cifar');
    });

    it('a sensitivity analysis of impossible widths, or a cut by a map that is not there', async () => {
      const words = ['sensitivity', project, 'lenet', '--data', 'shapes'];
      for (const grid of ['', '1', '0.5,0', '0.5,half']) {
        const error = await refusedUnchanged('INVALID_ARGUMENT', ...words, '--grid', grid);
        expect(error.message).toContain('--grid');
      }
      await refusedUnchanged('INVALID_ARGUMENT', ...words, '--samples', '0');
      await refusedUnchanged('DATA_MISMATCH', 'sensitivity', project, 'lenet', '--data', 'digits');
      const error = await refusedUnchanged(
        'NOT_FOUND',
        ...['prune', project, 'lenet', '--method', 'l1', '--macs', '0.5', '--scope', 'sensitivity'],
      );
      expect(error.hint).toContain('command sensitivity');
    });

    it('a target that cannot be reached', async () => {
      const error = await refusedUnchanged(
        'PRUNE_TARGET_UNREACHABLE',
        ...['prune', project, 'lenet', '--method', 'l1', '--macs', '0.0001'],
      );
      expect(error.hint).not.toBe('');
    });

    it('without --json they are told on stderr alone', async () => {
      const ended = await secateur('prune', project, 'lenet', '--method', 'l1');
      const { code, stdout, stderr } = ended;
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(
        /^error: INVALID_ARGUMENT: No target was given\.\nhint: .*--macs.*\n$/,
      );
    });
  });

  describe('folders', () => {
    const exportTo = (out: string): string[] => [
      ...['export', project, 'lenet', '--format', 'tflite', '--out', out],
    ];

    it('an export where something is already', async () => {
      const error = await refusedUnchanged('ALREADY_EXISTS', ...exportTo(at('images')));
      expect(error.message).toContain(at('images'));
      await refused('ALREADY_EXISTS', ...exportTo(at('x.bin')));
      await refused('ALREADY_EXISTS', 'zoo', 'write', 'lenet5', model);
      await refused('ALREADY_EXISTS', 'create', project);
    });

    it('a project below a file, or inside another', async () => {
      await refused('ALREADY_EXISTS', 'create', at('x.bin', 'project'));
      await refused('INVALID_ARGUMENT', 'create', join(project, 'inner'));
      expect(await filesIn(project)).toEqual(before);
    });

    it.runIf(process.platform === 'linux')('a place where not even root can write', async () => {
      await refused('FILE_UNWRITABLE', 'create', '/proc/secateur/project');
      await refusedUnchanged('FILE_UNWRITABLE', ...exportTo('/proc/secateur/out'));
      await refused('FILE_UNWRITABLE', 'zoo', 'write', 'lenet5', '/proc/secateur/model');
    });

    it.runIf(mounts)('a project on a disk that is read-only', async () => {
      const line = `mount --bind '${project}' '${project}' && mount -o remount,bind,ro '${project}' && exec node '${builtScript('cli.js')}' list '${project}' --json`;
      const ended = await start('unshare', ['--mount', 'sh', '-c', line]).ended;
      expect(expectRefusal(ended, 'FILE_UNWRITABLE').message).toContain('read-only');
    });

    it('a folder that is no project', async () => {
      const error = await refused('PROJECT_NOT_FOUND', 'list', at('images'));
      expect(error.message).toContain(at('images'));
      await refused('PROJECT_NOT_FOUND', 'list', at('none'));
    });

    it('a project that another process has open', async () => {
      const held = await Project.open(project);
      try {
        const error = await refused('PROJECT_LOCKED', 'list', project);
        expect(error.message).toContain(String(process.pid));
      } finally {
        await held.close();
      }
      await answer('list', project);
    });

    it('a project of a newer version', async () => {
      const newer = at('newer');
      await answer('create', newer);
      const database = new sqlite3.Database(join(newer, 'project.db'));
      await new Promise((resolve) => database.exec('PRAGMA user_version = 9999', resolve));
      await new Promise((resolve) => database.close(resolve));
      await refused('PROJECT_NEWER', 'list', newer);
    });
  });

  describe('a full disk', () => {
    it('whose limit is met while images are saved', async () => {
      await makeIdx(at('many'), 3000, 28);
      // 512 or 1024 bytes a block, as the shell likes: enough for the database, too little for 2.4 MB of images.
      const line = `ulimit -f 1500 && exec node '${builtScript('cli.js')}' data add '${project}' '${at('many')}' --json`;
      const error = expectRefusal(await start('sh', ['-c', line]).ended, 'DISK_FULL');
      expect(error.hint).toContain('ulimit');
      expect(await filesIn(project)).toEqual(before);
      const { datasets } = await answer<{ datasets: unknown[] }>('list', project);
      expect(datasets).toHaveLength(2);
    });

    it.runIf(mounts)('that has too little room for a job', async () => {
      const small = at('small');
      await mkdir(small);
      const cli = builtScript('cli.js');
      const line = [
        `mount -t tmpfs -o size=4m none '${small}'`,
        `node '${cli}' create '${small}/project' >&2`,
        `node '${cli}' data add '${small}/project' '${at('images')}' --json; code=$?`,
        `node '${cli}' list '${small}/project' >&2 && exit $code`,
      ].join(' && ');
      const ended = await start('unshare', ['--mount', 'sh', '-c', line]).ended;
      const { error } = JSON.parse(ended.stdout) as { error: { code: string; details: object } };
      expect(error).toMatchObject({
        code: 'DISK_FULL',
        details: { bytesNeeded: expect.any(Number) as number },
      });
      expect(ended.code, ended.stderr).toBe(1);
    });
  });

  it('leaves a project that works', async () => {
    const state = await answer<{ versions: object[]; jobs: { state: string }[] }>('list', project);
    expect(state.versions).toHaveLength(1);
    expect(new Set(state.jobs.map((job) => job.state))).toEqual(new Set(['done', 'failed']));
    await answer('prune', project, 'lenet', '--method', 'l1', '--ratio', '0.3', '--name', 'slim');
  });
});
