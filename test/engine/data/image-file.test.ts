// Decoded pixels, against pixels that were encoded without loss.
import { join } from 'node:path';
import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImageFile, probeImageFile, reshape } from '../../../src-main/engine/data/image-file';
import type { ImageShape } from '../../../src-main/engine/data/types';
import { failure, noise, put, tempFolder } from './support';

const folder = tempFolder();
const shape: ImageShape = { height: 5, width: 7, channels: 3 };
const rgb = noise(5 * 7 * 3);
const image = (): Sharp => sharp(rgb, { raw: shape });
const decode = async (file: string, to: ImageShape = shape): Promise<number[]> => [
  ...(await decodeImageFile(file, { shape: to, fit: 'cover' })),
];

let made = 0;
const save = (bytes: Uint8Array | string, extension = 'png'): string =>
  put(join(folder, `${made++}.${extension}`), bytes);

/** Luma of BT.601. */
const luma = (r: number, g: number, b: number): number => 0.299 * r + 0.587 * g + 0.114 * b;

describe('decodeImageFile', () => {
  it('gives PNG, lossless WebP and TIFF back exactly', async () => {
    expect(await decode(save(await image().png().toBuffer()))).toEqual([...rgb]);
    expect(await decode(save(await image().webp({ lossless: true }).toBuffer()))).toEqual([...rgb]);
    expect(await decode(save(await image().tiff({ compression: 'lzw' }).toBuffer()))).toEqual([
      ...rgb,
    ]);
  });

  it('gives JPEG back within its loss', async () => {
    const smooth = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => 60 + Math.floor(i / 48) * 8);
    const big: ImageShape = { height: 16, width: 16, channels: 3 };
    const jpeg = await sharp(smooth, { raw: big }).jpeg({ quality: 95 }).toBuffer();
    const pixels = await decode(save(jpeg, 'jpg'), big);
    pixels.forEach((value, i) => expect(Math.abs(value - smooth[i]!)).toBeLessThanOrEqual(4));
  });

  it('looks at the content, not at the name', async () => {
    expect(await decode(save(await image().png().toBuffer(), 'jpg'))).toEqual([...rgb]);
  });

  it('makes gray by luma, and three channels of gray', async () => {
    const gray = await decode(save(await image().png().toBuffer()), { ...shape, channels: 1 });
    gray.forEach((value, i) => {
      const expected = luma(rgb[i * 3]!, rgb[i * 3 + 1]!, rgb[i * 3 + 2]!);
      expect(Math.abs(value - expected)).toBeLessThanOrEqual(0.51);
    });
    const levels = noise(35);
    const png = await sharp(levels, { raw: { ...shape, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const file = save(png);
    expect(await probeImageFile(file)).toEqual({ ...shape, channels: 1 });
    expect(await decode(file, { ...shape, channels: 1 })).toEqual([...levels]);
    expect(await decode(file)).toEqual([...levels].flatMap((v) => [v, v, v]));
  });

  it('turns images as EXIF says', async () => {
    // Orientation 6: the camera was turned; shown correctly, the image stands 90 degrees clockwise.
    const file = save(await image().withMetadata({ orientation: 6 }).png().toBuffer());
    const turned: ImageShape = { height: 7, width: 5, channels: 3 };
    expect(await probeImageFile(file)).toEqual(turned);
    const expected: number[] = [];
    for (let y = 0; y < 7; y++) {
      for (let x = 0; x < 5; x++) {
        const from = ((4 - x) * 7 + y) * 3;
        expected.push(...rgb.subarray(from, from + 3));
      }
    }
    expect(await decode(file, turned)).toEqual(expected);
  });

  it('drops alpha and keeps the colour below it', async () => {
    const rgba = Uint8Array.of(255, 0, 0, 0, 0, 255, 0, 128, 0, 0, 255, 255, 9, 8, 7, 10);
    const png = await sharp(rgba, { raw: { width: 2, height: 2, channels: 4 } })
      .png()
      .toBuffer();
    const pixels = await decode(save(png), { height: 2, width: 2, channels: 3 });
    expect(pixels).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7]);
  });

  it('leaves numbers as they are stored, whatever colour profile they belong to', async () => {
    const png = await image().withIccProfile('p3').png().toBuffer();
    const at = png.indexOf('iCCP') - 4;
    const bytes = 12 + png.readUInt32BE(at);
    const without = Buffer.concat([png.subarray(0, at), png.subarray(at + bytes)]);
    const stored = await decode(save(without));
    expect(stored).not.toEqual([...rgb]);
    expect(await decode(save(png))).toEqual(stored);
  });

  it('reads 16-bit PNG by the upper eight bits', async () => {
    const wide = Uint16Array.from({ length: 12 }, (_, i) => i * 5000);
    const png = await sharp(wide, { raw: { width: 2, height: 2, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect((await sharp(png).metadata()).depth).toBe('ushort');
    const pixels = await decode(save(png), { height: 2, width: 2, channels: 3 });
    pixels.forEach((value, i) => {
      expect(Math.abs(value - (i * 5000) / 257)).toBeLessThanOrEqual(1);
    });
  });

  it('crops the middle to cover, or stretches to fill', async () => {
    // Left half black, right half white, 4 x 8; brought to 4 x 4.
    const half = Uint8Array.from({ length: 32 }, (_, i) => (i % 8 < 4 ? 0 : 255));
    const from: ImageShape = { height: 4, width: 8, channels: 1 };
    const to: ImageShape = { height: 4, width: 4, channels: 1 };
    const cover = await reshape(half, from, { shape: to, fit: 'cover' });
    expect([...cover.subarray(0, 4)]).toEqual([0, 0, 255, 255]);
    const wide: ImageShape = { height: 2, width: 8, channels: 1 };
    const stripes = Uint8Array.from({ length: 16 }, (_, i) => (i % 8 < 2 ? 0 : 255));
    const fill = await reshape(stripes, wide, { shape: { ...to, height: 2 }, fit: 'fill' });
    expect(fill[0]).toBeLessThan(40);
    expect([...fill.subarray(2, 4)]).toEqual([255, 255]);
  });

  it('refuses what is no image, with its name', async () => {
    const png = await image().png().toBuffer();
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="5"/>';
    const cases: (Uint8Array | string)[] = ['', 'hello', svg, png.subarray(0, png.length / 2)];
    for (const bytes of cases) {
      const file = save(bytes);
      const error = await failure(decode(file), 'DATA_IMAGE_UNREADABLE');
      expect(error.message).toContain(file);
    }
    await failure(decode(join(folder, 'none.png')), 'DATA_IMAGE_UNREADABLE');
  });

  it('refuses images of too many pixels before it decodes them', async () => {
    // A valid header of 20,000 x 20,000 pixels, in front of the data of a small image.
    const png = await image().png().toBuffer();
    png.writeUInt32BE(20_000, 16);
    png.writeUInt32BE(20_000, 20);
    await failure(decode(save(png)), 'DATA_IMAGE_UNREADABLE');
    const large = await sharp({
      create: { width: 11_000, height: 10_000, channels: 3, background: 'red' },
    })
      .png({ compressionLevel: 1 })
      .toBuffer();
    const error = await failure(decode(save(large)), 'DATA_IMAGE_UNREADABLE');
    expect(error.message).toContain('pixel limit');
  });
});

/** A bitmap file around rows that are given from the top. */
function bmp(options: {
  bits: number;
  rows: readonly (readonly number[])[];
  palette?: readonly number[];
  topDown?: boolean;
  compression?: number;
}): Buffer {
  const { bits, rows, palette = [], topDown = false, compression = 0 } = options;
  const width = (rows[0]!.length * 8) / bits;
  const stored = (topDown ? rows : [...rows].reverse()).map((row) =>
    Buffer.concat([Buffer.from(row), Buffer.alloc((4 - (row.length % 4)) % 4)]),
  );
  const header = Buffer.alloc(54);
  header.write('BM');
  header.writeUInt32LE(54 + palette.length, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(topDown ? -rows.length : rows.length, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(bits, 28);
  header.writeUInt32LE(compression, 30);
  return Buffer.concat([header, Buffer.from(palette), ...stored]);
}

describe('bitmaps', () => {
  const expected = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const two: ImageShape = { height: 2, width: 2, channels: 3 };
  const rows24 = [
    [3, 2, 1, 6, 5, 4],
    [9, 8, 7, 12, 11, 10],
  ];

  it('are read with 8, 24 and 32 bits, from either end', async () => {
    const rows32 = rows24.map((row) => [...row.slice(0, 3), 0, ...row.slice(3), 0]);
    const palette = rows24.flatMap((row) => [...row.slice(0, 3), 0, ...row.slice(3), 0]);
    const files = [
      bmp({ bits: 24, rows: rows24 }),
      bmp({ bits: 24, rows: rows24, topDown: true }),
      bmp({ bits: 32, rows: rows32 }),
      bmp({
        bits: 8,
        palette,
        rows: [
          [0, 1],
          [2, 3],
        ],
      }),
    ];
    for (const bytes of files) {
      const file = save(bytes, 'bmp');
      expect(await probeImageFile(file)).toEqual(two);
      expect(await decode(file, two)).toEqual(expected);
    }
  });

  it('are refused when cut, packed or absurd', async () => {
    const whole = bmp({ bits: 24, rows: rows24 });
    const wide = Buffer.from(whole);
    wide.writeInt32LE(0x7fffffff, 18);
    const cases = [whole.subarray(0, whole.length - 1), whole.subarray(0, 30), wide];
    cases.push(bmp({ bits: 8, rows: [[0, 1]], compression: 1 }), bmp({ bits: 24, rows: [[]] }));
    for (const bytes of cases)
      await failure(decode(save(bytes, 'bmp'), two), 'DATA_IMAGE_UNREADABLE');
  });
});
