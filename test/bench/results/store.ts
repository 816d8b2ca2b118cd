// Models that a long series of trainings has made so far, in a folder: a series that is broken off goes on.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeModel, encodeModel } from '../../../src-main/engine/graph/serialize';
import type { Model } from '../../../src-main/engine/graph/types';

/** A model, and how it did on the test images. */
export interface Outcome {
  readonly model: Model;
  /** 0 to 1. */
  readonly top1: number;
  /** Wall time of making the model, without measuring it. */
  readonly seconds: number;
}

export class OutcomeStore {
  private constructor(private readonly folder: string) {}

  static async open(folder: string): Promise<OutcomeStore> {
    await mkdir(folder, { recursive: true });
    return new OutcomeStore(folder);
  }

  /** What was kept under this name, or what `make` makes, kept from now on. The name says all that it depends on. */
  async keep(name: string, make: () => Promise<Outcome>): Promise<Outcome> {
    const file = join(this.folder, `${name}.secateur`);
    try {
      const { top1, seconds } = JSON.parse(await readFile(`${file}.json`, 'utf8')) as Outcome;
      return { model: decodeModel(await readFile(file)), top1, seconds };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const outcome = await make();
    const { top1, seconds } = outcome;
    await writeFile(file, encodeModel(outcome.model));
    // The figures last, by renaming: where they are, all is there.
    await writeFile(`${file}.part`, `${JSON.stringify({ top1, seconds })}\n`);
    await rename(`${file}.part`, `${file}.json`);
    return outcome;
  }
}
