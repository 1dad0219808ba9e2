import { Turns } from '../../base/index.ts';
import type { Collector, CreateSources, ScheduledSource, SourceParts } from '../contract.ts';
import { noteOmitted } from '../declared/note-omitted.ts';
import { SourceError } from '../source-error.ts';
import { kindOf } from './sql/dsn.ts';
import type { Engine } from './sql/engine.ts';
import type { SqlOptions, SqlQuery } from './sql/options.ts';
import { readRows, type QueryReading } from './sql/query-reading.ts';

/** The library of a database is loaded with the first read. */
const engines = {
  postgres: () => import('./sql/postgres.ts'),
  mysql: () => import('./sql/mysql.ts'),
  sqlite: () => import('./sql/sqlite.ts'),
};

/**
 * The sources of one database: one of the queries without an interval, and one of each query that has its own,
 * `NAME:QUERY`. They take turns on one connection.
 */
export const createSources: CreateSources<SqlOptions> = (settings, parts) => {
  const { name, driver, labels, keepFor, queries } = settings;
  const engine = lazily(settings.dsn);
  const own = queries.flatMap((query) => (query.interval === undefined ? [] : [{ query, interval: query.interval }]));
  const common = queries.filter(({ interval }) => interval === undefined);
  const source = {
    driver,
    labels,
    turns: new Turns({ runningMax: 1, waitingMax: own.length }),
    ...(keepFor !== undefined && { keepMs: keepFor }),
  };
  const base: ScheduledSource = {
    ...source,
    name,
    intervalMs: settings.interval,
    deadlineMs: settings.deadline,
    collector: collector(engine, common, parts),
  };
  const others = own.map(({ query, interval }): ScheduledSource => ({
    ...source,
    name: `${name}:${query.name}`,
    intervalMs: interval,
    deadlineMs: query.timeout + settings.deadline,
    collector: collector(engine, [query], parts),
  }));
  return common.length === 0 ? others : [base, ...others];
};

/** The engine of a database, whose module is loaded with the first read. */
function lazily(dsn: SqlOptions['dsn']): Engine {
  let loading: Promise<Engine> | undefined;
  let isClosed = false;
  const load = async () => (await engines[kindOf(dsn.reveal())]()).createEngine(dsn);
  return {
    async read(queries, signal) {
      if (isClosed) throw new SourceError('failed', 'the source was closed');
      return (await (loading ??= load())).read(queries, signal);
    },
    async close() {
      isClosed = true;
      await (await loading)?.close();
    },
  };
}

/** Runs queries in one transaction and turns their rows into families. */
function collector(engine: Engine, queries: readonly SqlQuery[], { clock, log }: SourceParts): Collector {
  const engineQueries = queries.map(({ name, sql, timeout, rowsMax }) => ({ name, sql, timeoutMs: timeout, rowsMax }));
  const note = noteOmitted(log);
  return {
    async collect(signal) {
      const results = await engine.read(engineQueries, signal);
      const readings: QueryReading[] = [];
      for (const [index, query] of queries.entries()) {
        readings.push(await readRows(query, results[index] ?? { columns: [], rows: [] }, clock));
      }
      note(new Map(readings.flatMap(({ omitted }) => [...omitted])));
      const times = readings.map(({ timestamp }) => timestamp).filter((time) => time !== undefined);
      const families = readings.flatMap((reading) => reading.families);
      return times.length === 0 ? families : { families, dataTimestamp: Math.min(...times) };
    },
    close: () => engine.close(),
  };
}
