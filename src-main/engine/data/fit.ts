// Whether a data set fits a model: image size, channels, number and names of classes, labels or values.

import { AppError } from '../errors';
import { inferShapes } from '../graph/shapes';
import type { Model } from '../graph/types';
import { singular, targetCount } from './target-count';
import type { DatasetInfo, Task } from './types';

interface Difference {
  readonly text: string;
  readonly hint: string;
}

/**
 * Makes sure that a model can be trained and evaluated with a data set.
 * @throws AppError DATA_MISMATCH that says everything that differs, and what to do about the first of it
 */
export function checkFit(info: DatasetInfo, model: Model): void {
  const differences = [...inputDifferences(info, model), ...outputDifferences(info, model)];
  const [first] = differences;
  if (!first) return;
  throw new AppError(
    'DATA_MISMATCH',
    `The data set does not fit the model: ${differences.map(({ text }) => text).join('; ')}.`,
    first.hint,
    { details: { differences: differences.map(({ text }) => text) } },
  );
}

function inputDifferences(info: DatasetInfo, { graph }: Model): readonly Difference[] {
  const [input, ...others] = graph.inputs;
  const [height, width, channels, ...rest] = input?.shape ?? [];
  if (others.length > 0 || channels === undefined || rest.length > 0) {
    const shapes = graph.inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ');
    return [
      {
        text: `the model reads ${shapes || 'nothing'}, not one image`,
        hint: 'Only models with a single image as input can be run on a data set of images.',
      },
    ];
  }
  const differences: Difference[] = [];
  if (height !== info.height || width !== info.width) {
    differences.push({
      text: `its images are ${info.height} x ${info.width}, the model reads ${height} x ${width}`,
      hint: `Attach the data set again with images brought to ${height} x ${width}.`,
    });
  }
  if (channels !== info.channels) {
    differences.push({
      text: `its images have ${info.channels} channels, the model reads ${channels}`,
      hint:
        channels === 1 || channels === 3
          ? `Attach the data set again with ${channels} channels.`
          : 'Images have 1 or 3 channels; this model cannot be run on them.',
    });
  }
  return differences;
}

function outputDifferences(info: DatasetInfo, model: Model): readonly Difference[] {
  const { task, classes } = info;
  const [output] = model.graph.outputs;
  const shape = output && inferShapes(model.graph).get(output.tensor);
  const outputs = shape?.at(-1);
  const isOther = task === 'classes' && model.outputKind === 'values';
  if (isOther || model.graph.outputs.length !== 1 || outputs === undefined) {
    return [
      {
        text: isOther ? 'the model gives values, not classes' : 'the model has not one output',
        hint:
          'Only models with one output can be trained and evaluated; one that gives values needs a data set ' +
          'of values.',
      },
    ];
  }
  if (task !== 'classes' && model.outputKind === 'softmax') {
    return [
      {
        text: `it has ${task}, the model ends in a softmax, which chooses one class`,
        hint: 'Take a model that ends in a sigmoid or in plain numbers, such as a new one of the zoo.',
      },
    ];
  }
  if (outputs !== classes.length) {
    const has = `it has ${targetCount(info)} (${someOf(classes)}), the model`;
    return [
      task === 'classes'
        ? {
            text: `${has} tells ${outputs} apart`,
            hint: 'Attach the data set that the model was made for, with one folder or label for each of its classes.',
          }
        : {
            text: `${has} gives ${outputs} ${outputs === 1 ? 'number' : 'numbers'}`,
            hint: `Take a model with ${classes.length} ${classes.length === 1 ? 'output' : 'outputs'}, such as a new one of the zoo.`,
          },
    ];
  }
  return nameDifferences(task, classes, model.labels);
}

/**
 * For what only makes sense where each image has one class.
 * @param what as the message says it: "Flipped images"
 * @throws AppError DATA_MISMATCH
 */
export function requireClasses({ task }: Pick<DatasetInfo, 'task'>, what: string): void {
  if (task === 'classes') return;
  throw new AppError(
    'DATA_MISMATCH',
    `${what} need a data set with one class for each image, this one has ${task}.`,
    'Choose another data set.',
    { details: { task } },
  );
}

/** Names are compared where both sides have some; numbers in order count as none. */
function nameDifferences(
  task: Task,
  classes: readonly string[],
  labels: readonly string[] | null,
): readonly Difference[] {
  if (!labels || areNumbers(classes) || areNumbers(labels)) return [];
  const wrong = classes.findIndex((name, i) => canonical(name) !== canonical(labels[i] ?? ''));
  if (wrong < 0) return [];
  const known = new Set(labels.map(canonical));
  const reordered = classes.every((name) => known.has(canonical(name)));
  return [
    {
      text:
        (reordered ? `its ${task} stand in another order` : `its ${task} have other names`) +
        `: ${singular[task]} ${wrong} is "${classes[wrong]}", for the model "${labels[wrong]}"`,
      hint: `${namesHint[task]} (${someOf(labels)}), and attach the data set again.`,
    },
  ];
}

/** Where the names of a data set come from, each sentence to be ended with those of the model. */
const namesHint: Readonly<Record<Task, string>> = {
  classes:
    'Write the names of the classes, one a line and in the order of the model, into a file labels.txt in the folder ' +
    'of the data set',
  labels:
    'Name the columns of labels.csv as the model does and put them into its order; where one column "labels" names ' +
    'them, write their order into a file labels.txt beside it, one a line',
  values: 'Name the columns of labels.csv as the model does, and put them into its order',
};

function areNumbers(names: readonly string[]): boolean {
  return names.every((name, i) => name === String(i));
}

/** T-shirt/top, t_shirt_top and "T shirt top" are one class. */
function canonical(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

function someOf(names: readonly string[]): string {
  return names.length <= 10 ? names.join(', ') : `${names.slice(0, 10).join(', ')} …`;
}
