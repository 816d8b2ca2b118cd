// Says what a file really is, from its first bytes: for people who chose the wrong one.

interface Kind {
  readonly name: string;
  /** For a model of a format that is not read: how to come by one that is. */
  readonly advice?: string;
}

interface Signature extends Kind {
  readonly bytes: readonly number[];
  readonly offset?: number;
}

const text = (value: string): readonly number[] => [...new TextEncoder().encode(value)];

const fromPyTorch =
  'It is Python code as much as a model: export it from PyTorch as ONNX (torch.onnx.export), and open that.';

const signatures: readonly Signature[] = [
  { name: 'a PNG image', bytes: [0x89, ...text('PNG')] },
  { name: 'a JPEG image', bytes: [0xff, 0xd8, 0xff] },
  { name: 'a GIF image', bytes: text('GIF8') },
  { name: 'a WebP image', bytes: text('WEBP'), offset: 8 },
  { name: 'a PDF document', bytes: text('%PDF') },
  { name: 'a gzip archive', bytes: [0x1f, 0x8b] },
  { name: 'a NumPy array', bytes: [0x93, ...text('NUMPY')] },
  { name: 'a Python pickle (old PyTorch files are)', advice: fromPyTorch, bytes: [0x80, 0x02] },
];

const zip: readonly number[] = [0x50, 0x4b, 0x03, 0x04];

/** What the first bytes show, or null. `head` is best a few hundred bytes long. */
export function sniff(head: Uint8Array): Kind | null {
  const known = signatures.find(({ bytes, offset = 0 }) => matches(head, bytes, offset));
  if (known) return known;
  return matches(head, zip, 0) ? zipKind(head) : null;
}

function matches(head: Uint8Array, bytes: readonly number[], offset: number): boolean {
  return bytes.every((byte, i) => head[offset + i] === byte);
}

/** A zip by the name of its first entry, which lies at byte 30. */
function zipKind(head: Uint8Array): Kind {
  const first = new TextDecoder('latin1').decode(head.subarray(30, 94));
  if (/^[^/]+\/(data\.pkl|\.format_version|byteorder)/.test(first)) {
    return { name: 'a PyTorch model', advice: fromPyTorch };
  }
  return { name: 'a zip archive' };
}
