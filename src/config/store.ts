import { z } from 'zod';
import { limits } from '../base/index.ts';
import { formatListen } from './address.ts';
import * as pem from './certificates.ts';
import { day, duration, list, map, nonEmpty, parseNonEmpty, secret, size, text, textOf, whole } from './fields.ts';
import type { Findings } from './findings.ts';
import * as redis from './redis.ts';
import { formatDuration, formatSize } from './units.ts';

/** The outbox must have room for some of the largest batches. */
const outboxBytesMin = 1024 * 1024;
/** More than any Redis has, so a larger number is a typing error. */
const replicasMax = 1_000;

const servers = list(textOf(redis.serverForm, redis.parseServer, formatListen), 'address');
const user = nonEmpty('a user name').exactOptional();
const password = secret('a password', parseNonEmpty).exactOptional();
const certificates = secret(pem.certificatesForm, pem.parseCertificates).exactOptional();

const sentinel = map({
  name: nonEmpty('the name of a primary').describe('Name of the primary, as the Sentinels know it.'),
  addresses: servers.describe('Addresses of the Sentinels.'),
  username: user.describe('User name at the Sentinels (ACL).'),
  password: password.describe('Password at the Sentinels.'),
});

const tls = map(
  {
    ca: certificates.describe('Certificate authorities to trust. Default: those of the system.'),
    cert: certificates.describe('Client certificate, followed by its intermediate certificates. Needs key.'),
    key: secret(pem.privateKeyForm, pem.parsePrivateKey).exactOptional().describe('Private key of cert.'),
    servername: text(redis.serverNameForm, redis.parseServerName)
      .exactOptional()
      .describe("Name that the servers' certificates must have. Default: the host to connect to."),
  },
  'true or a map of settings',
);

const redisKeys = {
  url: secret(redis.redisUrlForm, redis.parseRedisUrl)
    .exactOptional()
    .describe('URL of a single Redis or Valkey. The driver redis needs url, sentinel or cluster.'),
  sentinel: sentinel.exactOptional().describe('Sentinels that know which server is the primary.'),
  cluster: servers
    .exactOptional()
    .describe('Nodes of a Redis Cluster to connect to first. They know the addresses of the others.'),
  username: user.describe('User name at the servers (ACL). Overrides the one in url.'),
  password: password.describe('Password at the servers. Overrides the one in url.'),
  tls: tls.exactOptional().meta({
    description:
      'TLS to the servers and to the Sentinels: true, or a map. A url must begin with rediss://, and then needs no tls. Default: off.',
    orTrue: true,
  }),
  outboxKeep: duration(366 * day)
    .prefault(formatDuration(limits.outboxKeepMs))
    .describe('How long the ledger keeps delivered batches, so that it can deliver them again if Redis loses them.'),
  outboxKeepBytes: size()
    .prefault(formatSize(limits.outboxKeepBytes))
    .describe('Size of the delivered batches above which the ledger deletes those that minReplicas replicas have.'),
  outboxMax: size(outboxBytesMin)
    .prefault(formatSize(limits.outboxBytesMax))
    .describe(
      'Size of all batches above which the ledger refuses events until Redis has received some. Larger than outboxKeepBytes.',
    ),
  minReplicas: whole(0, replicasMax, 'replicas')
    .prefault(0)
    .describe('Replicas that must have a batch before the ledger may delete it earlier than after outboxKeep.'),
  allowEviction: z
    .boolean()
    .prefault(false)
    .describe('Whether to deliver to a Redis that evicts data when its memory is full.'),
  besideWave: z
    .boolean()
    .prefault(false)
    .describe('Whether a Wave still writes to the same hash. The ledger then looks for new names at intervals.'),
};

const drivers = ['sqlite', 'redis'] as const;
const driver = z
  .enum(drivers)
  .prefault('sqlite')
  .describe('Where the totals are: in a file of the data directory, or in a Redis. Only redis has the other keys.');

/** One map for all drivers, so that errors can say which driver a key needs. */
export const store = map({ driver, ...redisKeys })
  .prefault({})
  .describe('The store of totals.');

const redisStore = map({ driver: z.literal('redis'), ...redisKeys });

export const completeStore = z.union([map({ driver: z.literal('sqlite') }), redisStore]);

