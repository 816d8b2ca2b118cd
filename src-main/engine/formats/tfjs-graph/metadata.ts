// What Secateur adds to a graph model under "userDefinedMetadata": what operations alone do not say.

import { z } from 'zod';
import { modelHeaderSchema } from '../../graph/schema';

const { preprocessing, outputKind } = modelHeaderSchema.shape;

export const secateurSchema = z.object({
  version: z.literal(1),
  name: z.string().min(1),
  preprocessing,
  outputKind,
  /** Names of the outputs in order: a JSON object does not keep it for all names. */
  outputs: z.array(z.string()),
});

export type SecateurMetadata = z.infer<typeof secateurSchema>;

const userMetadataSchema = z.object({
  labels: z.array(z.string()).optional(),
  secateur: secateurSchema.optional(),
});

/** Labels, and what Secateur itself noted. */
export function parseMetadata(
  json: unknown,
  notes: string[],
): { readonly labels?: readonly string[]; readonly secateur?: SecateurMetadata } {
  const result = userMetadataSchema.safeParse(json ?? {});
  if (result.success) {
    const { labels, secateur } = result.data;
    return { ...(labels && { labels }), ...(secateur && { secateur }) };
  }
  notes.push('The metadata in the file is not in a form that Secateur writes, and was left aside.');
  return {};
}
