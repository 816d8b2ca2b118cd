// What Secateur adds to a file whose layers are described as Keras does, so that reading it back gives the very
// same model: what the layers alone do not say.

import { z } from 'zod';
import { attrSchemas, outputKindSchema } from '../../graph/schema';
import type { Model, Op } from '../../graph/types';

const names = z.array(z.string());
const whole = z.number().int().nonnegative();

const compositeSchema = z
  .object({
    /** Name of the node that the layers stand for. */
    name: z.string(),
    op: z.string(),
    attrs: z.unknown(),
    /** The layers, in order. */
    layers: names.min(1),
    /** Where the node's inputs arrive: layer and number of its input. */
    inputs: z.array(z.tuple([z.string(), whole])),
    /** The layers that give the node's outputs. */
    outputs: names.min(1),
  })
  .refine(({ op, attrs }) => attrSchemas[op as Op]?.safeParse(attrs).success === true, {
    message: 'attributes do not fit the op',
  });

export const secateurSchema = z.object({
  version: z.literal(1),
  preprocessing: z.object({
    scale: z.number(),
    mean: z.array(z.number()),
    std: z.array(z.number()),
    channelOrder: z.enum(['rgb', 'bgr', 'gray']),
  }),
  outputKind: outputKindSchema,
  outputs: names,
  /** Names of nodes whose layer has another name, or that are calls of one layer: by layer. */
  nodes: z.record(z.string(), names),
  composites: z.array(compositeSchema),
  /** The graph's, where the format takes no such name. */
  name: z.string().optional(),
  /** Names of all nodes, where the layers are written in another order. */
  order: names.optional(),
  /** Provenance of channels, by node name. */
  origins: z.record(z.string(), z.array(whole)),
});

export type SecateurMetadata = z.infer<typeof secateurSchema>;
export type Composite = z.infer<typeof compositeSchema>;

export const userMetadataSchema = z.object({
  labels: names.optional(),
  secateur: secateurSchema.optional(),
});

/** A model's labels and all that its layers do not say. */
export function describeMetadata(
  { labels, preprocessing, outputKind }: Model,
  notes: Omit<SecateurMetadata, 'version' | 'preprocessing' | 'outputKind'>,
): Readonly<Record<string, unknown>> {
  const secateur: SecateurMetadata = {
    version: 1,
    preprocessing: {
      ...preprocessing,
      mean: [...preprocessing.mean],
      std: [...preprocessing.std],
    },
    outputKind,
    ...notes,
  };
  return { ...(labels === null ? {} : { labels }), secateur };
}
