import { resolve } from 'node:path';
import { formatListen, overlap, type ListenAddress } from './address.ts';
import { assembleIdentity, isAnybodyKnown } from './assemble-identity.ts';
import { assembleIngest } from './assemble-ingest.ts';
import { assembleStore } from './assemble-store.ts';
import type {
  Config,
  GatewayConfig,
  MeterConfig,
  UpstreamAuthConfig,
  UpstreamConfig,
  UsageConfig,
  UserConfig,
} from './config.ts';
import { Findings } from './findings.ts';
import { quote, type ConfigProblem } from './problems.ts';
import type { Parsed } from './schema.ts';
import { nearest } from './suggest.ts';
import { originAt, type Tree } from './tree.ts';
import { aliasesOfUpstream, urlOfUpstream } from './upstreams.ts';

type ParsedUpstream = Parsed['upstreams'][string];
type ParsedUser = Parsed['users'][string];

export interface AssembleOptions {
  /** All layers merged: says where each value of `parsed` stands. */
  readonly tree: Tree;
  /** Problems of single values, which `parsed` does without. */
  readonly known: readonly ConfigProblem[];
  /** Replace the host and port of the main listener's address. */
  readonly host?: string;
  readonly port?: number;
  /** Directory that a relative `data` of the configuration file is relative to. */
  readonly fileDirectory: string;
  /** Directory that a relative `data` from anywhere else is relative to. */
  readonly workingDirectory: string;
}

/** Makes the configuration of values that are each valid, and finds what is wrong between them. */
export function assemble(
  parsed: Parsed,
  options: AssembleOptions,
): { config: Config; problems: readonly ConfigProblem[] } {
  const findings = new Findings(options.tree, options.known);
  const assembly = new Assembly(findings);
  const upstreams = assembly.upstreams(parsed.upstreams);
  const users = Object.entries(parsed.users).flatMap(([name, user]) => assembly.user(name, user));
  const gateway = assembly.gateway(parsed, upstreams);
  const listen = { host: options.host ?? parsed.listen.host, port: options.port ?? parsed.listen.port };
  const metrics = assembly.metrics(parsed.metrics, listen);
  const dataOrigin = originAt(options.tree, ['data']);
  const config: Config = {
    listen,
    ...(metrics && { metrics }),
    data: resolve(dataOrigin.kind === 'file' ? options.fileDirectory : options.workingDirectory, parsed.data),
    ...(parsed.publicUrl !== undefined && { publicUrl: parsed.publicUrl }),
    timeZone: parsed.timeZone,
    upstreams,
    gateway,
    store: assembleStore(parsed.store, findings),
    usage: assembly.usage(parsed.usage, parsed.store.driver),
    ingest: assembleIngest(parsed.ingest),
    users,
    identity: assembleIdentity(parsed.identity, findings),
    trustedProxies: parsed.trustedProxies,
    log: parsed.log,
    shutdownTimeoutMs: parsed.shutdownTimeout,
  };
  return { config: freezeDeep(config), problems: findings.problems };
}

