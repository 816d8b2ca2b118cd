// How many classes, labels or values a data set has, in words.

import type { DatasetInfo, Task } from './types';

/** What one of them is called. */
export const singular: Readonly<Record<Task, string>> = {
  classes: 'class',
  labels: 'label',
  values: 'value',
};

/** "10 classes", "1 value": what each image is told as. */
export function targetCount({ task, classes }: Pick<DatasetInfo, 'task' | 'classes'>): string {
  return `${classes.length} ${classes.length === 1 ? singular[task] : task}`;
}
