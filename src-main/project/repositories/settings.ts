// Settings of one project.

import type { Sql } from '../database';
import type { VersionId } from '../types';
import { fromJson, toJson } from './rows';

export interface ProjectSettings {
  /** What the project is called; the folder may be named otherwise. */
  readonly name: string;
  /** Version that all others are compared with, as chosen by the user. */
  readonly baseline: VersionId | null;
}

export class SettingsRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async get<K extends keyof ProjectSettings>(key: K): Promise<ProjectSettings[K] | null> {
    const row = await this.#sql.get<{ value: string }>('SELECT value FROM settings WHERE key = ?', [
      key,
    ]);
    return row === undefined ? null : fromJson<ProjectSettings[K]>(row.value);
  }

  async set<K extends keyof ProjectSettings>(key: K, value: ProjectSettings[K]): Promise<void> {
    await this.#sql.run(
      'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      [key, toJson(value)],
    );
  }
}