class Assembly {
  readonly #findings: Findings;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  upstreams(stated: Parsed['upstreams']): readonly UpstreamConfig[] {
    const upstreams = Object.entries(stated).flatMap(([name, upstream]) => this.#upstream(name, upstream));
    const owners = new Map(upstreams.map((upstream) => [upstream.name, upstream.name]));
    for (const upstream of upstreams) {
      for (const [index, alias] of upstream.aliases.entries()) {
        const owner = owners.get(alias);
        if (owner === undefined) owners.set(alias, upstream.name);
        else {
          const path = ['upstreams', upstream.name, 'aliases', index];
          this.#findings.report(
            path,
            `expected a name that no other upstream has, but ${this.#findings.shown(path, alias)} also names ${quote(owner)}`,
          );
        }
      }
    }
    return upstreams;
  }

  #upstream(name: string, stated: ParsedUpstream): UpstreamConfig[] {
    const url = urlOfUpstream(name, stated.url);
    const auth = this.#auth(name, stated.auth, url);
    if (url === undefined) {
      this.#findings.reportKey(['upstreams', name], 'expected a url, since this name is no host, but it is missing');
      return [];
    }
    const aliases = aliasesOfUpstream(name, stated.aliases);
    const { tagTtl: tagTtlMs, redirects, proxy } = stated;
    return [{ name, url, aliases, tagTtlMs, ...(auth && { auth }), redirects, ...(proxy !== undefined && { proxy }) }];
  }

  #auth(name: string, stated: ParsedUpstream['auth'], url: string | undefined): UpstreamAuthConfig | undefined {
    if (stated === undefined) return undefined;
    const { basic, realm } = stated;
    if (realm?.startsWith('http:') === true && url?.startsWith('https:') === true) {
      const path = ['upstreams', name, 'auth', 'realm'];
      const came = this.#findings.shown(path, realm);
      this.#findings.report(path, `expected a URL of https, as that of the upstream is, but came ${came}`);
    }
    const { username, password } = basic;
    if (password !== undefined) return { basic: { username, password }, ...(realm !== undefined && { realm }) };
    this.#findings.reportKey(
      ['upstreams', name, 'auth', 'basic'],
      'expected password or passwordFile, but both are missing',
    );
    return undefined;
  }

  user(name: string, stated: ParsedUser): UserConfig[] {
    const { passwordHash, email, org, rights } = stated;
    if (passwordHash === undefined) {
      this.#findings.reportKey(['users', name], 'expected passwordHash or passwordHashFile, but both are missing');
      return [];
    }
    return [{ name, passwordHash, rights, ...(email !== undefined && { email }), ...(org !== undefined && { org }) }];
  }

  gateway({ gateway: stated, identity }: Parsed, upstreams: readonly UpstreamConfig[]): GatewayConfig {
    const wanted = stated.defaultUpstream ?? 'docker.io';
    const found = upstreams.find((upstream) => upstream.name === wanted || upstream.aliases.includes(wanted));
    if (
      stated.defaultUpstream !== undefined &&
      found === undefined &&
      !this.#findings.namesOf(['upstreams']).includes(wanted)
    ) {
      const meant = nearest(
        wanted,
        upstreams.map((upstream) => upstream.name),
      );
      const hint = meant === undefined ? '' : `; did you mean ${quote(meant)}?`;
      this.#findings.report(
        ['gateway', 'defaultUpstream'],
        `expected one of upstreams, but came ${this.#findings.shown(['gateway', 'defaultUpstream'], wanted)}${hint}`,
      );
    }
    if (stated.anonymous === false && !isAnybodyKnown(identity, this.#findings)) {
      this.#findings.report(
        ['gateway', 'anonymous'],
        'expected users or something under identity, without which nobody could pull, but there is none',
      );
    }
    return {
      ...(found && { defaultUpstream: found.name }),
      anonymous: stated.anonymous,
      factsWaitMs: stated.factsWait,
      tagMemoryMs: stated.tagMemory,
      readerSilenceMs: stated.readerSilence,
      fusionEntrypoint: stated.fusionEntrypoint,
    };
  }

  metrics(stated: Parsed['metrics'], main: ListenAddress): Config['metrics'] {
    if (stated === undefined || stated.listen === false) return undefined;
    if (stated.listen === undefined) {
      this.#findings.reportKey(['metrics'], 'expected listen, an address or false, but it is missing');
      return undefined;
    }
    const { listen, orgs, compat } = stated;
    if (this.#findings.isSound(['listen']) && overlap(main, listen)) {
      const path = ['metrics', 'listen'];
      const came = this.#findings.shown(path, formatListen(listen));
      this.#findings.report(path, `expected another port than that of the main listener (listen), but came ${came}`);
    }
    return { listen, ...(orgs !== undefined && { orgs }), ...(compat !== undefined && { compat }) };
  }

  usage(stated: Parsed['usage'], driver: Parsed['store']['driver']): UsageConfig {
    const { dedupeDays, detailDays, dedupe, hashKey } = stated;
    this.#checkDays(stated);
    this.#checkPlain(stated);
    if (dedupe === 'shared' && driver !== 'redis' && this.#findings.isSound(['store', 'driver'])) {
      const came = this.#findings.shown(['usage', 'dedupe'], dedupe);
      this.#findings.report(
        ['usage', 'dedupe'],
        `expected "instance" where store.driver is not "redis", but came ${came}`,
      );
    }
    return {
      dimensions: stated.dimensions,
      plain: stated.plain,
      durability: stated.durability,
      commitWaitMs: stated.commitWait,
      dedupeDays,
      heldKeysMax: stated.heldKeysMax,
      detailDays,
      quantityMax: this.#quantityMax(stated),
      dedupe,
      ...(hashKey && { hashKey }),
      meters: this.#meters(stated.meters),
    };
  }

  /** What an event has counted stays in the details for as long as the event can be taken back. */
  #checkDays({ dedupeDays, detailDays }: Parsed['usage']): void {
    const path = ['usage', 'detailDays'];
    if (detailDays >= dedupeDays || !this.#findings.isSound(['usage', 'dedupeDays'])) return;
    const known = this.#findings.shown(['usage', 'dedupeDays'], dedupeDays);
    const came = this.#findings.shown(path, detailDays);
    this.#findings.report(path, `expected at least the ${known} days of usage.dedupeDays, but came ${came}`);
  }

  /** A limit for a unit that no meter has would limit nothing. */
  #quantityMax({ quantityMax, meters }: Parsed['usage']): UsageConfig['quantityMax'] {
    const units = new Set(['1', 'By', 's', ...Object.values(meters).map(({ unit }) => unit)]);
    if (!this.#findings.isSound(['usage', 'meters'])) return quantityMax;
    for (const unit of Object.keys(quantityMax)) {
      if (units.has(unit)) continue;
      const message = `expected the unit of a meter (${[...units].join(', ')}), but came ${quote(unit)}`;
      this.#findings.reportKey(['usage', 'quantityMax', unit], message);
    }
    return quantityMax;
  }

  /** What is not kept at all would be thought to be kept as it is. */
  #checkPlain({ plain, dimensions }: Parsed['usage']): void {
    if (!this.#findings.isSound(['usage', 'dimensions'])) return;
    for (const [index, dimension] of plain.entries()) {
      if (dimensions.includes(dimension)) continue;
      const path = ['usage', 'plain', index];
      const came = this.#findings.shown(path, dimension);
      this.#findings.report(path, `expected one of usage.dimensions (${dimensions.join(', ')}), but came ${came}`);
    }
  }

  #meters(stated: Parsed['usage']['meters']): readonly MeterConfig[] {
    const owners = new Map<string, string>();
    return Object.entries(stated).map(([name, { description, ...meter }]) => {
      const path = ['usage', 'meters', name, 'eventType'];
      const owner = owners.get(meter.eventType);
      if (owner === undefined) owners.set(meter.eventType, name);
      else {
        this.#findings.report(
          path,
          `expected an event type that no other meter has, but ${this.#findings.shown(path, meter.eventType)} is also that of ${quote(owner)}`,
        );
      }
      return { name, ...meter, ...(description !== undefined && { description }) };
    });
  }
}

function freezeDeep<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null && !Object.isFrozen(child)) freezeDeep(child);
  }
  return Object.freeze(value);
}
