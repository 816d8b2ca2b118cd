// Whether a data set can be run through a model: size, channels and number of classes. The engine checks it again.
import { plural } from '../format';
import type { AccuracyFigure, DatasetRecord } from '../../src-main/project/types';

export interface ModelShape {
  readonly inputShape: readonly number[];
  readonly classes: number;
}

/** What does not fit, in a sentence; null when everything does. */
export function datasetMisfit(
  dataset: Pick<DatasetRecord, 'height' | 'width' | 'channels' | 'classes' | 'task'>,
  model: ModelShape,
): string | null {
  const [height, width, channels] = model.inputShape;
  const { classes, task } = dataset;
  if (dataset.height !== height || dataset.width !== width || dataset.channels !== channels) {
    const images = [dataset.height, dataset.width, dataset.channels].join(' × ');
    return `Its images are ${images}, the model takes ${model.inputShape.join(' × ')}.`;
  }
  if (classes.length !== model.classes) {
    return task === 'classes'
      ? `It has ${plural(classes.length, 'class', 'classes')}, the model has ${model.classes}.`
      : `It has ${plural(classes.length, task.slice(0, -1))}, the model gives ${model.classes}.`;
  }
  return null;
}

/** A data set to start a form with: that of the newest evaluation where it fits, else the first that does. */
export function likelyDataset<
  D extends Pick<DatasetRecord, 'id' | 'height' | 'width' | 'channels' | 'classes' | 'task'>,
>(
  datasets: readonly D[],
  model: ModelShape & { readonly accuracy?: Pick<AccuracyFigure, 'data'> | null },
): D | null {
  const fitting = datasets.filter((dataset) => datasetMisfit(dataset, model) === null);
  return fitting.find(({ id }) => id === model.accuracy?.data) ?? fitting[0] ?? null;
}
