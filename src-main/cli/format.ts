// Numbers as the command line prints them. Units are SI: 1 kB is 1000 bytes.

import { formatScore, scoreNames, scoreOf } from '../engine/measure/score';
import type { AccuracyFigure, VersionSummary } from '../project/types';

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

/** 125_485_696 as '125.49 M'. */
export function formatCount(count: number): string {
  if (count < 1e4) return String(count);
  if (count < 1e6) return `${(count / 1e3).toFixed(1)} k`;
  return count < 1e9 ? `${(count / 1e6).toFixed(2)} M` : `${(count / 1e9).toFixed(2)} G`;
}

export const formatPercent = (share: number): string => `${(share * 100).toFixed(2)} %`;
export const formatMs = (ms: number): string => `${ms.toFixed(ms < 10 ? 3 : 1)} ms`;

export const formatThreads = (count: number): string =>
  `${count} ${count === 1 ? 'thread' : 'threads'}`;

/** How far apart two outputs are: '1.2e-7', or '0'. */
export const formatDifference = (value: number): string =>
  value === 0 ? '0' : value.toExponential(1);

/** Signal to noise; null is none at all. */
export const formatDecibels = (value: number | null): string =>
  value === null ? 'exact' : `${value.toFixed(1)} dB`;

/** Difference to a baseline with its sign: '-58.2 %'. */
export function formatDelta(value: number, baseline: number): string {
  const change = ((value - baseline) / baseline) * 100;
  return `${change > 0 ? '+' : ''}${change.toFixed(1)} %`;
}

/** The score of a version with its unit: '92.31 %', '61.20 % macro-F1', 'MAE 0.3121'. */
export function formatFigure(figure: AccuracyFigure): string {
  const { task } = figure;
  const text = formatScore(task, scoreOf(figure));
  if (task === 'classes') return text;
  return task === 'labels' ? `${text} ${scoreNames[task]}` : `${scoreNames[task]} ${text}`;
}

/** That of a version, in words where there is none. */
export const formatAccuracy = ({ accuracy }: VersionSummary): string =>
  accuracy ? formatFigure(accuracy) : 'not evaluated';

/** What it was measured on, and the figures of its task. */
function accuracyJson({ data: _data, dataName, ...figures }: AccuracyFigure): object {
  return { data: dataName, ...figures };
}

/** The version as scripts see it; these keys are part of the contract. */
export function versionJson(version: VersionSummary): object {
  return {
    id: version.id,
    name: version.name,
    parent: version.parent,
    operation: version.operation,
    params: version.params,
    macs: version.macs,
    bytes: version.bytes,
    accuracy: version.accuracy && accuracyJson(version.accuracy),
    latency: version.latency.map(({ runtime, threads, medianMs, p95Ms }) => ({
      runtime,
      threads,
      medianMs,
      p95Ms,
    })),
  };
}
