// Knowledge distillation: learning from what a teacher answers, not from the labels alone; hints of it are in hints.ts.
//
// Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network".

import type { Batch } from '../data/loader';
import type { ImageShape } from '../data/types';
import { AppError } from '../errors';
import type { Graph, Model, TensorId } from '../graph/types';
import type { Backend } from '../runtime/backend';
import type { CrossEntropy, Tensor } from '../runtime/primitives';
import { BatchInput } from './batch-input';
import { compile, type Executable } from './executor/executable';
import { attentionOf, hintPairs } from './hints';
import { classifierHead, type ClassifierHead } from './loss';
import { mixImages, type Mix } from './mixup';
import type { DistillOptions } from './types';

/** Who learns. */
export interface Student {
  readonly graph: Graph;
  readonly head: ClassifierHead;
}

export interface TeacherAnswer {
  /** [N, classes]. */
  readonly logits: Tensor;
  /** Of the maps that are compared with the student's `hinted` ones, [N, H * W] each. */
  readonly attention: readonly Tensor[];
}

/** A model at inference that is asked for its logits, and for hints where it is to give them. */
export class Teacher {
  /** Feature maps of the student that there are hints for. */
  readonly hinted: readonly TensorId[];
  private readonly executable: Executable;
  private readonly input: BatchInput;
  private readonly classes: number;

  /**
   * @throws AppError DATA_MISMATCH when the two have not logits of the same classes, or other images, or no feature
   * maps to compare
   */
  constructor(
    model: Model,
    { graph, head: student }: Student,
    shape: ImageShape,
    private readonly backend: Backend,
    withHints: boolean,
  ) {
    const head = classifierHead(model);
    const { name, inputs } = model.graph;
    const fits = [shape.height, shape.width, shape.channels].join() === inputs[0]?.shape.join();
    if (head.kind !== 'logits' || student.kind !== 'logits') {
      throw unfit(`"${head.kind === 'logits' ? 'The student' : name}" has no softmax at its end`);
    }
    if (head.classes !== student.classes) {
      throw unfit(`"${name}" knows ${head.classes} classes, the student ${student.classes}`);
    }
    if (!fits) {
      throw unfit(
        `"${name}" looks at images of ${inputs[0]?.shape.join(' x ')}, ` +
          `the data has ${shape.height} x ${shape.width} x ${shape.channels}`,
      );
    }
    this.classes = head.classes;
    const [own, { tensor }] = [{ graph, tensor: student.tensor }, head];
    const pairs = withHints ? hintPairs(own, { graph: model.graph, tensor }) : [];
    this.hinted = pairs.map((pair) => pair.student);
    const outputs = [tensor, ...pairs.map((pair) => pair.teacher)];
    this.executable = compile(model.graph, backend, outputs);
    this.input = new BatchInput(backend.tf, shape, model.preprocessing);
  }

  /** What it says to the batch, preprocessed as the teacher was trained, mixed as the student sees it. */
  answer(batch: Batch, mix: Mix | null): TeacherAnswer {
    const { tf } = this.backend;
    const [logits, ...attention] = tf.tidy(() => {
      const images = this.input.images(batch);
      const [output, ...maps] = this.executable.run([
        mix === null ? images : mixImages(tf, images, mix),
      ]);
      return [
        tf.reshape(output!, [batch.count, this.classes]),
        ...maps.map((map) => attentionOf(tf, map)),
      ];
    });
    return { logits: logits!, attention };
  }

  dispose(): void {
    this.executable.dispose();
  }
}

/**
 * alpha * loss + (1 - alpha) * T^2 * KL(softmax(teacher / T) || softmax(student / T)) of each sample, and the
 * gradient of the sum with respect to the student's logits. T^2 keeps the share of the teacher's part the same
 * for all temperatures. Disposes `loss`.
 * @param student logits of the shape of the loss's gradient
 * @param teacher logits [N, classes]
 */
export function distilled(
  { tf }: Backend,
  loss: CrossEntropy,
  student: Tensor,
  teacher: Tensor,
  { temperature, alpha }: DistillOptions,
): CrossEntropy {
  const [losses, gradient] = tf.tidy(() => {
    const logarithms = (logits: Tensor): Tensor =>
      tf.logSoftmax(tf.div(tf.reshape(logits, teacher.shape), temperature));
    const [p, q] = [logarithms(teacher), logarithms(student)];
    const divergence = tf.sum(tf.mul(tf.exp(p), tf.sub(p, q)), 1);
    // The gradient of KL is (softmax(student / T) - softmax(teacher / T)) / T.
    const pull = tf.reshape(tf.sub(tf.exp(q), tf.exp(p)), student.shape);
    const mix = (ofLabels: Tensor, ofTeacher: Tensor, factor: number): Tensor =>
      tf.add(tf.mul(ofLabels, alpha), tf.mul(ofTeacher, (1 - alpha) * factor));
    return [
      mix(loss.losses, divergence, temperature ** 2),
      mix(loss.gradient, pull, temperature),
    ] as [Tensor, Tensor];
  });
  tf.dispose([loss.losses, loss.gradient]);
  return { losses, gradient };
}

function unfit(problem: string): AppError {
  return new AppError(
    'DATA_MISMATCH',
    `This teacher does not fit: ${problem}.`,
    'Choose a version of the same classes and images that ends in logits or a softmax, such as the original.',
  );
}
