// Recents, theme and window size: one small file in the user's data folder, written atomically.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { AppError } from '../engine/errors';
import type { RecentProject, ThemeChoice } from '../ipc/contract';
import { atomicWrite } from '../project/atomic-write';

const schema = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  window: z
    .object({ width: z.number(), height: z.number(), maximized: z.boolean() })
    .default({ width: 1280, height: 800, maximized: false }),
  recents: z
    .array(z.object({ id: z.string(), name: z.string(), folder: z.string(), openedAt: z.string() }))
    .default([]),
});

type Stored = z.infer<typeof schema>;

const maxRecents = 12;

export class Settings {
  readonly #file: string;
  #stored: Stored;

  private constructor(file: string, stored: Stored) {
    this.#file = file;
    this.#stored = stored;
  }

  /** Reads the settings; a missing or damaged file gives the defaults. */
  static async load(folder: string): Promise<Settings> {
    const file = join(folder, 'settings.json');
    let stored: Stored;
    try {
      stored = schema.parse(JSON.parse(await readFile(file, 'utf8')));
    } catch {
      stored = schema.parse({});
    }
    return new Settings(file, stored);
  }

  get theme(): ThemeChoice {
    return this.#stored.theme;
  }

  get window(): Stored['window'] {
    return this.#stored.window;
  }

  get recents(): readonly RecentProject[] {
    return this.#stored.recents.map((recent) => ({
      ...recent,
      missing: !existsSync(join(recent.folder, 'project.db')),
    }));
  }

  setTheme(theme: ThemeChoice): Promise<void> {
    return this.#change({ theme });
  }

  setWindow(window: Stored['window']): Promise<void> {
    return this.#change({ window });
  }

  /** Puts a project in front of the list. */
  addRecent(name: string, folder: string): Promise<void> {
    const known = this.#stored.recents.find((recent) => recent.folder === folder);
    const others = this.#stored.recents.filter((recent) => recent.folder !== folder);
    const recent = {
      id: known?.id ?? randomUUID(),
      name,
      folder,
      openedAt: new Date().toISOString(),
    };
    return this.#change({ recents: [recent, ...others].slice(0, maxRecents) });
  }

  forgetRecent(id: string): Promise<void> {
    return this.#change({ recents: this.#stored.recents.filter((recent) => recent.id !== id) });
  }

  /** @throws AppError NOT_FOUND */
  recentFolder(id: string): string {
    const recent = this.#stored.recents.find((candidate) => candidate.id === id);
    if (recent) return recent.folder;
    throw new AppError(
      'NOT_FOUND',
      'This project is no longer in the list.',
      'Open its folder instead.',
    );
  }

  async #change(change: Partial<Stored>): Promise<void> {
    this.#stored = { ...this.#stored, ...change };
    await atomicWrite(this.#file, JSON.stringify(this.#stored, null, 2));
  }
}
