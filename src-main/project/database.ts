// SQLite behind a small promise interface. The only file that knows the sqlite3 package, so that another
// binding can take its place.

import { AsyncLocalStorage } from 'node:async_hooks';
import sqlite3 from 'sqlite3';
import { AppError, toAppError } from '../engine/errors';
import { Mutex } from './mutex';

export type SqlValue = string | number | null;
export type SqlParameters = readonly SqlValue[];

/** What repositories need: statements with `?` placeholders. Errors carry codes, see `databaseError`. */
export interface Sql {
  /** Runs statements that take no parameters and give no rows. */
  exec(statements: string): Promise<void>;
  /** The number of rows changed. */
  run(statement: string, parameters?: SqlParameters): Promise<number>;
  get<Row>(query: string, parameters?: SqlParameters): Promise<Row | undefined>;
  all<Row>(query: string, parameters?: SqlParameters): Promise<Row[]>;
}

interface Pragma {
  readonly name: string;
  readonly value: string;
  readonly readBack: string | number;
}

/** FULL, because NORMAL may lose the last commits on power loss; foreign keys are off unless asked for. */
const pragmas: readonly Pragma[] = [
  { name: 'journal_mode', value: 'WAL', readBack: 'wal' },
  { name: 'synchronous', value: 'FULL', readBack: 2 },
  { name: 'foreign_keys', value: 'ON', readBack: 1 },
  { name: 'trusted_schema', value: 'OFF', readBack: 0 },
];

const busyTimeoutMs = 5000;

/**
 * One connection. Statements of a connection share its transaction, so every statement outside of
 * `transaction` waits until no transaction is open: a write of somebody else is never rolled back with it.
 */
export class Database implements Sql {
  readonly file: string;
  readonly #connection: Connection;
  readonly #mutex = new Mutex();
  readonly #insideTransaction = new AsyncLocalStorage<true>();

  private constructor(file: string, connection: Connection) {
    this.file = file;
    this.#connection = connection;
  }

  /**
   * Opens a database file, sets the pragmas and reads them back.
   * @throws AppError PROJECT_CORRUPT, FILE_UNREADABLE, FILE_UNWRITABLE, DISK_FULL
   */
  static async open(file: string, options: { create?: boolean } = {}): Promise<Database> {
    const mode = sqlite3.OPEN_READWRITE | (options.create === true ? sqlite3.OPEN_CREATE : 0);
    const connection = await Connection.open(file, mode);
    try {
      await applyPragmas(connection, file);
    } catch (error) {
      await connection.close().catch(() => undefined);
      throw error;
    }
    return new Database(file, connection);
  }

  exec(statements: string): Promise<void> {
    return this.#alone(() => this.#connection.exec(statements));
  }

  run(statement: string, parameters: SqlParameters = []): Promise<number> {
    return this.#alone(() => this.#connection.run(statement, parameters));
  }

  get<Row>(query: string, parameters: SqlParameters = []): Promise<Row | undefined> {
    return this.#alone(() => this.#connection.get<Row>(query, parameters));
  }

  all<Row>(query: string, parameters: SqlParameters = []): Promise<Row[]> {
    return this.#alone(() => this.#connection.all<Row>(query, parameters));
  }

  /**
   * Runs `body` between BEGIN IMMEDIATE and COMMIT; when it throws, everything is rolled back. Inside, only
   * the `sql` that is handed in may be used: the database itself waits for the end of the transaction.
   */
  transaction<T>(body: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#alone(async () => {
      const connection = this.#connection;
      await connection.exec('BEGIN IMMEDIATE');
      try {
        const result = await this.#insideTransaction.run(true, () => body(connection));
        await connection.exec('COMMIT');
        return result;
      } catch (error) {
        // SQLite has ended the transaction itself after a full disk or an I/O error.
        await connection.exec('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  /** Waits for the statements under way. */
  close(): Promise<void> {
    return this.#alone(() => this.#connection.close());
  }

  #alone<T>(task: () => Promise<T>): Promise<T> {
    if (this.#insideTransaction.getStore()) {
      throw new Error(
        'Inside a transaction only its own sql may be used: this would wait forever.',
      );
    }
    return this.#mutex.run(task);
  }
}

export interface FileCheck {
  /** `ok`, or what SQLite found wrong. */
  readonly verdict: string;
  readonly userVersion: number;
  readonly applicationId: number;
}

/** Looks at a database file without changing it; a file that is no database gets a verdict, too. */
export async function checkDatabaseFile(file: string): Promise<FileCheck> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.open(file, sqlite3.OPEN_READONLY);
    return {
      verdict: await quickCheck(connection),
      userVersion: await readPragma(connection, 'user_version'),
      applicationId: await readPragma(connection, 'application_id'),
    };
  } catch (error) {
    return { verdict: toAppError(error).message, userVersion: 0, applicationId: 0 };
  } finally {
    await connection?.close().catch(() => undefined);
  }
}

