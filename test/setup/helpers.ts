// Shared by the set-up tests: temporary folders, a silent reporter, a loopback server, environments without tools.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { findProgram } from '../../scripts/lib/processes.mjs';
import { Reporter } from '../../scripts/lib/report.mjs';

/** An empty folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'secateur-setup-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A reporter that keeps its lines. */
export function recordingReporter(): { reporter: Reporter; lines: string[] } {
  const lines: string[] = [];
  return { reporter: new Reporter({ write: (text: string) => lines.push(text) }), lines };
}

/** Starts a server on a free loopback port for one test and gives its address. */
export async function loopbackServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An environment whose PATH holds the named programs and nothing else. */
export function environmentWith(...programs: string[]): NodeJS.ProcessEnv {
  const folder = join(temporaryFolder(), 'bin');
  mkdirSync(folder);
  for (const program of programs) {
    const found = findProgram([program]);
    if (!found) throw new Error(`this test needs ${program}`);
    symlinkSync(found, join(folder, program));
  }
  return { PATH: folder, HOME: folder };
}
