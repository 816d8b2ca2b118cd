// Many random networks cut at random: it fails when one of them is cut wrongly.
// SECATEUR_FUZZ_GRAPHS sets how many (50,000), SECATEUR_FUZZ_SEED the first seed (1,000,000: none of the unit tests').
// Failures are written as fixtures to out/fuzz, ready to be kept in test/fixtures/graphs.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FuzzFailure, fuzz } from '../engine/prune/fuzz/run';
import type { BenchResult } from './types';

export const name = 'fuzz';

const graphs = Number(process.env['SECATEUR_FUZZ_GRAPHS'] ?? 50_000);
const firstSeed = Number(process.env['SECATEUR_FUZZ_SEED'] ?? 1_000_000);
/** Shrinking takes long, and failures beyond some are mostly the same one. */
const mostFailures = 20;

export async function run(): Promise<BenchResult> {
  const folder = join(process.cwd(), 'out', 'fuzz');
  const start = performance.now();
  let [done, failures] = [0, 0];
  while (done < graphs && failures < mostFailures) {
    try {
      fuzz(firstSeed + done);
    } catch (error) {
      if (!(error instanceof FuzzFailure)) throw error;
      failures++;
      mkdirSync(folder, { recursive: true });
      const file = join(folder, `seed-${firstSeed + done}.json`);
      writeFileSync(file, `${JSON.stringify(error.fixture, null, 2)}\n`);
    }
    done++;
  }
  const seconds = (performance.now() - start) / 1000;
  if (failures > 0) {
    throw new Error(`${failures} of ${done} networks were cut wrongly: see ${folder}.`);
  }
  return {
    figures: [
      { label: 'random networks cut twice, none wrongly', value: done, unit: 'networks' },
      { label: 'speed', value: done / seconds, unit: 'networks/s' },
    ],
  };
}
