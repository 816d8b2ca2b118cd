import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { checkDatabaseFile } from '../../../src-main/project/database';
import { applicationId, migrations } from '../../../src-main/project/migrations';
import { Project } from '../../../src-main/project/project';
import { errorOf, openProject, tempFolder } from '../support';

describe('Project.create', () => {
  let root: string;

  beforeEach(async () => {
    root = await tempFolder();
  });

  async function create(folder: string, name?: string): Promise<Project> {
    const project = await Project.create(folder, name);
    onTestFinished(() => project.close().catch(() => undefined));
    return project;
  }

  it('makes a folder, also below ones that do not exist yet', async () => {
    const folder = join(root, 'some', 'where');
    const project = await create(folder, 'My network');
    expect(await project.state()).toEqual({
      name: 'My network',
      folder,
      baseline: null,
      versions: [],
      datasets: [],
      jobs: [],
      recoveries: [],
      trash: [],
      warnings: [],
    });
    await project.close();
    expect((await readdir(folder)).sort()).toEqual(['blobs', 'exports', 'project.db', 'temp']);
    expect(await checkDatabaseFile(join(folder, 'project.db'))).toEqual({
      verdict: 'ok',
      userVersion: migrations.length,
      applicationId,
    });
  });

  it('is named like its folder unless told otherwise', async () => {
    expect((await create(join(root, 'edge-cam'))).name).toBe('edge-cam');
  });

  it('takes a folder that is empty but for what a desktop or a cut-off creation has left', async () => {
    for (const name of ['.DS_Store', 'project.lock', '.project.db.0a1b2c3d.tmp-wal']) {
      await writeFile(join(root, name), '');
    }
    await create(root, 'Test');
  });

  it('keeps what is in a folder that is not empty', async () => {
    await writeFile(join(root, 'thesis.tex'), 'x');
    await errorOf(create(root), 'ALREADY_EXISTS');
    expect(await readdir(root)).toEqual(['thesis.tex']);
  });

  it('keeps a file that is in the way', async () => {
    await writeFile(join(root, 'file'), 'x');
    await errorOf(create(join(root, 'file')), 'ALREADY_EXISTS');
    expect(await readFile(join(root, 'file'), 'utf8')).toBe('x');
  });

  it('does not touch a project that is there', async () => {
    const project = await create(join(root, 'a'), 'First');
    await project.close();
    const error = await errorOf(create(join(root, 'a'), 'Second'), 'ALREADY_EXISTS');
    expect(error.message).toContain('project in');
    expect((await openProject(join(root, 'a'))).name).toBe('First');
  });

  it('makes no project inside another one', async () => {
    await create(join(root, 'outer'));
    await errorOf(create(join(root, 'outer', 'deep', 'inner')), 'INVALID_ARGUMENT');
    expect(await readdir(join(root, 'outer'))).not.toContain('deep');
  });

  it('lets only one of two that begin at once make the project', async () => {
    const folder = join(root, 'race');
    const attempts = await Promise.allSettled([create(folder, 'One'), create(folder, 'Two')]);
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('refuses a bad name before it makes anything', async () => {
    await errorOf(create(join(root, 'a'), '  '), 'INVALID_ARGUMENT');
    expect(await readdir(root)).toEqual([]);
  });

  it.runIf(process.platform !== 'win32')(
    'leaves nothing behind where it may not write',
    async () => {
      const locked = join(root, 'locked');
      await mkdir(locked);
      await chmod(locked, 0o555);
      await chmod(root, 0o755);
      const restore = actAsOrdinaryUser();
      try {
        await errorOf(create(join(locked, 'project')), 'FILE_UNWRITABLE');
        await errorOf(create(locked), 'FILE_UNWRITABLE');
      } finally {
        restore();
      }
      expect(await readdir(locked)).toEqual([]);
    },
  );

  it('leaves nothing behind when the database cannot be made', async () => {
    // SQLite opens no path of more than 512 characters, file systems do.
    const parts = Array.from({ length: 5 }, () => 'x'.repeat(100));
    await errorOf(create(join(root, ...parts), 'Test'), 'FILE_UNWRITABLE');
    expect(await readdir(root)).toEqual([]);
  });
});

describe('Project.open', () => {
  it.each(['nowhere', '.'])('says PROJECT_NOT_FOUND for %j', async (name) => {
    const folder = join(await tempFolder(), name);
    const error = await errorOf(Project.open(folder), 'PROJECT_NOT_FOUND');
    expect(error.message).toContain(folder);
  });

  it('does not take the database of another program for its own, nor change it', async () => {
    const folder = await tempFolder();
    const file = join(folder, 'project.db');
    await new Promise<void>((resolve, reject) => {
      const other = new sqlite3.Database(file);
      other.exec('CREATE TABLE other (x)');
      other.close((error) => (error ? reject(error) : resolve()));
    });
    const before = await readFile(file);
    await errorOf(Project.open(folder), 'PROJECT_NOT_FOUND');
    expect(await readFile(file)).toEqual(before);
    expect(await readdir(folder)).toEqual(['project.db']);
  });

  it('keeps a second process out', async () => {
    const folder = join(await tempFolder(), 'project');
    const project = await Project.create(folder);
    const error = await errorOf(Project.open(folder), 'PROJECT_LOCKED');
    expect(error.message).toContain(String(process.pid));
    await project.close();
    await openProject(folder);
  });
});

/** Root may write everywhere: tests of permissions act as nobody for a while. */
function actAsOrdinaryUser(): () => void {
  if (process.getuid?.() !== 0) return () => undefined;
  process.seteuid?.(65534);
  return () => process.seteuid?.(0);
}
