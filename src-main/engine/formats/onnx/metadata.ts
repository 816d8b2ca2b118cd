// What the writer notes in a file for people and for the reader: labels, preprocessing, where channels come from.

import { z } from 'zod';
import { outputKindSchema } from '../../graph/schema';
import type { Model } from '../../graph/types';

const names = z.array(z.string());

/** Keys of metadata_props. */
export const metadataKeys = {
  /** JSON: a list of names. */
  labels: 'labels',
  /** JSON: `Preprocessing`, with its formula. */
  preprocessing: 'preprocessing',
  /** JSON: the rest. */
  secateur: 'secateur',
} as const;

const preprocessingSchema = z.object({
  scale: z.number(),
  mean: z.array(z.number()).min(1),
  std: z.array(z.number().positive()).min(1),
  channelOrder: z.enum(['rgb', 'bgr', 'gray']),
});

const secateurSchema = z.object({
  version: z.literal(1),
  outputKind: outputKindSchema,
  /** Provenance of channels, by node name. */
  origins: z.record(z.string(), z.array(z.number().int().nonnegative())),
});

export interface ReadMetadata {
  readonly labels: readonly string[] | undefined;
  readonly preprocessing: Model['preprocessing'] | undefined;
  /** Present in files of this program. */
  readonly own: z.infer<typeof secateurSchema> | undefined;
}

/** What the metadata of a file says; what is in another form is noted and left aside. */
export function readMetadata(
  metadata: ReadonlyMap<string, string>,
  note: (text: string) => void,
): ReadMetadata {
  const parse = <T>(key: string, schema: z.ZodType<T>): T | undefined => {
    const text = metadata.get(key);
    if (text === undefined) return undefined;
    const result = schema.safeParse(parseJson(text));
    if (result.success) return result.data;
    note(`The file's metadata "${key}" is not in a form that Secateur writes, and was left aside.`);
    return undefined;
  };
  return {
    labels: metadata.has(metadataKeys.labels)
      ? parse(metadataKeys.labels, names)
      : namesOfUltralytics(metadata.get('names')),
    preprocessing: parse(metadataKeys.preprocessing, preprocessingSchema),
    own: parse(metadataKeys.secateur, secateurSchema),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Ultralytics writes the classes as a dictionary of Python: {0: 'person', 1: "hair dryer"}. */
function namesOfUltralytics(text: string | undefined): readonly string[] | undefined {
  if (!text || !/^\{.*\}$/s.test(text)) return undefined;
  const entries = [...text.matchAll(/(\d+): (?:'([^']*)'|"([^"]*)")/g)];
  const ordered = entries.every(([, index], i) => Number(index) === i);
  if (entries.length === 0 || !ordered) return undefined;
  return entries.map(([, , single, double]) => single ?? double ?? '');
}

/** The entries that the writer makes. */
export function writtenMetadata(model: Model): readonly { key: string; value: string }[] {
  const { labels, preprocessing, outputKind, graph } = model;
  const own: z.infer<typeof secateurSchema> = {
    version: 1,
    outputKind,
    origins: Object.fromEntries(
      graph.nodes.flatMap(({ name, origin }) =>
        origin === undefined ? [] : [[name, [...origin]] as const],
      ),
    ),
  };
  const formula = 'x = (pixel * scale - mean) / std, per channel, pixel from 0 to 255';
  return [
    ...(labels === null ? [] : [{ key: metadataKeys.labels, value: JSON.stringify(labels) }]),
    {
      key: metadataKeys.preprocessing,
      value: JSON.stringify({ ...preprocessing, formula }),
    },
    { key: metadataKeys.secateur, value: JSON.stringify(own) },
  ];
}
