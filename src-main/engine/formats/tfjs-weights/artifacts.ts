// Files that this program wrote, as TensorFlow.js's loaders take them from memory.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { io } from '@tensorflow/tfjs-core';

interface ModelJson {
  readonly modelTopology: object;
  readonly signature?: unknown;
  readonly userDefinedMetadata?: unknown;
  readonly weightsManifest: io.WeightsManifestConfig;
}

export interface Artifacts {
  readonly json: ModelJson;
  readonly weights: {
    readonly weightSpecs: io.WeightsManifestEntry[];
    readonly weightData: ArrayBuffer;
  };
}

export async function readArtifacts(folder: string): Promise<Artifacts> {
  const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as ModelJson;
  const paths = json.weightsManifest.flatMap((group) => group.paths);
  const shards = await Promise.all(paths.map((path) => readFile(join(folder, path))));
  return {
    json,
    weights: {
      weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
      weightData: Uint8Array.from(Buffer.concat(shards)).buffer,
    },
  };
}
