import { limits } from '../../../base/index.ts';
import {
  fields,
  formatDuration,
  sourceDriver,
  type KeysOf,
  type PartFindings,
  type SourceConfig,
} from '../../../config/index.ts';
import { MetricsCheck } from '../../declared/check-metrics.ts';
import { familiesOf } from '../../declared/metric.ts';
import { metricKeys, reportMetrics } from '../../declared/options.ts';
import { dsnForm, parseDsn } from './dsn.ts';

const nameForm = 'the name of a query (1 to 63 letters, digits, "_", "." and "-")';

const parseName = (stated: string) => (/^[A-Za-z0-9_.-]{1,63}$/.test(stated) ? stated : undefined);

const column = () => fields.nonEmpty('the name of a column');

const query = fields.map({
  name: fields.text(nameForm, parseName).describe('Name of the query, which no other query of the source has.'),
  sql: fields.nonEmpty('a statement that only reads').describe('One statement that returns rows, such as a select.'),
  interval: fields
    .duration(fields.day, 1_000)
    .exactOptional()
    .describe(
      'Time from the start of one run of this query to the start of the next. It is then a source of its own, named SOURCE:QUERY. Default: the query runs with the source.',
    ),
  timeout: fields
    .duration(fields.hour, 100)
    .prefault('5s')
    .describe(
      'How long the query may take. Less than the deadline of the source or, if the query has an interval, less than that. Default: 5s, or half of that limit if it is shorter.',
    ),
  rowsMax: fields
    .whole(1, limits.sourceRowsMax, 'rows')
    .prefault(limits.sourceRowsDefault)
    .describe('How many rows the query may return. With more, the read fails.'),
  timestamp: column()
    .exactOptional()
    .describe(
      'Column with the time of the data, in Unix seconds. The newest one counts. Default: the time is unknown.',
    ),
  metrics: fields.list(fields.map(metricKeys(column, 'column', {})), 'metric').describe('Metrics that the rows give.'),
});

const keys = {
  dsn: fields
    .secret(dsnForm, parseDsn)
    .describe('URL of a PostgreSQL, MariaDB, MySQL or SQLite database. State dsn or dsnFile.'),
  queries: fields.list(query, 'query').describe('Queries that are run, and the metrics that their rows give.'),
};

/** The keys of a source of the driver `sql`. Durations are in milliseconds. */
export type SqlOptions = KeysOf<typeof keys>;
export type SqlQuery = SqlOptions['queries'][number];

type Source = SourceConfig & SqlOptions;

function complete(source: Source, findings: PartFindings): Source {
  const { queries } = source;
  if (queries.length > limits.sourceQueriesMax) {
    findings.report(['queries'], `expected at most ${limits.sourceQueriesMax} queries, but came ${queries.length}`);
  }
  const check = new MetricsCheck();
  const names = queries.map(({ name }) => name);
  const completed = queries.map((each, index) => {
    const path = ['queries', index];
    if (names.indexOf(each.name) < index) {
      const came = findings.shown([...path, 'name'], each.name);
      findings.report([...path, 'name'], `expected a name that no other query has, but ${came} came before`);
    }
    reportMetrics(each.metrics, [...path, 'metrics'], check, findings);
    return { ...each, timeout: timeoutOf(each, path, source, findings) };
  });
  return { ...source, queries: completed };
}

/** The timeout of a query. The default becomes half of its limit if it is too long; a stated one is a problem. */
function timeoutOf(
  { timeout, interval }: SqlQuery,
  path: readonly (string | number)[],
  source: Source,
  findings: PartFindings,
): number {
  const [what, limitMs] = interval === undefined ? ['deadline', source.deadline] : ['interval', interval];
  if (timeout < limitMs) return timeout;
  const own = [...path, 'timeout'];
  if (findings.isStated(own)) {
    const came = findings.shown(own, formatDuration(timeout));
    findings.report(own, `expected less than the ${formatDuration(limitMs)} of ${what}, but came ${came}`);
  }
  return Math.floor(limitMs / 2);
}

export const sqlOptions = sourceDriver({
  keys,
  interval: '1m',
  families: ({ queries }) => familiesOf(queries.flatMap(({ metrics }) => metrics)),
  complete,
});
