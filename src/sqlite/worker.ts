import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { assert, TonnageError } from '../base/index.ts';
import { serve } from '../thread/index.ts';
import type { Program, ProgramFactory, ProgramFile, ProgramStatement, SqlValue, Statement } from './contract.ts';
import { toFileError, type NamedFile } from './file-error.ts';
import { openFile } from './open-file.ts';
import type { Rows, WorkerFunctions, WorkerOptions } from './protocol.ts';

/** The number of statements kept prepared. Callers use a few fixed texts, so a full cache is rare and is simply cleared. */
const preparedStatementsMax = 256;

const prepared = new Map<string, StatementSync>();
let database: DatabaseSync;
let program: Program = {};
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
    all: (...parameters) => rowsOf(statement, parameters),
  };
}

async function openProgram({ module, options }: NonNullable<WorkerOptions['program']>): Promise<Program> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a ProgramModule must export this
  const { createProgram } = (await import(module)) as { readonly createProgram: ProgramFactory };
  const file: ProgramFile = {
    prepare: (sql, prepareOptions = { integers: 'bigint' }) => prepareForProgram(sql, prepareOptions),
    transact,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ProgramModule pairs the module with its options
  return createProgram(file, options as never);
}

function call(name: string, input: unknown): unknown {
  const work = program[name];
  assert(work, `the program of the database has no function ${name}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the program's caller passes the function's input type
  return work(input as never);
}

/** Wraps `work` so that errors of the file name it and the remedy. */
function withFileErrors<I, O>(file: NamedFile, work: (input: I) => O): (input: I) => O {
  return (input) => {
    try {
      return work(input);
    } catch (error) {
      throw toFileError(file, error, 'sqlite_failed');
    }
  };
}

await serve<WorkerFunctions>(async (data) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only database.ts and reader.ts start this file, with these options
  const options = data as WorkerOptions;
  database = openFile(options);
  if (options.mode === 'read') begin = 'begin';
  try {
    if (options.program) program = await openProgram(options.program);
  } catch (error) {
    throw toFileError(options, error, 'sqlite_failed');
  }
  return {
    functions: {
      transact: withFileErrors(options, (statements) => transact(() => statements.map(run))),
      read: withFileErrors(options, ({ sql, parameters }) => rowsOf(prepare(sql), parameters)),
      call: withFileErrors(options, ({ name, input }) => call(name, input)),
    },
    close() {
      prepared.clear();
      database.close();
    },
  };
});
