// Records for tests, with only what a test is about spelled out.
import type { Latency } from '../../src-main/engine/measure/types';
import type { AccuracyFigure, VersionSummary } from '../../src-main/project/types';

export function version(facts: Partial<VersionSummary> & { id: string }): VersionSummary {
  return {
    name: facts.id,
    parent: null,
    operation: 'import',
    createdAt: '2026-01-01T00:00:00Z',
    params: 1000,
    macs: 1_000_000,
    bytes: 4000,
    bytesOf: 'tflite',
    inputShape: [28, 28, 1],
    classes: 10,
    accuracy: null,
    latency: [],
    equivalence: null,
    damaged: false,
    ...facts,
  };
}

export function latency(medianMs: number, facts: Partial<Latency> = {}): Latency {
  return {
    runtime: 'litert',
    runtimeDetail: 'LiteRT',
    threads: 1,
    batch: 1,
    warmup: 5,
    runs: 50,
    medianMs,
    p95Ms: medianMs,
    minMs: medianMs,
    device: 'test',
    ...facts,
  };
}

type ClassFigure = Extract<AccuracyFigure, { task: 'classes' }>;

export function accuracy(top1: number, facts: Partial<ClassFigure> = {}): ClassFigure {
  return {
    task: 'classes',
    data: 'd1',
    dataName: 'fashion',
    split: 'test',
    samples: 100,
    top1,
    top5: null,
    macroF1: top1,
    ...facts,
  };
}
