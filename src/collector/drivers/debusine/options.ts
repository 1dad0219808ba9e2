import { z } from 'zod';
import {
  fields,
  formatDuration,
  sourceDriver,
  type KeysOf,
  type PartFindings,
  type SourceConfig,
} from '../../../config/index.ts';
import { parsePostgresDsn, postgresDsnForm } from '../../postgres/dsn.ts';
import { baseFamilies } from './families.ts';
import { optionalFamilies } from './optional-families.ts';

const pathForm = 'one segment of a path (1 to 63 letters, digits, "_", "." and "-"; not "." or "..")';

function parsePath(stated: string): string | undefined {
  return /^[A-Za-z0-9_.-]{1,63}$/.test(stated) && !/^\.\.?$/.test(stated) ? stated : undefined;
}

/** A family that is off by default, because its query may be slow. It has a schedule of its own. */
function optionalFamily(what: string) {
  return fields
    .map(
      {
        interval: fields
          .duration(fields.day, 1_000)
          .prefault('5m')
          .describe('Time from the start of one read of this family to the start of the next.'),
        timeout: fields
          .duration(fields.hour, 100)
          .prefault('20s')
          .describe(
            'How long its query may take. The other families of the source wait meanwhile, so it must be shorter than their interval and its own. Default: 20s, or half of the shorter interval if that is less.',
          ),
      },
      'true or a map of settings',
    )
    .exactOptional()
    .meta({ description: `${what} true: with these defaults. Default: off.`, orTrue: true });
}

const keys = {
  dsn: fields
    .secret(postgresDsnForm, parsePostgresDsn)
    .describe('URL of the PostgreSQL database. State dsn or dsnFile.'),
  path: fields
    .text(pathForm, parsePath)
    .exactOptional()
    .describe(
      'Segment below /api/1.0/open-metrics/ at which the page is. Default: none; the page is /api/1.0/open-metrics/ itself.',
    ),
  access: z
    .enum(['public', 'required'])
    .prefault('public')
    .describe('Whether the page is public, or requires credentials with the right query.'),
  zeroFill: z
    .enum(['full', 'bounded', 'none'])
    .prefault('bounded')
    .describe(
      'Which series with the value 0 the page has. full: all that Debusine has. bounded: without those of external workers, whose number doubles with each architecture.',
    ),
  labelRules: z
    .enum(['real', 'document'])
    .prefault('real')
    .describe('Labels as Debusine writes them, or only under the conditions of its documentation.'),
  activityType: z
    .enum(['histogram', 'gaugehistogram'])
    .prefault('histogram')
    .describe('Type of user_activity and user_identities_activity. Their values can fall, as in a gauge histogram.'),
  signonProviders: fields
    .list(fields.nonEmpty('the name of a provider'))
    .prefault([])
    .describe('Names of the single sign-on providers of the Debusine server. They are not in its database.'),
  statementTimeout: fields
    .duration(fields.hour, 10)
    .prefault('5s')
    .describe(
      'How long one query may take. Less than the deadline. Default: 5s, or half of the deadline if that is less.',
    ),
  families: fields
    .map({
      artifact_file_size: optionalFamily('Bytes of all files of artifacts, by category and scope.'),
      artifact_file_counts: optionalFamily('Histogram of files per artifact.'),
      artifact_file_sizes: optionalFamily('Histogram of the sizes of files of artifacts.'),
      collection_sizes: optionalFamily('Histogram of items per collection.'),
      tokens_last_seen: optionalFamily('Histogram of the time since tokens were last seen.'),
      task_execution_times: optionalFamily('Histogram of the execution times of work requests.'),
    })
    .prefault({})
    .describe('Families that Debusine does not have. Each is read on its own schedule.'),
};

/** The keys of a source of the driver `debusine`. Durations are in milliseconds. */
export type DebusineOptions = KeysOf<typeof keys>;

type Source = SourceConfig & DebusineOptions;

function familiesOf({ labelRules, families }: Source) {
  const chosen = optionalFamilies.filter(({ name }) => families[name] !== undefined);
  return [...baseFamilies, ...chosen].map(({ name, labels }) => ({ name, labels: labels(labelRules) }));
}

/** Checks the limits of queries against the intervals, and shortens those that hold their default. */
function complete(source: Source, findings: PartFindings): Source {
  const { deadline, interval } = source;
  const statementTimeout = shorter(['statementTimeout'], source.statementTimeout, ['deadline', deadline], findings);
  const timeouts = Object.entries(source.families).map(([name, family]): [string, typeof family] => {
    const least = Math.min(interval, family.interval);
    const of = least === interval ? 'interval of the source' : 'interval of the family';
    const timeout = shorter(['families', name, 'timeout'], family.timeout, [of, least], findings);
    return [name, { ...family, timeout }];
  });
  return { ...source, statementTimeout, families: Object.fromEntries(timeouts) };
}

/** A duration that is less than another one. The default becomes half of that if it is too long; a stated one is a problem. */
function shorter(
  path: readonly string[],
  ms: number,
  [what, limitMs]: readonly [string, number],
  findings: PartFindings,
): number {
  if (ms < limitMs) return ms;
  if (findings.isStated(path)) {
    const came = findings.shown(path, formatDuration(ms));
    findings.report(path, `expected less than the ${formatDuration(limitMs)} of the ${what}, but came ${came}`);
  }
  return Math.floor(limitMs / 2);
}

export const debusineOptions = sourceDriver({
  keys,
  interval: '30s',
  families: familiesOf,
  complete,
  page: {
    of: ({ path }) => (path === undefined ? '/api/1.0/open-metrics/' : `/api/1.0/open-metrics/${path}/`),
    access: ({ access }) => access,
    key: 'path',
    // The types, help texts and labels of one family must be the same.
    shared: ['access', 'activityType', 'labelRules'],
  },
});
