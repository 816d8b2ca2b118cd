// Commits versions without end, saying the id of each once it is committed. Killed by crash.test.ts.

import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../../../../src-main/project/names';
import { Project } from '../../../../src-main/project/project';

async function write(folder: string): Promise<never> {
  const project = await Project.open(folder);
  const { repositories } = project;
  process.stdout.write('open\n');
  for (let parent: string | null = null; ;) {
    const job = newId('j');
    await repositories.jobs.insert({
      id: job,
      request: { kind: 'evaluate', versions: [], data: '', split: 'test' },
      title: 'Write',
      createdAt: new Date().toISOString(),
    });
    const content = randomBytes(200_000);
    const file = join(await project.makeTempDir(job), 'staged');
    await writeFile(file, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const id: string = await project.commit(
      {
        type: 'version',
        draft: {
          blob: { file, sha256, bytes: content.length },
          suggestedName: 'sample',
          parent,
          operation: 'train',
          options: {},
          seed: null,
          cost: { params: 1, macs: 1, weightBytes: 1, activationBytes: 1 },
          bytes: 1,
          bytesOf: 'weights',
          inputShape: [1],
          classes: 1,
          source: { format: null, notes: [] },
          equivalence: null,
          layers: null,
          history: [],
        },
      },
      job,
    );
    process.stdout.write(`${id}\n`);
    await project.transaction(async ({ metrics }) => {
      await metrics.insert(job, 0, { step: 1, epoch: 1, values: { loss: 1 } });
      await metrics.insert(job, 0, { step: 2, epoch: 1, values: { loss: 0.5 } });
    });
    if (parent === null) await project.trash('version', id);
    await project.backUp();
    parent = id;
  }
}

void write(process.argv[2] ?? '');
