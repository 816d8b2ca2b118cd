// Trains the model of the sample project with the program's own command line, on the sample's own images.
// `node scripts/make-sample/model.mjs`: about a quarter of an hour on two cores.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRoot } from '../lib/paths.mjs';
import { passThrough } from '../lib/processes.mjs';

const images = inRoot('resources', 'sample', 'images');
const target = inRoot('resources', 'sample', 'model');
const labels = readFileSync(join(images, 'labels.txt'), 'utf8').trim().split('\n');

const folder = mkdtempSync(join(tmpdir(), 'secateur-sample-'));
const project = join(folder, 'project');
const start = join(folder, 'start');
const exported = join(folder, 'exported');
try {
  await cli('create', project);
  await cli('data', 'add', project, images, '--name', 'fashion');
  await cli('zoo', 'write', 'resnet20-cifar-b', start, '--input', '28,28,1', '--classes', '10');
  const model = join(start, 'model.json');
  await cli('import', project, model, '--name', 'start', '--labels', labels.join(','));
  await cli(
    ...['train', project, 'start', '--name', 'fashion-resnet', '--data', 'fashion'],
    ...['--scratch', '--epochs', '40', '--pad-crop', '2', '--seed', '1'],
  );
  await cli('evaluate', project, 'fashion-resnet', '--data', 'fashion');
  await cli('export', project, 'fashion-resnet', '--format', 'tfjs-layers', '--out', exported);
  rmSync(target, { recursive: true, force: true });
  cpSync(exported, target, { recursive: true });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @param {string[]} args */
async function cli(...args) {
  const script = inRoot('scripts', 'cli.mjs');
  const code = await passThrough(process.execPath, [script, ...args]);
  if (code !== 0) throw new Error(`secateur ${args[0]} ended with ${code}.`);
}
