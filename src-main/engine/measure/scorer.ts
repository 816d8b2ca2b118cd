// A network at inference, batch by batch: what it answers, and how wrong it is.

import type { Batch } from '../data/loader';
import type { ImageShape, Task } from '../data/types';
import type { Model, Preprocessing } from '../graph/types';
import type { Backend } from '../runtime/backend';
import { BatchInput } from '../train/batch-input';
import { compile, type Executable } from '../train/executor/executable';
import { readTogether } from '../train/read';
import { plainTarget, taskHead, taskLoss, type TaskHead } from '../train/task-loss';
import type { ValueLoss } from '../train/types';

export interface BatchScores {
  /** One number a class, label (its probability) or value, [N, classes] row after row. */
  readonly scores: Float32Array;
  /** Of each sample, [N]. */
  readonly losses: Float32Array;
}

/** Something that scores images, here or elsewhere. */
export interface Scorer {
  /** Or labels, or values. */
  readonly classes: number;
  /** What computes, for the record. */
  readonly detail: string;
  score(batch: Batch): Promise<BatchScores>;
}

/** Scores with the weights that an executable has at the time. */
export class ExecutableScorer implements Scorer {
  private readonly input: BatchInput;

  /** @param executable whose first output is the head's tensor; it stays the caller's */
  constructor(
    private readonly executable: Executable,
    private readonly head: TaskHead,
    shape: ImageShape,
    preprocessing: Preprocessing,
    private readonly valueLoss: ValueLoss,
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
      const target = plainTarget(backend.tf, batch);
      const { losses } = taskLoss(backend, this.head, output!, target, this.valueLoss);
      const { task, kind } = this.head;
      return [
        task === 'labels' && kind === 'logits' ? backend.tf.sigmoid(output!) : output!,
        losses,
      ];
    });
    const [scores, losses] = await readTogether(computed);
    return { scores: scores!, losses: losses! };
  }
}

/**
 * Scores a model on a backend of this process.
 * @throws AppError DATA_MISMATCH when it cannot do the task
 */
export class ModelScorer extends ExecutableScorer {
  private readonly compiled: Executable;

  constructor(model: Model, shape: ImageShape, backend: Backend, task: Task = 'classes') {
    const head = taskHead(model, task);
    const compiled = compile(model.graph, backend, [head.tensor]);
    super(compiled, head, shape, model.preprocessing, 'mse');
    this.compiled = compiled;
  }

  dispose(): void {
    this.compiled.dispose();
  }
}
