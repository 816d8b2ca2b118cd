// Says what a file really is, from its first bytes: for people who chose the wrong one.

interface Kind {
  readonly name: string;
  /** Whether it holds a model that a later version will read. */
  readonly isModel: boolean;
}

interface Signature extends Kind {
  readonly bytes: readonly number[];
  readonly offset?: number;
}

const text = (value: string): readonly number[] => [...new TextEncoder().encode(value)];

const signatures: readonly Signature[] = [
  { name: 'a TensorFlow Lite model', isModel: true, bytes: text('TFL3'), offset: 4 },
  { name: 'a PNG image', isModel: false, bytes: [0x89, ...text('PNG')] },
  { name: 'a JPEG image', isModel: false, bytes: [0xff, 0xd8, 0xff] },
  { name: 'a GIF image', isModel: false, bytes: text('GIF8') },
  { name: 'a WebP image', isModel: false, bytes: text('WEBP'), offset: 8 },
  { name: 'a PDF document', isModel: false, bytes: text('%PDF') },
  { name: 'a gzip archive', isModel: false, bytes: [0x1f, 0x8b] },
  { name: 'a NumPy array', isModel: false, bytes: [0x93, ...text('NUMPY')] },
  { name: 'a Python pickle (PyTorch writes these as .pt)', isModel: true, bytes: [0x80, 0x02] },
];

const zip: readonly number[] = [0x50, 0x4b, 0x03, 0x04];

/** What the first bytes show, or null. `head` is best a few hundred bytes long. */
export function sniff(head: Uint8Array): Kind | null {
  const known = signatures.find(({ bytes, offset = 0 }) => matches(head, bytes, offset));
  if (known) return known;
  if (matches(head, zip, 0)) return zipKind(head);
  return isOnnx(head) ? { name: 'an ONNX model', isModel: true } : null;
}

function matches(head: Uint8Array, bytes: readonly number[], offset: number): boolean {
  return bytes.every((byte, i) => head[offset + i] === byte);
}

/** A zip by the name of its first entry, which lies at byte 30. */
function zipKind(head: Uint8Array): Kind {
  const first = new TextDecoder('latin1').decode(head.subarray(30, 94));
  if (/^[^/]+\/(data\.pkl|\.format_version|byteorder)/.test(first)) {
    return { name: 'a PyTorch model', isModel: true };
  }
  return { name: 'a zip archive', isModel: false };
}

/** ModelProto: ir_version (field 1, a small number), then most often the producer's name (field 2). */
function isOnnx(head: Uint8Array): boolean {
  return (
    head[0] === 0x08 && head[1]! >= 1 && head[1]! < 32 && (head[2] === 0x12 || head[2] === 0x3a)
  );
}
