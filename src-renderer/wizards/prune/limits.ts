// Limits beside the one that the slider sets: a device's budget in its own units.
import type { StoredPrecision } from '../../../src-main/engine/graph/cost';
import type { PruneTarget } from '../../../src-main/engine/prune/types';
import type { TargetKind } from './draft.svelte';

export type LimitKind = 'bytes' | 'latency' | 'macs' | 'params';

/** By kind: kilobytes of weights, milliseconds, and per cent of MACs and parameters. */
export type Limits = Readonly<Partial<Record<LimitKind, number>>>;

interface LimitInfo {
  readonly title: string;
  readonly unit: string;
  readonly min: number;
  readonly max?: number;
  /** A number to begin with, of a network of this many bytes of weights. */
  readonly first: (weightBytes: number) => number;
  readonly target: (value: number) => PruneTarget;
}

export const limitKinds: Readonly<Record<LimitKind, LimitInfo>> = {
  bytes: {
    title: 'Size',
    unit: 'kB',
    min: 0.001,
    first: (weightBytes) => Math.max(1, Math.round(weightBytes / 2000)),
    target: (kilobytes) => ({ bytes: Math.round(kilobytes * 1000) }),
  },
  latency: {
    title: 'Latency',
    unit: 'ms',
    min: 0.001,
    first: () => 20,
    target: (milliseconds) => ({ latencyMs: milliseconds }),
  },
  macs: {
    title: 'MACs',
    unit: '%',
    min: 1,
    max: 100,
    first: () => 50,
    target: (percent) => ({ macs: percent / 100 }),
  },
  params: {
    title: 'Parameters',
    unit: '%',
    min: 1,
    max: 100,
    first: () => 50,
    target: (percent) => ({ params: percent / 100 }),
  },
};

/** What can still be limited: neither by the slider nor already in the list. */
export function freeLimits(slider: TargetKind, limits: Limits): readonly LimitKind[] {
  const kinds = Object.keys(limitKinds) as LimitKind[];
  return kinds.filter((kind) => kind !== slider && limits[kind] === undefined);
}

/** The limits that count: the slider's own kind is set by the slider. */
export function activeLimits(slider: TargetKind, limits: Limits): readonly [LimitKind, number][] {
  return (Object.entries(limits) as [LimitKind, number][]).filter(([kind]) => kind !== slider);
}

export function limitTargets(
  slider: TargetKind,
  limits: Limits,
  precision: StoredPrecision,
): PruneTarget {
  const active = activeLimits(slider, limits);
  const hasBytes = slider === 'bytes' || active.some(([kind]) => kind === 'bytes');
  return Object.assign(
    {},
    ...active.map(([kind, value]) => limitKinds[kind].target(value)),
    hasBytes && precision !== 'fp32' ? { precision } : {},
  ) as PruneTarget;
}

/** "500 kB", "60 % of MACs": for sentences. */
export function limitWords(kind: LimitKind, value: number): string {
  const { unit, title } = limitKinds[kind];
  return unit === '%'
    ? `${value} % of ${title === 'MACs' ? title : 'parameters'}`
    : `${value} ${unit}`;
}
