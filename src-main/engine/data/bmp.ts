// Reads Windows bitmaps, which sharp's decoder does not know: uncompressed, 8 (palette), 24 or 32 bits a pixel.

export interface Bitmap {
  readonly height: number;
  readonly width: number;
  /** uint8 RGB, rows from the top. */
  readonly pixels: Uint8Array;
}

const fileHeaderBytes = 14;
/** `biCompression`: none, and explicit channel masks (written for 32-bit images, in the usual order). */
const compression = { none: 0, bitFields: 3 };
const usualMasks = [0x00ff0000, 0x0000ff00, 0x000000ff];

export function isBmp(bytes: Uint8Array): boolean {
  return bytes[0] === 0x42 && bytes[1] === 0x4d;
}

/** @throws Error that says in a sentence what is wrong */
export function readBmp(bytes: Buffer, maxPixels: number): Bitmap {
  if (bytes.length < fileHeaderBytes + 40) throw new Error('The bitmap ends within its header.');
  const pixelStart = bytes.readUInt32LE(10);
  const infoBytes = bytes.readUInt32LE(14);
  if (infoBytes < 40) throw new Error(`Bitmap headers of ${infoBytes} bytes are not supported.`);
  const width = bytes.readInt32LE(18);
  const signedHeight = bytes.readInt32LE(22);
  const height = Math.abs(signedHeight);
  const bits = bytes.readUInt16LE(28);
  if (width <= 0 || height === 0) throw new Error(`The bitmap is ${width} x ${height} pixels.`);
  if (width * height > maxPixels) throw new Error('The bitmap exceeds the pixel limit.');
  checkEncoding(bytes, bits);

  // Rows are padded to four bytes and stored from the bottom, unless the height is negative.
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (pixelStart + stride * height > bytes.length) throw new Error('The bitmap is cut off.');
  const palette = bits === 8 ? readPalette(bytes, fileHeaderBytes + infoBytes, pixelStart) : null;
  const pixels = new Uint8Array(height * width * 3);
  const step = bits / 8;
  for (let y = 0; y < height; y++) {
    let from = pixelStart + stride * (signedHeight < 0 ? y : height - 1 - y);
    let to = y * width * 3;
    for (let x = 0; x < width; x++, from += step, to += 3) {
      const colours = palette ?? bytes;
      const at = palette ? bytes[from]! * 4 : from;
      pixels[to] = colours[at + 2]!;
      pixels[to + 1] = colours[at + 1]!;
      pixels[to + 2] = colours[at]!;
    }
  }
  return { height, width, pixels };
}

function checkEncoding(bytes: Buffer, bits: number): void {
  const encoding = bytes.readUInt32LE(30);
  const masksAreUsual = (): boolean =>
    bytes.length >= 66 && usualMasks.every((mask, i) => bytes.readUInt32LE(54 + i * 4) === mask);
  const known =
    (encoding === compression.none && [8, 24, 32].includes(bits)) ||
    (encoding === compression.bitFields && bits === 32 && masksAreUsual());
  if (!known) {
    throw new Error(`Bitmaps of ${bits} bits with compression ${encoding} are not supported.`);
  }
}

/** 256 entries of blue, green, red, 0; those that the file leaves out are black. */
function readPalette(bytes: Buffer, start: number, end: number): Uint8Array {
  const palette = new Uint8Array(256 * 4);
  palette.set(bytes.subarray(start, Math.min(end, start + palette.length)));
  return palette;
}
