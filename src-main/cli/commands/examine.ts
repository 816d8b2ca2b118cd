// evaluate, measure, compare: figures of versions.

import type { Command } from 'commander';

import type { SplitName } from '../../engine/data/types';
import type { Latency, LatencyRuntime } from '../../engine/measure/types';
import type { Project } from '../../project/project';
import type { VersionSummary } from '../../project/types';
import {
  formatBytes,
  formatCount,
  formatDelta,
  formatMs,
  formatPercent,
  formatThreads,
  versionJson,
} from '../format';
import { choice, number } from '../options';
import { table } from '../output';
import { recoveryJson, recoveryLines } from '../recovery';
import type { Runtime } from '../runtime';

export function addEvaluate(program: Command, runtime: Runtime): void {
  program
    .command('evaluate')
    .argument('<project>', 'a project folder')
    .argument('<version>', 'a version by name or id')
    .requiredOption('--data <name>', 'a data set of the project')
    .option(
      '--split <split>',
      'train, val or test',
      choice('--split', ['train', 'val', 'test'] as const),
      'test',
    )
    .description('accuracy: top-1, top-5, macro-F1, per class, confusion matrix')
    .action((folder: string, name: string, flags: { data: string; split: SplitName }) =>
      runtime.withProject(folder, async (project) => {
        const version = await project.findVersion(name);
        const data = await project.findDataset(flags.data);
        await runtime.run(project, {
          kind: 'evaluate',
          versions: [version.id],
          data: data.id,
          split: flags.split,
        });
        const evaluations = await project.evaluations(version.id);
        const accuracy = evaluations.at(-1)?.accuracy;
        if (!accuracy) return;
        const after = await project.findVersion(version.id);
        runtime.output.result(
          { ...versionJson(after), evaluation: { data: data.name, ...accuracy } },
          [
            `${version.name} on ${accuracy.samples} ${accuracy.split} images of ${data.name}: ` +
              [
                `${formatPercent(accuracy.top1)} top-1`,
                ...(accuracy.top5 === null ? [] : [`${formatPercent(accuracy.top5)} top-5`]),
                `macro-F1 ${formatPercent(accuracy.macroF1)}`,
                `loss ${accuracy.loss.toFixed(4)}`,
              ].join(', '),
            ...table(
              ['class', 'recall'],
              accuracy.perClass.map((recall, i) => [
                data.classes[i] ?? String(i),
                formatPercent(recall),
              ]),
              new Set([1]),
            ),
          ],
        );
      }),
    );
}

export function addMeasure(program: Command, runtime: Runtime): void {
  program
    .command('measure')
    .argument('<project>', 'a project folder')
    .argument('<versions...>', 'versions by name or id')
    .option(
      '--runtime <name>',
      'litert or tfjs',
      choice('--runtime', ['litert', 'tfjs'] as const),
      'litert',
    )
    .option('--threads <n>', 'threads', number('--threads', { min: 1, max: 64, integer: true }), 1)
    .option('--runs <n>', 'timed runs', number('--runs', { min: 1, integer: true }), 50)
    .description('latency on this machine: median and 95th percentile')
    .action(
      (
        folder: string,
        names: readonly string[],
        flags: { runtime: LatencyRuntime; threads: number; runs: number },
      ) =>
        runtime.withProject(folder, async (project) => {
          const versions = await Promise.all(names.map((name) => project.findVersion(name)));
          await runtime.run(project, {
            kind: 'measure',
            versions: versions.map(({ id }) => id),
            runtime: flags.runtime,
            threads: flags.threads,
            runs: flags.runs,
          });
          const results = await Promise.all(
            versions.map(async (version) => ({
              id: version.id,
              name: version.name,
              latency: (await project.measurements(version.id)).at(-1)?.latency ?? null,
            })),
          );
          runtime.output.result(
            { versions: results },
            results.map(({ name, latency }) =>
              latency
                ? `${name}: median ${formatMs(latency.medianMs)}, p95 ${formatMs(latency.p95Ms)} ` +
                  `(${latency.runtimeDetail}, ${formatThreads(latency.threads)}, ${latency.device})`
                : `${name}: not measured`,
            ),
          );
        }),
    );
}

