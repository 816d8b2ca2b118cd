// One short sentence for each job, as job bar and lists show it.

import { catalogue } from '../engine/formats/catalogue';
import { budgetName } from '../engine/measure/verdict';
import type { PruneTarget } from '../engine/prune/types';
import type { ProjectState } from '../ipc/contract';
import type { ExportRequest, JobRequest } from './types';

/** Where names come from. */
export type Names = Pick<ProjectState, 'versions' | 'datasets'>;

/** "Prune sample to 50 % of MACs" */
export function titleFor(request: JobRequest, names: Names): string {
  const version = (id: string): string => nameOf(names.versions, id);
  const data = (id: string): string => nameOf(names.datasets, id);
  switch (request.kind) {
    case 'import':
      return `Import ${request.name ?? lastPart(request.path)}`;
    case 'zoo':
      return `New ${request.architecture}${request.name === null ? '' : ` as ${request.name}`}`;
    case 'prune':
      return `Prune ${version(request.version)} ${targetText(request.options.target)}`;
    case 'train': {
      const { epochs } = request.options;
      const length = `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
      const { init } = request;
      return init === 'weights'
        ? `Fine-tune ${version(request.version)} for ${length}`
        : `Train ${version(request.version)} from scratch for ${length} (${budgetName(init.budget)})`;
    }
    case 'recalibrate':
      return `Recalibrate ${version(request.version)} on ${data(request.data)}`;
    case 'evaluate':
      return `Evaluate ${versionsText(request.versions, version)} on ${data(request.data)}`;
    case 'measure':
      return `Measure ${versionsText(request.versions, version)} with ${request.runtime}`;
    case 'sensitivity':
      return `Sensitivity of ${version(request.version)} on ${data(request.data)}`;
    case 'export':
      return `Export ${version(request.version)} as ${catalogue[request.format].title}${precisionText(request)}`;
    case 'add-data':
      return `Attach ${request.name ?? lastPart(request.path)}`;
  }
}

/** float32 goes without saying. */
const precisionText = ({ precision = 'fp32' }: Partial<ExportRequest>): string =>
  precision === 'fp32' ? '' : `, ${precision}`;

function targetText(target: PruneTarget): string {
  const { ratio, macs, params, bytes, precision, latency, latencyMs } = target;
  const limits = [
    ...(macs === undefined ? [] : [`${percent(macs)} of MACs`]),
    ...(params === undefined ? [] : [`${percent(params)} of parameters`]),
    ...(bytes === undefined
      ? []
      : [`${number(bytes / 1000)} kB${precision === undefined ? '' : ` as ${precision}`}`]),
    ...(latency === undefined ? [] : [`${percent(latency)} of latency`]),
    ...(latencyMs === undefined ? [] : [`${latencyMs} ms`]),
  ];
  const to = limits.length === 0 ? [] : [`to ${limits.join(' and ')}`];
  const by = ratio === undefined ? [] : [`by ${percent(ratio)} of channels`];
  return [...to, ...by].join(', ') || 'layer by layer';
}

function versionsText(ids: readonly string[], version: (id: string) => string): string {
  const [first] = ids;
  return ids.length === 1 && first !== undefined ? version(first) : `${ids.length} versions`;
}

const nameOf = (entries: readonly { id: string; name: string }[], id: string): string =>
  entries.find((entry) => entry.id === id)?.name ?? id;

const number = (value: number): string => String(Number(value.toFixed(1)));

const percent = (share: number): string => `${number(share * 100)} %`;

/** The last part of a path of either kind of system. */
const lastPart = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
