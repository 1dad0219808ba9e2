import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { assert, messageOf, TonnageError } from '../base/index.ts';
import type { Program, ProgramFactory, ProgramFile, ProgramStatement, SqlValue, Statement } from './contract.ts';
import { openFile } from './open-file.ts';
import { openedId, type Reply, type Request, type WorkerOptions } from './protocol.ts';

/** Prepared statements kept; the texts are ours and few, so reaching this only costs preparing them again. */
const preparedStatementsMax = 256;

assert(parentPort, 'sqlite/worker.ts runs as a worker thread only');
const port = parentPort;
const prepared = new Map<string, StatementSync>();
let database: DatabaseSync;
let program: Program = {};
/** The writer takes the lock at once; the reader cannot, and needs none. */
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

/** node:sqlite binds every `number` as a REAL; whole ones are integers to us, or sums would turn into floats. */
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
    // A failed commit (a full disk) may have rolled back by itself already.
    if (database.isTransaction) database.exec('rollback');
    throw error;
  }
}

function rowsOf(statement: StatementSync, parameters: readonly SqlValue[]): readonly (readonly SqlValue[])[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- setReturnArrays(true) makes arrays of rows, which the types of node:sqlite cannot express
  return statement.all(...parameters.map(bindable)) as unknown as readonly (readonly SqlValue[])[];
}

/** A program keeps its statements; it has few, and they live as long as the file is open. */
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
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever names the module vouches for its export
  const { createProgram } = (await import(module)) as { readonly createProgram: ProgramFactory };
  const file: ProgramFile = {
    prepare: (sql, prepareOptions = { integers: 'bigint' }) => prepareForProgram(sql, prepareOptions),
    transact,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the options are those that the module's own side gave
  return createProgram(file, options as never);
}

function call(name: string, input: unknown): unknown {
  const work = program[name];
  assert(work, `the program of the database has no function ${name}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the program's own side made the input for it
  return work(input as never);
}

function answer(request: Request): Reply {
  switch (request.kind) {
    case 'transact':
      return { id: request.id, changes: transact(() => request.statements.map(run)) };
    case 'read':
      return { id: request.id, rows: rowsOf(prepare(request.sql), request.parameters) };
    case 'call':
      return { id: request.id, result: call(request.name, request.input) };
    case 'close':
      prepared.clear();
      database.close();
      return { id: request.id, done: true };
  }
}

function failure(id: number, error: unknown): Reply {
  const code = error instanceof TonnageError ? error.code : 'sqlite_failed';
  return { id, error: { code, message: messageOf(error) } };
}

function serve(): void {
  port.on('message', (request: Request) => {
    try {
      port.postMessage(answer(request));
    } catch (error) {
      port.postMessage(failure(request.id, error));
    }
    if (request.kind === 'close') port.close();
  });
}

try {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only sqlite/lane.ts starts this file, with these options
  const options = workerData as WorkerOptions;
  database = openFile(options);
  if (options.mode === 'read') begin = 'begin';
  if (options.program) program = await openProgram(options.program);
  serve();
  port.postMessage({ id: openedId, done: true } satisfies Reply);
} catch (error) {
  port.postMessage(failure(openedId, error));
  port.close();
}
