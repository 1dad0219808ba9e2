import { organisationOfEmail } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import type { KnownValues, LedgerOptions } from '../ledger/index.ts';
import { dayQuantityMax, meterSet, type MeterSet } from '../usage/index.ts';
import { isLoopbackListener } from './loopback-listener.ts';

/** All meters, with the largest quantities that the configuration allows. */
export function metersOf({ usage }: Config): MeterSet {
  return meterSet(usage.meters, usage.quantityMax);
}

type Settings = Omit<LedgerOptions, 'store' | 'clock' | 'log' | 'metrics' | 'outboxKeepMs' | 'outboxKeepBytes'>;

/** The settings of the ledger. */
export function ledgerSettings(config: Config): Settings {
  const { usage, metrics } = config;
  const { byName } = metersOf(config);
  return {
    dayMaxOf: (name) => {
      const meter = byName.get(name);
      return meter ? dayQuantityMax(meter) : Infinity;
    },
    dimensions: usage.dimensions,
    known: knownValues(config),
    plain: usage.plain,
    durability: usage.durability,
    commitWaitMs: usage.commitWait,
    dedupeDays: usage.dedupeDays,
    detailDays: usage.detailDays,
    ...(usage.hashKey && { pseudonymKey: Buffer.from(usage.hashKey.reveal()) }),
    orgLabels: organisationsFor(metrics) !== 'none',
  };
}

/** Upstreams and organisations that the configuration names. */
function knownValues({ upstreams, users, identity, ingest }: Config): KnownValues {
  const adapters = [ingest.distribution, ingest.harbor, ingest.zot];
  return {
    upstream: [
      ...upstreams.flatMap(({ name, aliases }) => [name, ...aliases]),
      ...adapters.flatMap(({ upstream }) => upstream ?? []),
    ],
    org: [
      ...users.flatMap(({ org, email }) => org ?? (email === undefined ? [] : (organisationOfEmail(email) ?? []))),
      ...identity.addresses.map(({ org }) => org),
      ...adapters.flatMap(({ orgs }) => Object.values(orgs)),
    ],
  };
}

/** Which scrapers may read the names of organisations on `/metrics`. The names are a list of customers. */
export function organisationsFor(metrics: Config['metrics']): 'all' | 'here' | 'none' {
  if (metrics === false) return 'none';
  if (metrics.orgs !== undefined) return metrics.orgs ? 'all' : 'none';
  return isLoopbackListener(metrics.listen) ? 'here' : 'none';
}
