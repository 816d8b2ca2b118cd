// The results as a table for docs/results.md.

export interface ResultRow {
  readonly method: string;
  readonly params: number;
  readonly macs: number;
  /** Accuracy 0 to 1 and the time it took to get there. */
  readonly stages: Readonly<Record<string, { readonly top1: number; readonly seconds: number }>>;
}

const stageNames = ['raw', 'recalibrated', 'fine-tuned', 'distilled', 'scratch-e', 'scratch-b'];

/** Markdown. */
export function resultTable(rows: readonly ResultRow[]): string {
  const titles = ['Network', 'Params', 'MACs', ...stageNames];
  const lines = rows.map(({ method, params, macs, stages }) => [
    method,
    params.toLocaleString('en-GB'),
    `${(macs / 1e6).toFixed(2)} M`,
    ...stageNames.map((name) => {
      const stage = stages[name];
      return stage ? `${(100 * stage.top1).toFixed(2)} (${duration(stage.seconds)})` : '';
    }),
  ]);
  return [titles, titles.map((_, i) => (i === 0 ? '---' : '--:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function duration(seconds: number): string {
  return seconds < 100 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}
