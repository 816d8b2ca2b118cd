// Files packed behind a model, as TFLite metadata has them: a zip archive without compression, whose offsets count from
// the start of the whole file (APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12 and 4.3.16).

import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { maxPackedBytes } from '../limits';

export interface PackedFile {
  readonly name: string;
  readonly content: Uint8Array;
}

const localHeaderLength = 30;
const centralHeaderLength = 46;
const endLength = 22;
/** Names are UTF-8. */
const flags = 0x0800;
const version = 20;
/** 1980-01-01, the first day there is: equal models give equal files. */
const date = 0x0021;

/** A file with others packed behind it. */
export function appendZip(bytes: Uint8Array, files: readonly PackedFile[]): Uint8Array {
  const entries = files.map(({ name, content }) => ({
    name: new TextEncoder().encode(name),
    content,
    checksum: crc32(content),
  }));
  const size = entries.reduce(
    (sum, { name, content }) =>
      sum + localHeaderLength + centralHeaderLength + 2 * name.length + content.length,
    bytes.length + endLength,
  );
  const result = new Uint8Array(size);
  const view = new DataView(result.buffer);
  result.set(bytes);
  let at = bytes.length;
  const fields = (values: readonly (readonly [number, 2 | 4])[]): void => {
    for (const [value, length] of values) {
      if (length === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
      at += length;
    }
  };
  const copy = (part: Uint8Array): void => {
    result.set(part, at);
    at += part.length;
  };
  const common = ({ name, content, checksum }: (typeof entries)[number]) =>
    [
      [version, 2],
      [flags, 2],
      [0, 2], // stored as it is
      [0, 2], // time
      [date, 2],
      [checksum, 4],
      [content.length, 4],
      [content.length, 4],
      [name.length, 2],
      [0, 2], // no extra field
    ] as const;
  const offsets = entries.map((entry) => {
    const offset = at;
    fields([[0x04034b50, 4], ...common(entry)]);
    copy(entry.name);
    copy(entry.content);
    return offset;
  });
  const directory = at;
  entries.forEach((entry, i) => {
    fields([
      [0x02014b50, 4],
      [version, 2],
      ...common(entry),
      [0, 2], // no comment
      [0, 2], // first disk
      [0, 2],
      [0, 4], // no attributes
      [offsets[i]!, 4],
    ]);
    copy(entry.name);
  });
  fields([
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [entries.length, 2],
    [entries.length, 2],
    [at - directory, 4],
    [directory, 4],
    [0, 2],
  ]);
  return result;
}

/** The content of a file packed behind a model; null where there is none, or the archive is damaged. */
export async function readPacked(bytes: Uint8Array, name: string): Promise<Uint8Array | null> {
  try {
    const zip = await openZip(bytes);
    const entry = await findEntry(zip, name);
    return entry === null ? null : await contentOf(zip, entry);
  } catch {
    // Metadata is an extra: a model without its labels is still the model.
    return null;
  }
}

function openZip(bytes: Uint8Array): Promise<ZipFile> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(buffer, { lazyEntries: true, validateEntrySizes: true }, (error, zip) => {
      if (error) reject(error);
      else resolve(zip);
    });
  });
}

function findEntry(zip: ZipFile, name: string): Promise<Entry | null> {
  return new Promise((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      if (entry.fileName === name) resolve(entry);
      else zip.readEntry();
    });
    zip.on('end', () => resolve(null));
    zip.on('error', reject);
    zip.readEntry();
  });
}

async function contentOf(zip: ZipFile, entry: Entry): Promise<Uint8Array | null> {
  if (entry.uncompressedSize > maxPackedBytes) return null;
  const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    zip.openReadStream(entry, (error, opened) => {
      if (error) reject(error);
      else resolve(opened);
    });
  });
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
