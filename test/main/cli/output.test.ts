import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDelta,
  formatDifference,
} from '../../../src-main/cli/format';
import { bytes, choice, list, number, share } from '../../../src-main/cli/options';
import { clock, createOutput, table, type Output } from '../../../src-main/cli/output';
import type { Progress } from '../../../src-main/engine/context';
import { AppError } from '../../../src-main/engine/errors';

function outputTo(options: { json?: boolean; isTTY?: boolean; columns?: number } = {}): {
  output: Output;
  told: { stdout: string; stderr: string };
} {
  const told = { stdout: '', stderr: '' };
  const output = createOutput(options.json ?? false, {
    stdout: { write: (text) => (told.stdout += text) },
    stderr: {
      write: (text) => (told.stderr += text),
      isTTY: options.isTTY ?? false,
      columns: options.columns ?? 80,
    },
  });
  return { output, told };
}

const at = (phase: Progress['phase'], label: string, done = 0, total = 0): Progress => ({
  phase,
  label,
  done,
  total,
});

/** What a terminal of any width shows in the end: a line that is written over leaves nothing. */
const shown = (stderr: string): string[] =>
  stderr.split('\n').map((line) => line.split('\r\u001b[K').at(-1) ?? '');

describe('output', () => {
  it('prints results as lines, or as one JSON object', () => {
    const plain = outputTo();
    plain.output.result({ a: 1 }, ['one', 'two']);
    expect(plain.told).toEqual({ stdout: 'one\ntwo\n', stderr: '' });
    const json = outputTo({ json: true });
    json.output.result({ a: 'ä\n' }, ['one']);
    expect(json.told).toEqual({ stdout: '{"a":"ä\\n"}\n', stderr: '' });
  });

  it('prints errors with code and hint, and the log of a crash', () => {
    const { output, told } = outputTo({ json: true });
    const details = { log: ['Segmentation fault'] };
    output.error(new AppError('WORKER_CRASHED', 'It ended.', 'Try again.', { details }));
    expect(JSON.parse(told.stdout)).toEqual({
      error: { code: 'WORKER_CRASHED', message: 'It ended.', hint: 'Try again.', details },
    });
    expect(told.stderr).toBe(
      'Segmentation fault\nerror: WORKER_CRASHED: It ended.\nhint: Try again.\n',
    );
  });

  it('writes a line for what begins where there is no terminal, and none for each epoch', () => {
    const { output, told } = outputTo();
    for (const progress of [
      at('reading', 'Reading shard 1', 0, 3),
      at('reading', 'Reading shard 2', 1, 3),
      at('measuring', 'Measuring a', 10, 50),
      at('measuring', 'Measuring a', 40, 50),
      at('measuring', 'Measuring b', 10, 50),
      at('measuring', 'Measuring c', 0, 50),
      at('training', 'Epoch 1 of 2', 1, 4),
      at('training', 'Epoch 1 of 2: validating', 2, 4),
      at('training', 'Epoch 2 of 2', 3, 4),
      at('evaluating', 'Evaluating net on test', 0, 10),
      at('evaluating', 'Evaluating net on test', 10, 10),
    ]) {
      output.progress(progress, null);
    }
    output.note('A remark');
    output.endProgress();
    expect(told.stderr.split('\n')).toEqual([
      'Reading shard 1',
      'Measuring a',
      'Measuring b',
      'Measuring c',
      'Training',
      'Evaluating net on test',
      'A remark',
      '',
    ]);
  });

  it('keeps one line up to date on a terminal, and takes it back', () => {
    const { output, told } = outputTo({ isTTY: true });
    output.progress(at('training', 'Epoch 1 of 2', 1, 4), 65_000);
    expect(told.stderr).toBe(
      '\r\u001b[KEpoch 1 of 2  ######.................. 1/4  about 1:05 left',
    );
    output.note('Epoch 1 of 2: loss 1');
    output.progress(at('writing', 'Saving'), null);
    output.endProgress();
    expect(shown(told.stderr)).toEqual(['Epoch 1 of 2: loss 1', '']);
  });

  it('does not let the line wrap', () => {
    const { output, told } = outputTo({ isTTY: true, columns: 20 });
    output.progress(at('reading', 'A label that is much too long for it', 1, 2), null);
    expect(shown(told.stderr)[0]).toBe('A label that is muc');
  });

  it('aligns tables', () => {
    const lines = table(
      ['name', 'size'],
      [
        ['a', '1.5 kB'],
        ['longer', '20 B'],
      ],
      new Set([1]),
    );
    expect(lines).toEqual(['name      size', '------  ------', 'a       1.5 kB', 'longer    20 B']);
  });
});

describe('figures', () => {
  it.each([
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1_549_000, '1.55 MB'],
  ])('%d bytes', (value, text) => expect(formatBytes(value)).toBe(text));

  it.each([
    [9588, '9588'],
    [15_031, '15.0 k'],
    [125_485_696, '125.49 M'],
    [4_089_184_256, '4.09 G'],
  ])('count %d', (value, text) => expect(formatCount(value)).toBe(text));

  it('differences', () => {
    expect(formatDelta(418, 1000)).toBe('-58.2 %');
    expect(formatDelta(1100, 1000)).toBe('+10.0 %');
    expect(formatDelta(1000, 1000)).toBe('0.0 %');
    expect(formatDifference(0)).toBe('0');
    expect(formatDifference(1.24e-7)).toBe('1.2e-7');
    expect(clock(3_599_600)).toBe('60:00');
  });
});

describe('options', () => {
  const refusal = expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error;

  it('numbers within bounds', () => {
    const parse = number('--n', { min: 1, max: 3, integer: true });
    expect(parse('2')).toBe(2);
    for (const text of ['', ' ', '0', '4', '1.5', 'x', 'Infinity', '1e9', '0x2z']) {
      expect(() => parse(text), text).toThrow(refusal);
    }
    expect(() => parse('9')).toThrow("--n is '9', expected a whole number from 1 to 3.");
    expect(() => number('--lr', { min: 0 })('-1')).toThrow('expected a number of at least 0.');
  });

  it('shares, sizes, choices and lists', () => {
    expect(share('--macs')('0.5')).toBe(0.5);
    expect(() => share('--macs')('0')).toThrow(refusal);
    expect(bytes('--bytes')('500k')).toBe(500_000);
    expect(bytes('--bytes')('0.5 MB')).toBe(500_000);
    expect(bytes('--bytes')('1234')).toBe(1234);
    for (const text of ['', 'k', '1.2.3', '-5', '5 TB', '0']) {
      expect(() => bytes('--bytes')(text), text).toThrow(refusal);
    }
    expect(choice('--fit', ['cover', 'fill'])('fill')).toBe('fill');
    expect(() => choice('--fit', ['cover', 'fill'])('crop')).toThrow('one of cover, fill');
    expect(list(' a, b,,c ')).toEqual(['a', 'b', 'c']);
  });
});
