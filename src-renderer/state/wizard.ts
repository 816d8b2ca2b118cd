// A wizard is a table of steps. Every step can be visited at any time; what is still missing is said beside the
// step and keeps the last one from starting.

export interface WizardStep<D> {
  readonly id: string;
  readonly title: string;
  /** What is missing or wrong here, in a short sentence; null when nothing is. */
  problem(draft: D): string | null;
  /** What was chosen, in a few words; null before anything was. */
  summary(draft: D): string | null;
}

export interface StepStatus {
  readonly id: string;
  readonly title: string;
  readonly number: number;
  readonly current: boolean;
  readonly problem: string | null;
  readonly summary: string | null;
}

/** The step that a route names, or the first. */
export function currentStep<D>(steps: readonly WizardStep<D>[], id: string | null): WizardStep<D> {
  const found = steps.find((step) => step.id === id) ?? steps[0];
  if (!found) throw new Error('A wizard has at least one step.');
  return found;
}

/** Every step as the list at the left shows it. */
export function stepStatuses<D>(
  steps: readonly WizardStep<D>[],
  draft: D,
  current: string,
): readonly StepStatus[] {
  return steps.map((step, index) => ({
    id: step.id,
    title: step.title,
    number: index + 1,
    current: step.id === current,
    problem: step.problem(draft),
    summary: step.summary(draft),
  }));
}

/** The first step with a problem: where to go before the job can start. */
export function firstProblem(statuses: readonly StepStatus[]): StepStatus | null {
  return statuses.find((status) => status.problem !== null) ?? null;
}

/** The steps before and after the current one. */
export function neighbours(statuses: readonly StepStatus[]): {
  readonly previous: StepStatus | null;
  readonly next: StepStatus | null;
} {
  const at = statuses.findIndex((status) => status.current);
  return { previous: statuses[at - 1] ?? null, next: statuses[at + 1] ?? null };
}
