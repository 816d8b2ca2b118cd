import { describe, expect, it } from 'vitest';
import { engineVersion } from '../../../src-main/version';
import { commandLine } from './program';

const helpOf = async (...words: string[]): Promise<string> => {
  const { code, stdout, stderr } = await commandLine(...words, '--help');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

describe('help', () => {
  it('lists every command that people type', async () => {
    const help = await helpOf();
    const listed = [...help.matchAll(/^ {2}([a-z][a-z-]*)\b/gm)].map(([, name]) => name);
    expect(listed.filter((name) => name !== 'help')).toEqual([
      ...[
        'inspect',
        'zoo',
        'create',
        'data',
        'import',
        'sensitivity',
        'prune',
        'recalibrate',
        'train',
      ],
      ...['lr-find'],
      ...[
        'evaluate',
        'measure',
        'compare',
        'diff',
        'flips',
        'export',
        'resume',
        'list',
        'rename',
        'baseline',
      ],
      ...['trash', 'restore', 'sample'],
    ]);
    expect(help).toContain('Exit codes:');
    expect((await commandLine('--version')).stdout.trim()).toBe(engineVersion);
  });

  it.each([
    ['zoo write', ['--input', '--classes', '--seed']],
    [
      'data add',
      ['--name', '--size', '--channels', '--fit', '--val', '--test', '--skip-unreadable'],
    ],
    [
      'import',
      [
        '--name',
        '--labels',
        '--scale',
        '--mean',
        '--std',
        '--channel-order',
        '--data',
        '--measure',
      ],
    ],
    [
      'prune',
      [
        ...[
          '--method',
          '--ratio',
          '--macs',
          '--params',
          '--bytes',
          '--table',
          '--scope',
          '--align',
        ],
        ...[
          '--reduction',
          '--normalisation',
          '--min-channels',
          '--max-ratio',
          '--protect',
          '--steps',
        ],
        ...['--data', '--recalibrate', '--epochs', '--measure', '--seed', '--name'],
      ],
    ],
    [
      'train',
      [
        ...['--data', '--epochs', '--lr', '--batch', '--momentum', '--weight-decay', '--schedule'],
        ...['--no-flip', '--pad-crop', '--sparsity', '--samples', '--scratch', '--seed', '--name'],
        ...['--teacher', '--temperature', '--alpha', '--hints'],
      ],
    ],
    ['evaluate', ['--data', '--split']],
    ['measure', ['--runtime', '--threads', '--runs']],
    ['export', ['--format', '--precision', '--data', '--out']],
    ['trash', ['--kind']],
  ])('of %s names its options', async (command, options) => {
    const help = await helpOf(...command.split(' '));
    for (const option of [...options, '--json']) expect(help).toMatch(`  ${option}`);
  });

  it('is shown where a command is missing, as an error', async () => {
    const { code, stdout, stderr } = await commandLine('data');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: secateur data /);
    expect(stderr).toMatch(/error: INVALID_ARGUMENT: There is no command\.\nhint: See --help\.\n$/);
  });
});
