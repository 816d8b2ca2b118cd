// The database schema, as numbered steps from an empty file to the newest version.

import { AppError } from '../engine/errors';
import { readPragma, type Database, type Sql } from './database';

export interface Migration {
  /** 1, 2, 3 ...; stored as `user_version` once it has run. */
  readonly version: number;
  readonly statements: string;
}

/** Marks a SQLite file as a Secateur project ("Seca"). */
export const applicationId = 0x53656361;

/**
 * Never edit a migration that has shipped: add one. Columns that hold lists or records are JSON.
 * Versions and data sets that left the trash stay as rows without content, so that the lineage of what
 * was made from them is still told.
 */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: `
      PRAGMA application_id = ${applicationId};

      CREATE TABLE settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE blobs (
        sha256 TEXT PRIMARY KEY,
        bytes INTEGER NOT NULL,
        -- Of the file when its checksum was last found right, in milliseconds.
        modified REAL NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        request TEXT NOT NULL,
        title TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN
          ('queued', 'running', 'cancelling', 'done', 'failed', 'cancelled', 'interrupted')),
        created_at TEXT NOT NULL,
        started_at TEXT,
        ended_at TEXT,
        error TEXT,
        progress TEXT,
        log TEXT NOT NULL DEFAULT '[]'
      ) STRICT;

      CREATE TABLE versions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        parent TEXT REFERENCES versions (id),
        operation TEXT NOT NULL,
        options TEXT NOT NULL,
        engine_version TEXT NOT NULL,
        seed INTEGER,
        created_at TEXT NOT NULL,
        job TEXT REFERENCES jobs (id) ON DELETE SET NULL,
        blob TEXT REFERENCES blobs (sha256),
        params INTEGER NOT NULL,
        macs INTEGER NOT NULL,
        weight_bytes INTEGER NOT NULL,
        activation_bytes INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        bytes_of TEXT NOT NULL,
        input_shape TEXT NOT NULL,
        classes INTEGER NOT NULL,
        source TEXT NOT NULL,
        equivalence TEXT,
        layers TEXT,
        history TEXT NOT NULL,
        deleted_at TEXT,
        CHECK (blob IS NOT NULL OR deleted_at IS NOT NULL)
      ) STRICT;
      CREATE UNIQUE INDEX version_names ON versions (name COLLATE NOCASE) WHERE deleted_at IS NULL;
      CREATE INDEX version_parents ON versions (parent);

      CREATE TABLE datasets (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        source_path TEXT NOT NULL,
        info TEXT NOT NULL,
        created_at TEXT NOT NULL,
        job TEXT REFERENCES jobs (id) ON DELETE SET NULL,
        blob TEXT REFERENCES blobs (sha256),
        deleted_at TEXT,
        CHECK (blob IS NOT NULL OR deleted_at IS NOT NULL)
      ) STRICT;
      CREATE UNIQUE INDEX dataset_names ON datasets (name COLLATE NOCASE) WHERE deleted_at IS NULL;

      CREATE TABLE metrics (
        seq INTEGER PRIMARY KEY,
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        step INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        "values" TEXT NOT NULL
      ) STRICT;
      CREATE INDEX metric_jobs ON metrics (job);

      CREATE TABLE evaluations (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        version TEXT NOT NULL REFERENCES versions (id),
        data TEXT NOT NULL REFERENCES datasets (id),
        created_at TEXT NOT NULL,
        split TEXT NOT NULL,
        samples INTEGER NOT NULL,
        top1 REAL NOT NULL,
        accuracy TEXT NOT NULL
      ) STRICT;
      CREATE INDEX evaluation_versions ON evaluations (version);

      CREATE TABLE measurements (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        version TEXT NOT NULL REFERENCES versions (id),
        created_at TEXT NOT NULL,
        runtime TEXT NOT NULL,
        threads INTEGER NOT NULL,
        latency TEXT NOT NULL
      ) STRICT;
      CREATE INDEX measurement_versions ON measurements (version);

      CREATE TABLE exports (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        version TEXT NOT NULL REFERENCES versions (id),
        format TEXT NOT NULL,
        precision TEXT NOT NULL,
        folder TEXT NOT NULL,
        files TEXT NOT NULL,
        verification TEXT,
        created_at TEXT NOT NULL,
        job TEXT REFERENCES jobs (id) ON DELETE SET NULL
      ) STRICT;
      CREATE INDEX export_versions ON exports (version);
    `,
  },
  {
    version: 2,
    statements: `
      CREATE TABLE sensitivity_maps (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        version TEXT NOT NULL REFERENCES versions (id),
        data TEXT NOT NULL REFERENCES datasets (id),
        created_at TEXT NOT NULL,
        options TEXT NOT NULL,
        split TEXT NOT NULL,
        samples INTEGER NOT NULL,
        top1 REAL NOT NULL,
        loss REAL NOT NULL,
        groups TEXT NOT NULL,
        UNIQUE (version, data, options)
      ) STRICT;

      CREATE TABLE sensitivity_points (
        map TEXT NOT NULL REFERENCES sensitivity_maps (id) ON DELETE CASCADE,
        group_id INTEGER NOT NULL,
        kept INTEGER NOT NULL,
        top1 REAL NOT NULL,
        loss REAL NOT NULL,
        PRIMARY KEY (map, group_id, kept)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 3,
    statements: `
      CREATE TABLE job_outputs (
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        type TEXT NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (job, ordinal)
      ) STRICT, WITHOUT ROWID;

      ALTER TABLE metrics ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
    `,
  },
  {
    version: 4,
    statements: `
      -- The distribution of gammas at the end of an epoch.
      ALTER TABLE metrics ADD COLUMN gammas TEXT;
    `,
  },
  {
    version: 5,
    statements: `
      -- The figure that stands for an evaluation is top-1 accuracy for one task only.
      ALTER TABLE evaluations RENAME COLUMN top1 TO score;
      ALTER TABLE evaluations ADD COLUMN task TEXT NOT NULL DEFAULT 'classes';
    `,
  },
];

/**
 * Brings a database to the newest version: every pending step in one transaction, after `backUp` has run
 * (not for an empty database, which has nothing to lose).
 * @throws AppError PROJECT_NEWER; whatever a failing step throws, with version and rows as they were
 */
export async function migrate(
  database: Database,
  backUp: (fromVersion: number) => Promise<void>,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  const current = await readPragma(database, 'user_version');
  const newest = Math.max(...steps.map((step) => step.version));
  if (current > newest) {
    throw new AppError(
      'PROJECT_NEWER',
      `The project was written by a newer Secateur (its database has version ${current}, this one knows ${newest}).`,
      'Update Secateur to open it. Nothing was changed.',
      { details: { version: current, newest } },
    );
  }
  const pending = steps.filter((step) => step.version > current);
  if (pending.length === 0) return;
  if (current > 0) await backUp(current);
  await database.transaction(async (sql) => {
    for (const step of pending) await runStep(sql, step);
    const broken = await sql.all('PRAGMA foreign_key_check');
    if (broken.length > 0) {
      throw new Error(`Migration to version ${newest} breaks ${broken.length} references.`);
    }
  });
}

async function runStep(sql: Sql, step: Migration): Promise<void> {
  await sql.exec(step.statements);
  await sql.exec(`PRAGMA user_version = ${step.version}`);
}