/** `ok`, or what SQLite found wrong. */
export async function quickCheck(sql: Sql): Promise<string> {
  const rows = await sql.all<{ quick_check: string }>('PRAGMA quick_check');
  return rows.map((row) => row.quick_check).join('; ');
}

/** The value of a pragma that holds a number. */
export async function readPragma(sql: Sql, name: string): Promise<number> {
  const row = await sql.get<Record<string, number>>(`PRAGMA ${name}`);
  return row?.[name] ?? 0;
}

async function applyPragmas(connection: Connection, file: string): Promise<void> {
  connection.setBusyTimeout(busyTimeoutMs);
  for (const { name, value, readBack } of pragmas) {
    await connection.exec(`PRAGMA ${name} = ${value}`);
    const row = await connection.get<Record<string, string | number>>(`PRAGMA ${name}`);
    if (row?.[name] !== readBack) {
      throw new AppError(
        'FILE_UNWRITABLE',
        `The database cannot be kept safely here: ${name} stays ${String(row?.[name])} (${file}).`,
        'Keep the project on a local disk; some network drives do not offer what SQLite needs.',
      );
    }
  }
}

/** The callback interface of sqlite3 as promises, with coded errors. */
class Connection implements Sql {
  readonly #handle: sqlite3.Database;
  readonly #file: string;

  private constructor(handle: sqlite3.Database, file: string) {
    this.#handle = handle;
    this.#file = file;
  }

  static open(file: string, mode: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const handle = new sqlite3.Database(file, mode, (error) => {
        if (error) reject(databaseError(error, file));
        else resolve(new Connection(handle, file));
      });
    });
  }

  setBusyTimeout(milliseconds: number): void {
    this.#handle.configure('busyTimeout', milliseconds);
  }

  exec(statements: string): Promise<void> {
    return this.#ask((done) => this.#handle.exec(statements, (error) => done(error, undefined)));
  }

  run(statement: string, parameters: SqlParameters = []): Promise<number> {
    return this.#ask((done) =>
      this.#handle.run(statement, parameters, function (error) {
        done(error, this.changes);
      }),
    );
  }

  get<Row>(query: string, parameters: SqlParameters = []): Promise<Row | undefined> {
    return this.#ask((done) => this.#handle.get<Row | undefined>(query, parameters, done));
  }

  all<Row>(query: string, parameters: SqlParameters = []): Promise<Row[]> {
    return this.#ask((done) => this.#handle.all<Row>(query, parameters, done));
  }

  close(): Promise<void> {
    return this.#ask((done) => this.#handle.close((error) => done(error, undefined)));
  }

  #ask<T>(start: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      start((error, value) => {
        if (error) reject(databaseError(error, this.#file));
        else resolve(value);
      });
    });
  }
}

/** Gives an error of SQLite its code; what is no fault of disk or file stays INTERNAL. */
function databaseError(error: Error, file: string): AppError {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'SQLITE_NOTADB':
    case 'SQLITE_CORRUPT':
      return new AppError(
        'PROJECT_CORRUPT',
        `The project's database is damaged: ${file} (${error.message}).`,
        'Close the project and open it again: it is repaired from its newest good backup.',
        { cause: error, details: { damage: error.message } },
      );
    case 'SQLITE_BUSY':
    case 'SQLITE_LOCKED':
      return new AppError(
        'PROJECT_LOCKED',
        `Another program holds the project's database: ${file}.`,
        'Close the program that has the file open (a database viewer, a backup) and try again.',
        { cause: error },
      );
    case 'SQLITE_READONLY':
    case 'SQLITE_CANTOPEN':
    case 'SQLITE_PERM':
    case 'SQLITE_IOERR':
      return new AppError(
        'FILE_UNWRITABLE',
        `The project's database cannot be opened or written: ${file} (${error.message}).`,
        'Check the permissions of the folder and the health of the disk.',
        { cause: error },
      );
    default:
      return toAppError(error);
  }
}
