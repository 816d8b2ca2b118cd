// evaluate, measure, compare: figures of versions.

import type { Command } from 'commander';

import type { SplitName } from '../../engine/data/types';
import { formatError, formatScoreChange, scoreOf } from '../../engine/measure/score';
import type { Evaluation, Latency, LatencyRuntime } from '../../engine/measure/types';
import type { Project } from '../../project/project';
import type { VersionSummary } from '../../project/types';
import {
  formatBytes,
  formatCount,
  formatDelta,
  formatFigure,
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
    .description(
      'classes: top-1, top-5, macro-F1, per class, confusion matrix; labels: accuracy, F1; values: MAE, RMSE',
    )
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
              figuresOf(accuracy),
            ...perName(accuracy, data.classes),
          ],
        );
      }),
    );
}

/** "92.31 % top-1, macro-F1 91.80 %, loss 0.2345" */
function figuresOf(evaluation: Evaluation): string {
  const loss = `loss ${evaluation.loss.toFixed(4)}`;
  switch (evaluation.task) {
    case 'classes': {
      const { top1, top5, macroF1 } = evaluation;
      return [
        `${formatPercent(top1)} top-1`,
        ...(top5 === null ? [] : [`${formatPercent(top5)} top-5`]),
        `macro-F1 ${formatPercent(macroF1)}`,
        loss,
      ].join(', ');
    }
    case 'labels': {
      const { accuracy, microF1, macroF1 } = evaluation;
      const f1 = `macro-F1 ${formatPercent(macroF1)}, micro-F1 ${formatPercent(microF1)}`;
      return `${f1}, ${formatPercent(accuracy)} of the labels right, ${loss}`;
    }
    case 'values':
      return `MAE ${formatError(evaluation.mae)}, RMSE ${formatError(evaluation.rmse)}, ${loss}`;
  }
}

/** A line for each class, label or value. */
function perName(evaluation: Evaluation, names: readonly string[]): readonly string[] {
  const name = (i: number): string => names[i] ?? String(i);
  switch (evaluation.task) {
    case 'classes':
      return table(
        ['class', 'recall'],
        evaluation.perClass.map((recall, i) => [name(i), formatPercent(recall)]),
        new Set([1]),
      );
    case 'labels':
      return table(
        ['label', 'images', 'right', 'F1'],
        evaluation.perLabel.map(({ positives, accuracy, f1 }, i) => [
          ...[name(i), String(positives), formatPercent(accuracy)],
          f1 === null ? '-' : formatPercent(f1),
        ]),
        new Set([1, 2, 3]),
      );
    case 'values':
      return table(
        ['value', 'MAE', 'RMSE'],
        evaluation.perValue.map(({ mae, rmse }, i) => [
          name(i),
          formatError(mae),
          formatError(rmse),
        ]),
        new Set([1, 2]),
      );
  }
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

/** In percentage points or as errors are, on the same images; else there is nothing to compare. */
function accuracyDelta(version: VersionSummary, baseline: VersionSummary): string {
  const [own, other] = [version.accuracy, baseline.accuracy];
  if (!own || own.data !== other?.data || own.split !== other.split) return '';
  return formatScoreChange(own.task, scoreOf(own), scoreOf(other));
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
      [version.accuracy ? formatFigure(version.accuracy) : '-', accuracyDelta(version, baseline)],
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
