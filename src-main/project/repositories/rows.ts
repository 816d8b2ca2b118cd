// What all repositories share: rows with JSON columns, in and out.

import type { Sql, SqlValue } from '../database';

/** Inserts one row; the keys are column names of this code, never of a user. */
export async function insertRow(
  sql: Sql,
  table: string,
  row: Readonly<Record<string, SqlValue>>,
): Promise<void> {
  const columns = Object.keys(row).map((column) => `"${column}"`);
  const places = columns.map(() => '?');
  await sql.run(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places.join(', ')})`,
    Object.values(row),
  );
}

export const toJson = (value: unknown): string => JSON.stringify(value);

export const toJsonOrNull = (value: unknown): string | null =>
  value === null ? null : JSON.stringify(value);

/** Columns are written by `toJson` of the same type, in this database alone. */
export const fromJson = <T>(text: string): T => JSON.parse(text) as T;

export const fromJsonOrNull = <T>(text: string | null): T | null =>
  text === null ? null : (JSON.parse(text) as T);
