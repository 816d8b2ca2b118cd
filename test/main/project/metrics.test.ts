import { describe, expect, it } from 'vitest';
import { newJob, newProject } from '../support';

describe('the points of a training', () => {
  it('are taken back behind the first ones, and all of them where it begins anew', async () => {
    const project = await newProject();
    const job = await newJob(project);
    const { metrics } = project.repositories;
    const add = (part: number, epoch: number): Promise<void> =>
      metrics.insert(job, part, {
        ...{ step: epoch, epoch, values: {} },
        gammas: { count: 1, values: [1] },
      });
    for (const epoch of [0, 1, 2, 3]) await add(0, epoch);
    await add(1, 0);
    const epochs = async (): Promise<number[]> =>
      (await metrics.list(job)).map(({ epoch }) => epoch);

    await metrics.removeBehind(job, 0, 3);
    expect(await epochs()).toEqual([0, 1, 2, 0]);
    await metrics.removeBehind(job, 0, 0);
    expect(await metrics.list(job)).toEqual([
      { step: 0, epoch: 0, values: {}, gammas: { count: 1, values: [1] } },
    ]);
  });
});
