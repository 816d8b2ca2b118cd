// rename, baseline, trash, restore: what a project calls and keeps.

import { Argument, type Command } from 'commander';

import { findByReference } from '../../project/names';
import type { Project } from '../../project/project';
import type { TrashEntry } from '../../project/types';
import { choice } from '../options';
import type { Runtime } from '../runtime';

type Kind = TrashEntry['kind'];

/** What people call them. */
export const kindNames: Readonly<Record<Kind, string>> = {
  version: 'version',
  dataset: 'data set',
};

const folderArgument = (): Argument => new Argument('<project>', 'a project folder');
const versionArgument = (): Argument => new Argument('<version>', 'a version by name or id');
const kindOption = [
  '--kind <kind>',
  'version or dataset',
  choice('--kind', ['version', 'dataset'] as const),
  'version',
] as const;

const find = (
  project: Project,
  kind: Kind,
  reference: string,
): Promise<{ readonly id: string; readonly name: string }> =>
  kind === 'version' ? project.findVersion(reference) : project.findDataset(reference);

export function addRename(program: Command, runtime: Runtime): void {
  program
    .command('rename')
    .addArgument(folderArgument())
    .addArgument(versionArgument())
    .argument('<name>', 'the new name')
    .description('give a version another name')
    .action((folder: string, reference: string, typed: string) =>
      runtime.withProject(folder, async (project) => {
        const { id, name: before } = await project.findVersion(reference);
        await project.rename(id, typed);
        const { name } = await project.findVersion(id);
        runtime.output.result({ id, name }, [`${before} is called ${name} now`]);
      }),
    );
}

export function addBaseline(program: Command, runtime: Runtime): void {
  program
    .command('baseline')
    .addArgument(folderArgument())
    .addArgument(versionArgument())
    .description('the version that others are compared with')
    .action((folder: string, reference: string) =>
      runtime.withProject(folder, async (project) => {
        const { id, name } = await project.findVersion(reference);
        await project.setBaseline(id);
        runtime.output.result({ id, name }, [`${name} is the baseline`]);
      }),
    );
}

export function addTrash(program: Command, runtime: Runtime): void {
  program
    .command('trash')
    .addArgument(folderArgument())
    .argument('<name>', 'a version or data set by name or id')
    .option(...kindOption)
    .description('put something into the trash, where it is kept for 30 days')
    .action((folder: string, reference: string, { kind }: { kind: Kind }) =>
      runtime.withProject(folder, async (project) => {
        const { id, name } = await find(project, kind, reference);
        await project.trash(kind, id);
        runtime.output.result({ kind, id, name }, [`${kindNames[kind]} ${name} is in the trash`]);
      }),
    );
}

export function addRestore(program: Command, runtime: Runtime): void {
  program
    .command('restore')
    .addArgument(folderArgument())
    .argument('<name>', 'a version or data set in the trash, by name or id')
    .option(...kindOption)
    .description('bring something back from the trash')
    .action((folder: string, reference: string, { kind }: { kind: Kind }) =>
      runtime.withProject(folder, async (project) => {
        const { trash } = await project.state();
        const entries = trash.filter((entry) => entry.kind === kind);
        const { id } = findByReference(entries, reference, `${kindNames[kind]} in the trash`);
        await project.restore(kind, id);
        const { name } = await find(project, kind, id);
        runtime.output.result({ kind, id, name }, [`${kindNames[kind]} ${name} is back`]);
      }),
    );
}
