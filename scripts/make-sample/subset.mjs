// Makes the images of the sample project: the first images of each class of Fashion-MNIST, as IDX .gz files.
// `node scripts/make-sample/subset.mjs <folder with the four files of Fashion-MNIST>`
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { inRoot } from '../lib/paths.mjs';

const classes = [
  ...['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat'],
  ...['Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
];
const perClass = { train: 1500, t10k: 200 };
const pixels = 28 * 28;
const imageHeader = 16;
const labelHeader = 8;

const [source = ''] = process.argv.slice(2);
if (source === '') throw new Error('Give the folder that holds Fashion-MNIST.');
const target = inRoot('resources', 'sample', 'images');
mkdirSync(target, { recursive: true });
for (const [part, count] of Object.entries(perClass)) copyFirst(part, count);
writeFileSync(join(target, 'labels.txt'), `${classes.join('\n')}\n`);

/**
 * @param {string} part 'train' or 't10k'
 * @param {number} count images of each class
 */
function copyFirst(part, count) {
  const imagesName = `${part}-images-idx3-ubyte.gz`;
  const labelsName = `${part}-labels-idx1-ubyte.gz`;
  const images = gunzipSync(readFileSync(join(source, imagesName)));
  const labels = gunzipSync(readFileSync(join(source, labelsName))).subarray(labelHeader);
  const taken = classes.map(() => 0);
  const labelOf = (/** @type {number} */ row) => labels[row] ?? 0;
  const rows = [...labels.keys()].filter((row) => {
    const before = taken[labelOf(row)] ?? 0;
    taken[labelOf(row)] = before + 1;
    return before < count;
  });
  if (rows.length !== count * classes.length) throw new Error(`${part} has too few images.`);

  const pixelsOf = (/** @type {number} */ row) => {
    const start = imageHeader + row * pixels;
    return images.subarray(start, start + pixels);
  };
  const header = (/** @type {number[]} */ ...numbers) => {
    const bytes = Buffer.alloc(4 * numbers.length);
    numbers.forEach((number, i) => bytes.writeUInt32BE(number, 4 * i));
    return bytes;
  };
  const write = (/** @type {string} */ name, /** @type {Uint8Array[]} */ parts) =>
    writeFileSync(join(target, name), gzipSync(Buffer.concat(parts), { level: 9 }));
  write(imagesName, [header(0x803, rows.length, 28, 28), ...rows.map(pixelsOf)]);
  write(labelsName, [header(0x801, rows.length), Uint8Array.from(rows, labelOf)]);
}
