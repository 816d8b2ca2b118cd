import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cached, sweepScratch, verifyIntegrity, withLock } from '../../scripts/lib/cache.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { temporaryFolder } from './helpers';

const fillWith = (text: string) => (folder: string) => {
  writeFileSync(join(folder, 'content'), text);
  return Promise.resolve();
};

describe('cached', () => {
  it('makes a part once and then finds it', async () => {
    const cache = temporaryFolder();
    const first = await cached(cache, 'tool/1.0', fillWith('one'));
    const second = await cached(cache, 'tool/1.0', fillWith('two'));
    expect(second).toBe(first);
    expect(readFileSync(join(second, 'content'), 'utf8')).toBe('one');
  });

  it('makes a part once when two ask at the same time', async () => {
    const cache = temporaryFolder();
    let fills = 0;
    const fill = async (folder: string): Promise<void> => {
      fills++;
      await new Promise((done) => setTimeout(done, 50));
      writeFileSync(join(folder, 'content'), 'x');
    };
    await Promise.all([cached(cache, 'a', fill), cached(cache, 'a', fill)]);
    expect(fills).toBe(1);
  });

  it('leaves nothing behind when making the part fails', async () => {
    const cache = temporaryFolder();
    const failing = cached(cache, 'tool/1.0', (folder) => {
      writeFileSync(join(folder, 'half'), 'x');
      return Promise.reject(new Error('cut off'));
    });
    await expect(failing).rejects.toThrow('cut off');
    expect(existsSync(join(cache, 'tool', '1.0'))).toBe(false);
    expect(readdirSync(join(cache, 'tmp'))).toEqual([]);
    expect(readdirSync(join(cache, 'locks'))).toEqual([]);
  });

  it('starts anew after a run that was killed in the middle', async () => {
    const cache = temporaryFolder();
    const module = pathToFileURL(inRoot('scripts', 'lib', 'cache.mjs')).href;
    const script =
      `import { cached } from ${JSON.stringify(module)};` +
      "import { writeFileSync } from 'node:fs';" +
      `await cached(${JSON.stringify(cache)}, 'tool', async (folder) => {` +
      "  writeFileSync(folder + '/content', 'half');" +
      "  process.stdout.write('filling');" +
      '  await new Promise((done) => setTimeout(done, 60_000));' +
      '});';
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(readdirSync(join(cache, 'tmp'))).toHaveLength(1);
    expect(existsSync(join(cache, 'locks', 'tool'))).toBe(true);

    sweepScratch(cache);
    const folder = await cached(cache, 'tool', fillWith('whole'));

    expect(readFileSync(join(folder, 'content'), 'utf8')).toBe('whole');
    expect(readdirSync(join(cache, 'tmp'))).toEqual([]);
  });
});

describe('withLock', () => {
  it('waits for the owner and says who it is', async () => {
    const lock = join(temporaryFolder(), 'lock');
    const order: string[] = [];
    const first = withLock(lock, async () => {
      await new Promise((done) => setTimeout(done, 50));
      order.push('first');
    });
    await withLock(
      lock,
      () => Promise.resolve(order.push('second')),
      (owner) => order.push(owner),
    );
    await first;
    expect(order).toEqual([`process ${process.pid}, ${lock}`, 'first', 'second']);
  });
});

describe('sweepScratch', () => {
  it('spares the folders of running processes', () => {
    const cache = temporaryFolder();
    mkdirSync(join(cache, 'tmp', `${process.pid}-abc`), { recursive: true });
    sweepScratch(cache);
    expect(readdirSync(join(cache, 'tmp'))).toEqual([`${process.pid}-abc`]);
  });
});

describe('verifyIntegrity', () => {
  it('accepts the pinned file and refuses any other', async () => {
    const file = join(temporaryFolder(), 'download');
    writeFileSync(file, 'the real thing');
    const digest = createHash('sha512').update('the real thing').digest('base64');
    await verifyIntegrity(file, `sha512-${digest}`);

    writeFileSync(file, 'the real thinG');
    await expect(verifyIntegrity(file, `sha512-${digest}`)).rejects.toMatchObject({
      code: 'SETUP_CHECKSUM',
      hint: expect.stringContaining('npm run setup') as string,
    });
  });
});
