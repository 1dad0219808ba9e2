import { fork, type ChildProcess } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { codeOf } from '../../../base/index.ts';
import { SourceError } from '../../source-error.ts';
import { sqlitePath } from './dsn.ts';
import type { Engine, EngineQuery, Rows } from './engine.ts';
import type { SqliteReply, SqliteRequest } from './sqlite-process.ts';
import { subqueryOf } from './subquery.ts';

/**
 * Reads a SQLite file in a process of its own for each read, because SQLite cannot interrupt a statement: only the end
 * of the process ends a query that never returns. It also bounds the memory that a query can take.
 */
export function createEngine(dsn: { reveal(): string }): Engine {
  const running = new Set<Reading>();
  let isClosed = false;
  return {
    async read(queries, signal) {
      const file = sqlitePath(dsn.reveal()) ?? '';
      await checkReadable(file);
      signal.throwIfAborted();
      if (isClosed) throw new SourceError('failed', 'the source was closed');
      const reading = new Reading();
      running.add(reading);
      const abort = () => void reading.kill();
      signal.addEventListener('abort', abort);
      try {
        const reply = await reading.answer({
          file,
          program: moduleUrl('sqlite-program').href,
          queries: queries.map(request),
        });
        return resultsOf(reply);
      } finally {
        signal.removeEventListener('abort', abort);
        await reading.kill();
        running.delete(reading);
      }
    },
    async close() {
      isClosed = true;
      await Promise.all([...running].map((reading) => reading.kill()));
    },
  };
}

async function checkReadable(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (thrown) {
    const isDenied = codeOf(thrown) === 'EACCES';
    throw isDenied
      ? new SourceError('denied', 'expected a database file that this user may read')
      : new SourceError('unreachable', `expected an existing database file, got ${codeOf(thrown) ?? 'an error'}`);
  }
}

const request = ({ name, sql, timeoutMs, rowsMax }: EngineQuery) => ({
  name,
  sql: subqueryOf(sql, rowsMax),
  timeoutMs,
});

/** Megabytes of the heap of the process. */
const heapMegabytesMax = 512;

/** One process and its answer. */
class Reading {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor() {
    // It gets neither the environment, which may contain secrets, nor the options of this process.
    this.#child = fork(moduleUrl('sqlite-process'), [], {
      env: {},
      execArgv: [`--max-old-space-size=${heapMegabytesMax}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  async answer(sent: SqliteRequest): Promise<SqliteReply> {
    const answered = new Promise<SqliteReply>((resolve) => this.#child.once('message', resolve));
    // The process may have ended already.
    this.#child.send(sent, () => undefined);
    const ended = this.#ended.then(() => {
      throw new SourceError('failed', 'the process that reads the database ended without an answer');
    });
    return Promise.race([answered, ended]);
  }

  /** Ends the process. Does nothing if it has ended. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

function moduleUrl(name: string): URL {
  const { url } = import.meta;
  return new URL(`./${name}${url.slice(url.lastIndexOf('.'))}`, url);
}

function resultsOf(reply: SqliteReply): readonly Rows[] {
  if ('results' in reply) return reply.results;
  const { query, code, message } = reply.failure;
  const subject = query === undefined ? 'the database' : `query ${JSON.stringify(query)}`;
  if (code === 'query_deadline') throw new SourceError('timeout', `${subject} took longer than its timeout`);
  if (code === 'query_too_large') throw new SourceError('invalid', `${subject}: ${message}`);
  // These messages name the file, which is the DSN.
  if (code === 'data_invalid')
    throw new SourceError('invalid', 'expected a SQLite database, got a file that is none or damaged');
  if (/database is locked|database table is locked/.test(message)) {
    throw new SourceError('timeout', 'another process locks the database');
  }
  if (message.includes('readonly')) throw new SourceError('denied', `${subject}: expected a statement that only reads`);
  throw query === undefined
    ? new SourceError('failed', 'the database cannot be read')
    : new SourceError('invalid', `${subject}: ${message}`);
}
