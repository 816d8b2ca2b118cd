import { describe, expect, it } from 'vitest';
import type { EpochRecord } from '../../../src-main/engine/train/types';
import { lineOf, originalOf } from '../../../src-main/project/lineage';
import type { Operation, VersionId } from '../../../src-main/project/types';
import { addVersion, newProject } from '../support';

const member = (
  id: VersionId,
  parent: VersionId | null,
  operation: Operation,
): { id: VersionId; parent: VersionId | null; operation: Operation } => ({ id, parent, operation });

const versions = [
  member('root', null, 'import'),
  member('trained', 'root', 'train'),
  member('cut1', 'trained', 'prune'),
  member('tuned1', 'cut1', 'train'),
  member('cut2', 'tuned1', 'prune'),
  member('scratch', 'cut2', 'scratch'),
  member('orphan', null, 'prune'),
  member('orphan-tuned', 'orphan', 'train'),
];

describe('the lineage of a version', () => {
  it('is told from the first ancestor down', () => {
    expect(lineOf(versions, 'cut1').map(({ id }) => id)).toEqual(['root', 'trained', 'cut1']);
    expect(lineOf(versions, 'nobody')).toEqual([]);
  });

  it.each([
    ['scratch', 'trained'],
    ['cut1', 'trained'],
    ['trained', 'trained'],
    ['orphan-tuned', 'orphan'],
  ])('leads from %s to the uncut %s', (id, original) => {
    expect(originalOf(versions, id)?.id).toBe(original);
  });
});

describe('the original of a version in a project', () => {
  const history = (epochs: number): EpochRecord[] =>
    Array.from({ length: epochs }, (_, i) => ({
      epoch: i + 1,
      learningRate: 0.1,
      trainLoss: 1,
      trainAccuracy: 0.5,
      valLoss: null,
      valAccuracy: null,
      imagesPerSecond: 100,
    }));

  it('was trained for the epochs since its weights were random', async () => {
    const project = await newProject();
    const zoo = await addVersion(project, { suggestedName: 'zoo', operation: 'zoo' });
    const first = await addVersion(project, {
      ...{ suggestedName: 'a', operation: 'train', parent: zoo, history: history(30) },
    });
    const second = await addVersion(project, {
      ...{ suggestedName: 'b', operation: 'train', parent: first, history: history(10) },
    });
    const cut = await addVersion(project, {
      ...{ suggestedName: 'c', operation: 'prune', parent: second },
    });
    const tuned = await addVersion(project, {
      ...{ suggestedName: 'd', operation: 'train', parent: cut, history: history(3) },
    });
    expect(await project.original(tuned)).toMatchObject({ version: { id: second }, epochs: 40 });
    expect(await project.original(zoo)).toMatchObject({ version: { id: zoo }, epochs: null });
    const again = await addVersion(project, {
      ...{ suggestedName: 'e', operation: 'scratch', parent: second, history: history(20) },
    });
    expect(await project.original(again)).toMatchObject({ version: { id: again }, epochs: 20 });
  });

  it('that was trained elsewhere has epochs that nobody knows', async () => {
    const project = await newProject();
    const imported = await addVersion(project);
    const on = await addVersion(project, {
      ...{ suggestedName: 'on', operation: 'train', parent: imported, history: history(5) },
    });
    expect(await project.original(on)).toMatchObject({ version: { id: on }, epochs: null });
  });
});
