import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { TonnageError } from '../base/index.ts';
import { serve, type Functions } from '../thread/index.ts';
import type { ProgramFile, ProgramStatement, SqlValue, Statement } from './contract.ts';
import { toFileError } from './file-error.ts';
import { openFile } from './open-file.ts';
import type { Rows, WorkerFunctions, WorkerOptions } from './protocol.ts';

/** The number of statements kept prepared. Callers use a few fixed texts, so a full cache is rare and is cleared. */
const preparedStatementsMax = 256;

const prepared = new Map<string, StatementSync>();
let database: DatabaseSync;
/** The writer locks the file at once. The reader cannot, and does not need to. */
let begin = 'begin immediate';

function prepare(sql: string): StatementSync {
  const known = prepared.get(sql);
  if (known) return known;
  if (prepared.size >= preparedStatementsMax) prepared.clear();
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  prepared.set(sql, statement);
  return statement;
}

/** node:sqlite binds every `number` as a REAL. Whole numbers are bound as integers, so that sums stay integers. */
function bindable(value: SqlValue): SqlValue {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

function run(statement: Statement): number {
  const compiled = prepare(statement.sql);
  let changes = 0;
  for (const row of statement.rows) changes += Number(compiled.run(...row.map(bindable)).changes);
  if (statement.changes !== undefined && statement.changes !== changes) {
    throw new TonnageError(
      'sqlite_guard',
      `expected ${statement.changes} changed rows, got ${changes}, from: ${statement.sql}`,
    );
  }
  return changes;
}

function transact<T>(work: () => T): T {
  database.exec(begin);
  try {
    const result = work();
    database.exec('commit');
    return result;
  } catch (error) {
    // SQLite may already have rolled back, for example when the disk is full.
    if (database.isTransaction) database.exec('rollback');
    throw error;
  }
}

function rowsOf(statement: StatementSync, parameters: readonly SqlValue[]): Rows {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- rows are arrays because of setReturnArrays(true), which the types of node:sqlite cannot express
  return statement.all(...parameters.map(bindable)) as unknown as Rows;
}

/** Not cached: a program keeps its few statements for as long as the file is open. */
function prepareForProgram(sql: string, options: { readonly integers: 'bigint' | 'number' }): ProgramStatement {
  const statement = database.prepare(sql);
  statement.setReadBigInts(options.integers === 'bigint');
  statement.setReturnArrays(true);
  return {
    run: (...parameters) => Number(statement.run(...parameters.map(bindable)).changes),
    columns: () => statement.columns().map(({ name }) => name),
    all: (...parameters) => rowsOf(statement, parameters),
  };
}

/**
 * Makes this worker thread serve one file of `openDatabase` or `openReadOnly`. A module that is named as a
 * `ProgramModule` calls this once.
 *
 * @param createProgram receives the open file and the module's options, and returns the functions that the thread serves. Errors
 *   of the file that these throw are explained to the operator.
 */
export function serveDatabase<F extends Functions, O = undefined>(
  createProgram: (file: ProgramFile, options: O) => F,
): Promise<void> {
  return serve<WorkerFunctions & F>((data) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only file-thread.ts starts such a module, with these options
    const { program, ...options } = data as WorkerOptions<O>;
    const explain = (error: unknown): unknown => toFileError(options, error, 'sqlite_failed');
    database = openFile(options);
    if (options.mode === 'read') begin = 'begin';
    try {
      const file: ProgramFile = {
        prepare: (sql, prepareOptions = { integers: 'bigint' }) => prepareForProgram(sql, prepareOptions),
        transact,
      };
      return {
        functions: {
          ...createProgram(file, program),
          transact: (statements) => transact(() => statements.map(run)),
          read: ({ sql, parameters }) => rowsOf(prepare(sql), parameters),
        },
        explain,
        close() {
          prepared.clear();
          database.close();
        },
      };
    } catch (error) {
      throw explain(error);
    }
  });
}