type Stated = z.output<typeof store>;
export type StoreConfig = z.output<typeof completeStore>;
export type RedisStoreConfig = z.output<typeof redisStore>;

/** Checks the keys of `store` against each other, and leaves out those that the driver does not have. */
export function completeStoreOf(stated: Stated, findings: Findings): StoreConfig {
  if (stated.driver === 'sqlite') {
    reportRedisKeys(findings);
    return { driver: 'sqlite' };
  }
  checkServers(findings);
  checkCredentials(stated, findings);
  checkTls(stated, findings);
  checkOutbox(stated, findings);
  return { ...stated, driver: 'redis' };
}

function reportRedisKeys(findings: Findings): void {
  // An unknown driver could have any key.
  if (!findings.isValid(['store', 'driver'])) return;
  const came = findings.isStated(['store', 'driver']) ? 'it is "sqlite"' : 'it is missing, which means "sqlite"';
  for (const key of findings.namesOf(['store'])) {
    if (key === 'driver') continue;
    findings.reportKey(['store', key], `expected store.driver "redis", because only redis has this key, but ${came}`);
  }
}

function checkServers(findings: Findings): void {
  const keys = ['url', 'sentinel', 'cluster'];
  const [first, ...more] = keys.filter((key) => findings.isStated(['store', key]));
  if (first === undefined) {
    const message = 'expected url, urlFile, sentinel or cluster with driver "redis", but all are missing';
    findings.reportKey(['store'], message);
  }
  for (const key of more) {
    findings.reportKey(['store', key], `expected one of url, sentinel and cluster, but came ${first} and ${key}`);
  }
}

/** A user name needs a password. Redis accepts a password without a user name. */
function checkCredentials({ url, username, sentinel }: Stated, findings: Findings): void {
  const missing = 'expected password or passwordFile with username, but both are missing';
  const parts = url && redis.redisUrlParts(url.reveal());
  if (sentinel?.username !== undefined && !findings.isStated(['store', 'sentinel', 'password'])) {
    findings.report(['store', 'sentinel', 'username'], missing);
  }
  if (findings.isStated(['store', 'password']) || parts?.hasPassword === true) return;
  if (username !== undefined) findings.report(['store', 'username'], missing);
  else if (parts?.hasUser === true) {
    findings.report(
      ['store', 'url'],
      'expected a password for the user of the URL, in it or as password or passwordFile, but it is missing',
    );
  }
}

function checkTls({ url, tls }: Stated, findings: Findings): void {
  if (tls === undefined) return;
  const scheme = url && redis.redisUrlParts(url.reveal())?.scheme;
  if (scheme !== undefined && scheme !== 'rediss') {
    findings.reportKey(
      ['store', 'tls'],
      `expected a url that begins with "rediss://" with tls, but it begins with "${scheme}://"`,
    );
  }
  for (const [key, other] of [['cert', 'key'] as const, ['key', 'cert'] as const]) {
    if (!findings.isStated(['store', 'tls', key]) || findings.isStated(['store', 'tls', other])) continue;
    findings.reportKey(['store', 'tls', key], `expected ${other} or ${other}File with ${key}, but both are missing`);
  }
  if (tls.cert !== undefined && tls.key !== undefined && !pem.isKeyOf(tls.key.reveal(), tls.cert.reveal())) {
    findings.report(['store', 'tls', 'key'], pem.otherKey);
  }
}

/** Kept batches and new ones share `outboxMax`, so the kept ones must leave room. */
function checkOutbox({ outboxKeepBytes, outboxMax }: Stated, findings: Findings): void {
  const keep = ['store', 'outboxKeepBytes'];
  const max = ['store', 'outboxMax'];
  if (outboxMax > outboxKeepBytes || !findings.isValid(keep) || !findings.isValid(max)) return;
  const [keepShown, maxShown] = [
    findings.shown(keep, formatSize(outboxKeepBytes)),
    findings.shown(max, formatSize(outboxMax)),
  ];
  // The defaults are right together, so at least one of the two is stated.
  if (findings.isStated(max)) {
    findings.report(max, `expected more than the ${keepShown} of store.outboxKeepBytes, but came ${maxShown}`);
  } else {
    findings.report(keep, `expected less than the ${maxShown} of store.outboxMax, but came ${keepShown}`);
  }
}
