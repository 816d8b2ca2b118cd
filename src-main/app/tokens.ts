// Names for paths that a page may use but never see or invent: given out after a dialog or a drop.

import { randomUUID } from 'node:crypto';

import { AppError } from '../engine/errors';

export class PathTokens {
  readonly #paths = new Map<string, string>();

  give(path: string): string {
    const token = randomUUID();
    this.#paths.set(token, path);
    return token;
  }

  /** @throws AppError INVALID_ARGUMENT for a token that was never given out */
  path(token: string): string {
    const path = this.#paths.get(token);
    if (path !== undefined) return path;
    throw new AppError(
      'INVALID_ARGUMENT',
      'This file was not chosen in this session.',
      'Choose or drop it again.',
    );
  }
}
