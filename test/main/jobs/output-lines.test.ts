// What of a worker's output comes through.

import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { OutputLines } from '../../../src-main/jobs/hosts/output-lines';

describe('OutputLines', () => {
  it('passes on lines of all streams, but for what TensorFlow says at every start', async () => {
    const remarks = [
      'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR',
      'I0000 00:00:1 2 port.cc:153] oneDNN custom operations are on. You may see slightly different',
      'E0000 00:00:1 2 something.cc:1] It broke.',
    ];
    const output = new OutputLines([
      Readable.from([`${remarks.join('\n')}\n`]),
      null,
      Readable.from(['about to ', 'throw\n']),
    ]);
    const lines: string[] = [];
    output.onLine((line) => lines.push(line));
    await output.ended;
    expect(lines.sort()).toEqual(['E0000 00:00:1 2 something.cc:1] It broke.', 'about to throw']);
  });
});
