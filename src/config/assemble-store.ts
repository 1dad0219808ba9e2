import type { RedisServersConfig, RedisStoreConfig, RedisTlsConfig, StoreConfig } from './config.ts';
import type { Findings } from './findings.ts';
import { isKeyOf, redisUrlParts } from './redis.ts';
import type { Parsed } from './schema.ts';
import { formatSize } from './units.ts';

type ParsedStore = Parsed['store'];

const serversKeys = ['url', 'sentinel', 'cluster'] as const;

/** Makes the configuration of the store, and finds what is wrong between its keys. */
export function assembleStore(stated: ParsedStore, findings: Findings): StoreConfig {
  if (stated.driver === 'sqlite') {
    reportRedisKeys(findings);
    return { driver: 'sqlite' };
  }
  const servers = serversOf(stated, findings);
  checkCredentials(stated, findings);
  checkTls(stated, findings);
  checkOutbox(stated, findings);
  // Without servers there is a problem, so that nobody sees what is answered here.
  if (servers === undefined) return { driver: 'sqlite' };
  const { driver, username, password, tls, minReplicas, allowEviction, besideWave } = stated;
  return {
    driver,
    servers,
    ...credentialsOf({ username, password }),
    ...(tls && { tls: tlsOf(tls) }),
    outboxKeepMs: stated.outboxKeep,
    outboxKeepBytes: stated.outboxKeepBytes,
    outboxMaxBytes: stated.outboxMax,
    minReplicas,
    allowEviction,
    besideWave,
  };
}

function reportRedisKeys(findings: Findings): void {
  // With a driver that there is not, nobody knows which keys belong to it.
  if (!findings.isSound(['store', 'driver'])) return;
  const came = findings.isStated(['store', 'driver']) ? 'it is "sqlite"' : 'it is missing, which means "sqlite"';
  for (const key of findings.namesOf(['store'])) {
    if (key === 'driver') continue;
    findings.reportKey(['store', key], `expected store.driver "redis", which alone has this key, but ${came}`);
  }
}

function serversOf(stated: ParsedStore, findings: Findings): RedisServersConfig | undefined {
  const [first, ...more] = serversKeys.filter((key) => findings.isStated(['store', key]));
  if (first === undefined) {
    findings.reportKey(
      ['store'],
      'expected url, urlFile, sentinel or cluster with driver "redis", but all are missing',
    );
  }
  for (const key of more) {
    findings.reportKey(['store', key], `expected one of url, sentinel and cluster, but came ${first} and ${key}`);
  }
  const { url, sentinel, cluster } = stated;
  if (url !== undefined) return { mode: 'standalone', url };
  if (cluster !== undefined) return { mode: 'cluster', nodes: cluster };
  if (sentinel === undefined) return undefined;
  const { name, addresses, username, password } = sentinel;
  return { mode: 'sentinel', name, sentinels: addresses, ...credentialsOf({ username, password }) };
}

type Credentials = Pick<RedisStoreConfig, 'username' | 'password'>;

function credentialsOf({ username, password }: { [K in keyof Credentials]: Credentials[K] | undefined }): Credentials {
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

/** A user without a password cannot log in; Redis takes a password without a user. */
function checkCredentials({ url, username, sentinel }: ParsedStore, findings: Findings): void {
  const missing = 'expected password or passwordFile beside username, but both are missing';
  const parts = url && redisUrlParts(url.reveal());
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

function checkTls({ url, tls }: ParsedStore, findings: Findings): void {
  if (tls === undefined) return;
  const scheme = url && redisUrlParts(url.reveal())?.scheme;
  if (scheme !== undefined && scheme !== 'rediss') {
    findings.reportKey(
      ['store', 'tls'],
      `expected a url that begins with "rediss://" beside tls, but it begins with "${scheme}://"`,
    );
  }
  for (const [key, other] of [['cert', 'key'] as const, ['key', 'cert'] as const]) {
    if (!findings.isStated(['store', 'tls', key]) || findings.isStated(['store', 'tls', other])) continue;
    findings.reportKey(['store', 'tls', key], `expected ${other} or ${other}File beside ${key}, but both are missing`);
  }
  if (tls.cert !== undefined && tls.key !== undefined && !isKeyOf(tls.key.reveal(), tls.cert.reveal())) {
    findings.report(
      ['store', 'tls', 'key'],
      'expected the private key of cert, but came another one (not shown, since it is a secret)',
    );
  }
}

function tlsOf({ ca, cert, key, servername }: NonNullable<ParsedStore['tls']>): RedisTlsConfig {
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(servername !== undefined && { servername }),
  };
}

/** Batches that are delivered and kept take up the same room as those to come: there must be some left for these. */
function checkOutbox({ outboxKeepBytes, outboxMax }: ParsedStore, findings: Findings): void {
  const keep = ['store', 'outboxKeepBytes'];
  const max = ['store', 'outboxMax'];
  if (outboxMax > outboxKeepBytes || !findings.isSound(keep) || !findings.isSound(max)) return;
  const [keepShown, maxShown] = [
    findings.shown(keep, formatSize(outboxKeepBytes)),
    findings.shown(max, formatSize(outboxMax)),
  ];
  // Said of what is stated; one of the two is, since their defaults are right.
  if (findings.isStated(max)) {
    findings.report(max, `expected more than the ${keepShown} of store.outboxKeepBytes, but came ${maxShown}`);
  } else {
    findings.report(keep, `expected less than the ${maxShown} of store.outboxMax, but came ${keepShown}`);
  }
}