type LatencySetting = Pick<Latency, 'runtime' | 'threads'>;

/** Latencies compare within one setting only: that of the baseline, else the first that was measured at all. */
function latencySetting(
  baseline: VersionSummary,
  versions: readonly VersionSummary[],
): LatencySetting | undefined {
  return [baseline, ...versions].flatMap(({ latency }) => latency)[0];
}

function medianAt(version: VersionSummary, setting: LatencySetting | undefined): number | null {
  const found = version.latency.find(
    ({ runtime, threads }) => runtime === setting?.runtime && threads === setting.threads,
  );
  return found?.medianMs ?? null;
}

/** In percentage points, on the same images; else there is nothing to compare. */
function accuracyDelta(version: VersionSummary, baseline: VersionSummary): string {
  const [own, other] = [version.accuracy, baseline.accuracy];
  if (!own || own.data !== other?.data || own.split !== other.split) return '';
  const points = (own.top1 - other.top1) * 100;
  return `${points > 0 ? '+' : ''}${points.toFixed(2)} pt`;
}

function compareLines(
  baseline: VersionSummary,
  versions: readonly VersionSummary[],
): readonly string[] {
  const setting = latencySetting(baseline, versions);
  const delta = (value: number | null, base: number | null): string =>
    value === null || base === null ? '' : formatDelta(value, base);
  const rows = versions.map((version) => {
    const latency = medianAt(version, setting);
    const figures = [
      version.name,
      [formatBytes(version.bytes), delta(version.bytes, baseline.bytes)],
      [latency === null ? '-' : formatMs(latency), delta(latency, medianAt(baseline, setting))],
      [
        version.accuracy ? formatPercent(version.accuracy.top1) : '-',
        accuracyDelta(version, baseline),
      ],
      [formatCount(version.macs), delta(version.macs, baseline.macs)],
      [formatCount(version.params), delta(version.params, baseline.params)],
    ];
    if (version.id !== baseline.id) return figures.flat();
    return figures.flatMap((cell) => (typeof cell === 'string' ? cell : [cell[0] ?? '', '']));
  });
  return [
    ...table(
      ['version', 'size', '', 'latency', '', 'accuracy', '', 'MACs', '', 'params', ''],
      rows,
      new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ),
    '',
    `Differences are to ${baseline.name}.` +
      (setting ? ` Latency: ${setting.runtime}, ${formatThreads(setting.threads)}.` : ''),
  ];
}

/** The comparison of a project's versions with its baseline. */
export async function compareVersions(
  project: Project,
  names: readonly string[],
): Promise<{ readonly json: object; readonly lines: readonly string[] }> {
  const state = await project.state();
  const chosen =
    names.length === 0
      ? state.versions
      : await Promise.all(names.map((name) => project.findVersion(name)));
  const baseline =
    state.versions.find(({ id }) => id === state.baseline) ?? chosen[0] ?? state.versions[0];
  if (!baseline) {
    const nothing = { baseline: null, versions: [], recoveries: [] };
    return { json: nothing, lines: ['No versions yet.'] };
  }
  const rows = chosen.some(({ id }) => id === baseline.id) ? chosen : [baseline, ...chosen];
  const shown = new Set(rows.map(({ id }) => id));
  const recoveries = state.recoveries.filter(({ stages }) =>
    stages.some(({ versions }) => versions.some((id) => shown.has(id))),
  );
  const told = recoveries.flatMap((recovery) => recoveryLines(recovery, state));
  return {
    json: {
      baseline: versionJson(baseline),
      versions: rows.map(versionJson),
      recoveries: recoveries.map((recovery) => recoveryJson(recovery, state)),
    },
    lines: [...compareLines(baseline, rows), ...(told.length > 0 ? ['', ...told] : [])],
  };
}

export function addCompare(program: Command, runtime: Runtime): void {
  program
    .command('compare')
    .argument('<project>', 'a project folder')
    .argument('[versions...]', 'versions by name or id; all by default')
    .description('versions beside the baseline: size, latency, accuracy')
    .action((folder: string, names: readonly string[]) =>
      runtime.withProject(folder, async (project) => {
        const { json, lines } = await compareVersions(project, names);
        runtime.output.result(json, lines);
      }),
    );
}
