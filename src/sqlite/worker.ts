import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { assert, messageOf, TonnageError } from '../base/index.ts';
import type { SqlValue, Statement } from './contract.ts';
import { openFile } from './open-file.ts';
import { openedId, type Reply, type Request, type WorkerOptions } from './protocol.ts';

/** Prepared statements kept; the texts are ours and few, so reaching this only costs preparing them again. */
const preparedStatementsMax = 256;

assert(parentPort, 'sqlite/worker.ts runs as a worker thread only');
const port = parentPort;
const prepared = new Map<string, StatementSync>();
let database: DatabaseSync;

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

function transact(statements: readonly Statement[]): readonly number[] {
  database.exec('begin immediate');
  try {
    const changes = statements.map(run);
    database.exec('commit');
    return changes;
  } catch (error) {
    // A failed commit (a full disk) may have rolled back by itself already.
    if (database.isTransaction) database.exec('rollback');
    throw error;
  }
}

function read(sql: string, parameters: readonly SqlValue[]): readonly (readonly SqlValue[])[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- setReturnArrays(true) makes arrays of rows, which the types of node:sqlite cannot express
  return prepare(sql).all(...parameters.map(bindable)) as unknown as readonly (readonly SqlValue[])[];
}

function answer(request: Request): Reply {
  switch (request.kind) {
    case 'transact':
      return { id: request.id, changes: transact(request.statements) };
    case 'read':
      return { id: request.id, rows: read(request.sql, request.parameters) };
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

port.on('message', (request: Request) => {
  try {
    port.postMessage(answer(request));
  } catch (error) {
    port.postMessage(failure(request.id, error));
  }
  if (request.kind === 'close') port.close();
});

try {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only sqlite/lane.ts starts this file, with these options
  database = openFile(workerData as WorkerOptions);
  port.postMessage({ id: openedId, done: true } satisfies Reply);
} catch (error) {
  port.postMessage(failure(openedId, error));
  port.close();
}
