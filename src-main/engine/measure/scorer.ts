// A classifier at inference, batch by batch: what it answers, and how wrong it is.

import type { Batch } from '../data/loader';
import type { ImageShape } from '../data/types';
import type { Model, Preprocessing } from '../graph/types';
import type { Backend } from '../runtime/backend';
import { BatchInput } from '../train/batch-input';
import { compile, type Executable } from '../train/executor/executable';
import { classificationLoss, classifierHead, type ClassifierHead } from '../train/loss';
import { readTogether } from '../train/read';

export interface BatchScores {
  /** One value a class, [N, classes] row after row. */
  readonly scores: Float32Array;
  /** Of each sample, [N]. */
  readonly losses: Float32Array;
}

/** Something that scores images, here or elsewhere. */
export interface Scorer {
  readonly classes: number;
  /** What computes, for the record. */
  readonly detail: string;
  score(batch: Batch): Promise<BatchScores>;
}

/** Scores with the weights that an executable has at the time. */
export class ExecutableScorer implements Scorer {
  private readonly input: BatchInput;

  /** @param executable compiled up to the head's tensor; it stays the caller's */
  constructor(
    private readonly executable: Executable,
    private readonly head: ClassifierHead,
    shape: ImageShape,
    preprocessing: Preprocessing,
  ) {
    this.input = new BatchInput(executable.backend.tf, shape, preprocessing);
  }

  get classes(): number {
    return this.head.classes;
  }

  get detail(): string {
    return this.executable.backend.detail;
  }

  async score(batch: Batch): Promise<BatchScores> {
    const { backend } = this.executable;
    const computed = backend.tf.tidy(() => {
      const [output] = this.executable.run([this.input.images(batch)]);
      const labels = this.input.labels(batch);
      return [output!, classificationLoss(backend, this.head, output!, labels).losses];
    });
    const [scores, losses] = await readTogether(computed);
    return { scores: scores!, losses: losses! };
  }
}

/**
 * Scores a model on a backend of this process.
 * @throws AppError DATA_MISMATCH when it is no classifier
 */
export class ModelScorer extends ExecutableScorer {
  private readonly compiled: Executable;

  constructor(model: Model, shape: ImageShape, backend: Backend) {
    const head = classifierHead(model);
    const compiled = compile(model.graph, backend, [head.tensor]);
    super(compiled, head, shape, model.preprocessing);
    this.compiled = compiled;
  }

  dispose(): void {
    this.compiled.dispose();
  }
}
