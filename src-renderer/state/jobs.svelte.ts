// What running jobs report: progress, phases, live metrics and log; and starting and ending them.
import { SvelteMap } from 'svelte/reactivity';
import { call } from '../api';
import type { PageJobRequest } from '../../src-main/ipc/contract';
import type { Metric } from '../../src-main/engine/context';
import type { JobEvent, JobRequest } from '../../src-main/jobs/types';
import type { JobId, JobRecord, JobState } from '../../src-main/project/types';
import { stateWords } from '../words';
import { app } from './app.svelte';
import { appendMetric, noMetrics, overEpochs } from './metrics';
import { navigation } from './navigation.svelte';
import { endPhases, recordPhase } from './phases';
import type { PhaseRecord } from './phases';
import { project } from './project.svelte';
import { toasts } from './toasts.svelte';

type ProgressEvent = Extract<JobEvent, { type: 'progress' }>;
type MetricEvent = Extract<JobEvent, { type: 'metric' }>;

/** Lines of a log that are kept in the window; the log file has them all. */
const longestLog = 500;

/** Epochs of each training of a request, in order. */
function trainingsOf(request: JobRequest): readonly number[] {
  if (request.kind === 'train') return [request.options.epochs];
  if (request.kind !== 'prune') return [];
  const step = [request.sparsify, request.fineTune].flatMap((options) => options?.epochs ?? []);
  return Array.from({ length: request.steps }, () => step).flat();
}

/** Epochs that the trainings of a request take together; 0 where it trains nothing. */
export function epochsOf(request: JobRequest): number {
  return trainingsOf(request).reduce((sum, epochs) => sum + epochs, 0);
}

/** What one job has reported since the window opened. */
export class JobReport {
  latest = $state.raw<ProgressEvent | null>(null);
  phases = $state.raw<readonly PhaseRecord[]>([]);
  metrics = $state.raw(noMetrics);
  log = $state.raw<readonly string[]>([]);
  /** What computes the training under way, or computed the last one; null before the first. */
  trainedOn = $state<string | null>(null);
  /** How many results it has handed over. */
  outputs = $state(0);
  #phaseStart = { done: 0, elapsedMs: 0 };
  #stepsPerEpoch: number | null = null;

