// What a benchmark is: a file test/bench/<name>.bench.ts that exports `name` and `run`.

/** One measured number. */
export interface BenchFigure {
  /** What was measured, for example "ResNet-20, batch 128, training". */
  readonly label: string;
  /** null where it could not be measured here: the note says why. */
  readonly value: number | null;
  /** For example "img/s" or "ms". */
  readonly unit: string;
  /** Under what conditions, or against what to compare. */
  readonly note?: string;
}

export interface BenchResult {
  readonly figures: readonly BenchFigure[];
}

/** The shape of a benchmark module. Each runs in a process of its own. */
export interface Bench {
  readonly name: string;
  run(): Promise<BenchResult>;
}
