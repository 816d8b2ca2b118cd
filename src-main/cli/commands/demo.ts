// demo <folder>: the main job on the sample, for machines without a display.

import type { Command } from 'commander';

import { defaultPruneOptions } from '../../engine/prune';
import { fineTuneDefaults } from '../../engine/train/defaults';
import { quote } from '../../jobs/command-line';
import { createSampleProject, sampleNames } from '../../jobs/sample';
import { defaultLatency } from '../../jobs/work/versions';
import type { Project } from '../../project/project';
import { sampleFolder } from '../../resources';
import type { Runtime } from '../runtime';
import { compareVersions } from './examine';

const epochs = 3;

async function runMainJob(project: Project, runtime: Runtime): Promise<readonly string[]> {
  const { output } = runtime;
  output.note('1/5  Opening the sample: Fashion-MNIST images and a trained residual network');
  await createSampleProject(sampleFolder(), (request) => runtime.run(project, request));
  const version = await project.findVersion(sampleNames.version);
  const data = await project.findDataset(sampleNames.data);

  output.note('2/5  Pruning to half the MACs (L1), and fine-tuning');
  const job = await runtime.run(project, {
    kind: 'prune',
    version: version.id,
    options: { ...defaultPruneOptions, criterion: 'l1', target: { macs: 0.5 } },
    steps: 1,
    data: data.id,
    recalibrate: false,
    fineTune: fineTuneDefaults(epochs),
    measure: false,
    name: 'fashion-slim',
  });
  const result = job.versions.at(-1) ?? version.id;

  output.note('3/5  Measuring latency before and after, one right after the other');
  await runtime.run(project, {
    kind: 'measure',
    versions: [version.id, result],
    ...defaultLatency,
  });

  for (const format of ['tflite', 'tfjs-layers'] as const) {
    output.note(`4/5  Exporting ${format} and checking it with its real runtime`);
    await runtime.run(project, {
      kind: 'export',
      version: result,
      format,
      precision: 'fp32',
      data: data.id,
      folder: null,
    });
  }
  output.note('5/5  Comparing');
  return (await project.exports(result)).map(({ folder }) => folder);
}

export function addDemo(program: Command, runtime: Runtime): void {
  program
    .command('demo', { hidden: true })
    .argument('<folder>', 'a new folder for the sample project')
    .action((folder: string) =>
      runtime.withNewProject(folder, sampleNames.project, async (project) => {
        const exported = await runMainJob(project, runtime);
        const { json, lines } = await compareVersions(project, []);
        runtime.output.result({ project: project.folder, exports: exported, comparison: json }, [
          '',
          ...lines,
          '',
          `Project: ${project.folder}`,
          ...exported.map((path) => `Export:  ${path}`),
          `Next:    npm run cli -- list ${quote(project.folder)}`,
        ]);
      }),
    );
}