  /** Live curves, x in epochs. */
  readonly series = $derived.by(() => overEpochs(this.metrics, this.#stepsPerEpoch));

  /** Units a second in the present phase; null before it can be told. */
  readonly perSecond: number | null = $derived.by(() => {
    if (!this.latest) return null;
    const seconds = (this.latest.elapsedMs - this.#phaseStart.elapsedMs) / 1000;
    const done = this.latest.progress.done - this.#phaseStart.done;
    return seconds > 0.5 && done > 0 ? done / seconds : null;
  });

  /** @param epochs of the first training; later ones go by the steps that its epochs had */
  progress(event: ProgressEvent, epochs: number): void {
    const { phase, total } = event.progress;
    if (phase === 'training' && total > 0 && epochs > 0) this.#stepsPerEpoch = total / epochs;
    if (this.latest?.progress.phase !== event.progress.phase) {
      this.#phaseStart = { done: event.progress.done, elapsedMs: event.elapsedMs };
    }
    this.phases = recordPhase(this.phases, event.progress, event.elapsedMs);
    this.latest = event;
  }

  metric({ metric }: MetricEvent): void {
    this.metrics = appendMetric(this.metrics, metric);
  }

  /** Takes what was measured before this window looked, unless points have come in since. */
  restore(stored: readonly Metric[]): void {
    if (this.metrics.step === 0) this.metrics = stored.reduce(appendMetric, noMetrics);
  }

  append(level: 'info' | 'warn', text: string): void {
    const line = level === 'warn' ? `warning: ${text}` : text;
    this.log = [...this.log.slice(1 - longestLog), line];
  }

  end(): void {
    if (this.latest) this.phases = endPhases(this.phases, this.latest.elapsedMs);
  }
}

const ended: readonly JobState[] = ['done', 'failed', 'cancelled', 'interrupted'];

/** True for a job that will not go on by itself. */
export function hasEnded(job: JobRecord): boolean {
  return ended.includes(job.state);
}

class Jobs {
  #reports = new SvelteMap<JobId, JobReport>();

  readonly running: JobRecord | null = $derived(
    project.jobs.find((job) => job.state === 'running' || job.state === 'cancelling') ?? null,
  );
  readonly queued: readonly JobRecord[] = $derived(
    project.jobs.filter((job) => job.state === 'queued'),
  );
  readonly interrupted: readonly JobRecord[] = $derived(
    project.jobs.filter((job) => job.state === 'interrupted'),
  );
  /** Newest first. */
  readonly ended: readonly JobRecord[] = $derived(
    project.jobs
      .filter(hasEnded)
      .toSorted((a, b) => (b.endedAt ?? '').localeCompare(a.endedAt ?? '')),
  );

  report(id: JobId): JobReport | null {
    return this.#reports.get(id) ?? null;
  }

  receive(event: JobEvent): void {
    const report = this.#reportOf(event.jobId);
    const job = project.job(event.jobId);
    switch (event.type) {
      case 'progress':
        report.progress(event, job ? (trainingsOf(job.request)[0] ?? 0) : 0);
        return;
      case 'metric':
        report.metric(event);
        return;
      case 'training':
        report.trainedOn = event.backend;
        return;
      case 'log':
        report.append(event.level, event.text);
        return;
      case 'state':
        if (ended.includes(event.state)) {
          report.end();
          this.#announceEnd(event.jobId, event.state, job?.title ?? 'Job');
        }
        return;
      case 'output':
        report.outputs += 1;
        return;
    }
  }

  /** Fetches the curves of a job that this page did not see from the start. */
  async loadMetrics(job: JobRecord): Promise<void> {
    if (epochsOf(job.request) === 0 || this.report(job.id)?.metrics.step) return;
    const stored = await call('jobs.metrics', { job: job.id }).catch(() => []);
    this.#reportOf(job.id).restore(stored);
  }

  /** Queues a job and shows its page. @throws ApiError when the request is refused */
  async start(request: PageJobRequest): Promise<void> {
    navigation.go({ page: 'job', job: await call('jobs.start', { request }) });
  }

  /** Queues short work without leaving the page. */
  async queue(request: PageJobRequest, words: string): Promise<void> {
    await app.attempt('queue-job', async () => {
      const job = await call('jobs.start', { request });
      toasts.show(words, 'neutral', {
        label: 'Show',
        run: () => navigation.go({ page: 'job', job }),
      });
    });
  }

  async cancel(job: JobRecord): Promise<void> {
    await app.attempt(`cancel-${job.id}`, () => call('jobs.cancel', { job: job.id }));
  }

  async pause(job: JobRecord): Promise<void> {
    await app.attempt(`pause-${job.id}`, () => call('jobs.pause', { job: job.id }));
  }

  async resume(job: JobRecord): Promise<void> {
    await app.attempt(`resume-${job.id}`, async () => {
      await call('jobs.resume', { job: job.id });
      navigation.go({ page: 'job', job: job.id });
    });
  }

  async retry(job: JobRecord): Promise<void> {
    await app.attempt(`retry-${job.id}`, async () => {
      navigation.go({ page: 'job', job: await call('jobs.retry', { job: job.id }) });
    });
  }

  async dismiss(job: JobRecord): Promise<void> {
    await app.attempt(`dismiss-${job.id}`, () => call('jobs.dismiss', { job: job.id }));
    const { route } = navigation;
    if (route.page === 'job' && route.job === job.id) project.showFirst(true);
  }

  #reportOf(id: JobId): JobReport {
    const report = this.#reports.get(id) ?? new JobReport();
    if (!this.#reports.has(id)) this.#reports.set(id, report);
    return report;
  }

  #announceEnd(id: JobId, state: JobState, title: string): void {
    const { route } = navigation;
    if (route.page === 'job' && route.job === id) return;
    const tone = state === 'done' ? 'success' : state === 'failed' ? 'error' : 'neutral';
    toasts.show(`${stateWords[state]}: ${title}`, tone, {
      label: 'Show',
      run: () => navigation.go({ page: 'job', job: id }),
    });
  }
}

export const jobs = new Jobs();
