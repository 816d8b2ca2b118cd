// Unpacks chosen members of a zip. Needs node_modules (yauzl).
import { createWriteStream, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

const UNIX_SYMLINK = 0o120000;
const UNIX_TYPE_MASK = 0o170000;

/**
 * @param {string} file
 * @param {string} folder where to
 * @param {(member: string) => string | undefined} place the path inside `folder` for a member, or
 *   undefined to leave it out
 * @returns {Promise<number>} how many files were written
 */
export async function unzip(file, folder, place) {
  const { default: yauzl } = await import('yauzl');
  /** @type {import('yauzl').ZipFile} */
  const zip = await new Promise((done, fail) => {
    yauzl.open(file, { lazyEntries: true, autoClose: false }, (error, opened) =>
      error ? fail(error) : done(opened),
    );
  });
  let written = 0;
  try {
    await new Promise((done, fail) => {
      zip.on('error', fail);
      zip.on('end', done);
      zip.on('entry', (entry) => {
        extract(zip, entry, folder, place).then((wrote) => {
          if (wrote) written++;
          zip.readEntry();
        }, fail);
      });
      zip.readEntry();
    });
  } finally {
    zip.close();
  }
  return written;
}

/**
 * @param {import('yauzl').ZipFile} zip
 * @param {import('yauzl').Entry} entry
 * @param {string} folder
 * @param {(member: string) => string | undefined} place
 */
async function extract(zip, entry, folder, place) {
  const relative = entry.fileName.endsWith('/') ? undefined : place(entry.fileName);
  if (relative === undefined) return false;
  const target = normalize(join(folder, relative));
  if (!target.startsWith(normalize(folder) + sep)) {
    throw new Error(`the archive names a path outside its folder: ${entry.fileName}`);
  }
  mkdirSync(dirname(target), { recursive: true });
  /** @type {import('node:stream').Readable} */
  const content = await new Promise((done, fail) => {
    zip.openReadStream(entry, (error, stream) => (error ? fail(error) : done(stream)));
  });
  const mode = (entry.externalFileAttributes >>> 16) & 0xffff;
  if ((mode & UNIX_TYPE_MASK) === UNIX_SYMLINK) {
    const chunks = [];
    for await (const chunk of content) chunks.push(chunk);
    symlinkSync(Buffer.concat(chunks).toString('utf8'), target);
  } else {
    await pipeline(content, createWriteStream(target, { mode: mode & 0o777 || 0o644 }));
  }
  return true;
}
