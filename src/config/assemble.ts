import { resolve } from 'node:path';
import type { Config, GatewayConfig, MeterConfig, UpstreamAuthConfig, UpstreamConfig, UserConfig } from './config.ts';
import { quote, shownOf, type ConfigProblem } from './problems.ts';
import type { Parsed } from './schema.ts';
import { nearest } from './suggest.ts';
import { keyOriginAt, nodeAt, originAt, type Path, type Tree } from './tree.ts';
import { aliasesOfUpstream, urlOfUpstream } from './upstreams.ts';

type ParsedUpstream = Parsed['upstreams'][string];
type ParsedUser = Parsed['users'][string];

export interface AssembleOptions {
  /** All layers merged: says where each value of `parsed` stands. */
  readonly tree: Tree;
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
  const assembly = new Assembly(options.tree);
  const upstreams = assembly.upstreams(parsed.upstreams);
  const users = Object.entries(parsed.users).flatMap(([name, user]) => assembly.user(name, user));
  const gateway = assembly.gateway(parsed.gateway, upstreams);
  const metrics = assembly.metrics(parsed.metrics);
  const dataOrigin = originAt(options.tree, ['data']);
  const config: Config = {
    listen: { host: options.host ?? parsed.listen.host, port: options.port ?? parsed.listen.port },
    ...(metrics && { metrics }),
    data: resolve(dataOrigin.kind === 'file' ? options.fileDirectory : options.workingDirectory, parsed.data),
    ...(parsed.publicUrl !== undefined && { publicUrl: parsed.publicUrl }),
    timeZone: parsed.timeZone,
    upstreams,
    gateway,
    store: parsed.store,
    usage: {
      dimensions: parsed.usage.dimensions,
      plain: parsed.usage.plain,
      durability: parsed.usage.durability,
      commitWaitMs: parsed.usage.commitWait,
      meters: assembly.meters(parsed.usage.meters),
    },
    users,
    log: parsed.log,
    shutdownTimeoutMs: parsed.shutdownTimeout,
  };
  return { config: freezeDeep(config), problems: assembly.problems };
}

class Assembly {
  readonly problems: ConfigProblem[] = [];
  readonly #tree: Tree;

  constructor(tree: Tree) {
    this.#tree = tree;
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
          this.#report(
            path,
            `expected a name that no other upstream has, but ${this.#shown(path, alias)} also names ${quote(owner)}`,
          );
        }
      }
    }
    return upstreams;
  }

  #upstream(name: string, stated: ParsedUpstream): UpstreamConfig[] {
    const url = urlOfUpstream(name, stated.url);
    const auth = this.#auth(name, stated.auth);
    if (url === undefined) {
      this.#reportKey(['upstreams', name], 'expected a url, since this name is no host, but it is missing');
      return [];
    }
    const aliases = aliasesOfUpstream(name, stated.aliases);
    return [{ name, url, aliases, tagTtlMs: stated.tagTtl, ...(auth && { auth }) }];
  }

  #auth(name: string, stated: ParsedUpstream['auth']): UpstreamAuthConfig | undefined {
    if (stated === undefined) return undefined;
    const { username, password } = stated.basic;
    if (password !== undefined) return { basic: { username, password } };
    this.#reportKey(['upstreams', name, 'auth', 'basic'], 'expected password or passwordFile, but both are missing');
    return undefined;
  }

  user(name: string, stated: ParsedUser): UserConfig[] {
    const { passwordHash, email, org, rights } = stated;
    if (passwordHash === undefined) {
      this.#reportKey(['users', name], 'expected passwordHash or passwordHashFile, but both are missing');
      return [];
    }
    return [{ name, passwordHash, rights, ...(email !== undefined && { email }), ...(org !== undefined && { org }) }];
  }

  gateway(stated: Parsed['gateway'], upstreams: readonly UpstreamConfig[]): GatewayConfig {
    const wanted = stated.defaultUpstream ?? 'docker.io';
    const found = upstreams.find((upstream) => upstream.name === wanted || upstream.aliases.includes(wanted));
    if (stated.defaultUpstream !== undefined && found === undefined && !this.#namesOf('upstreams').includes(wanted)) {
      const meant = nearest(
        wanted,
        upstreams.map((upstream) => upstream.name),
      );
      const hint = meant === undefined ? '' : `; did you mean ${quote(meant)}?`;
      this.#report(
        ['gateway', 'defaultUpstream'],
        `expected one of upstreams, but came ${this.#shown(['gateway', 'defaultUpstream'], wanted)}${hint}`,
      );
    }
    if (!stated.anonymous && this.#namesOf('users').length === 0) {
      this.#report(
        ['gateway', 'anonymous'],
        'expected at least one of users, without whom nobody could pull, but there is none',
      );
    }
    return {
      ...(found && { defaultUpstream: found.name }),
      anonymous: stated.anonymous,
      factsWaitMs: stated.factsWait,
      fusionEntrypoint: stated.fusionEntrypoint,
    };
  }

  metrics(stated: Parsed['metrics']): Config['metrics'] {
    if (stated === undefined || stated.listen === false) return undefined;
    if (stated.listen === undefined) {
      this.#reportKey(['metrics'], 'expected listen, an address or false, but it is missing');
      return undefined;
    }
    const { listen, orgs, compat } = stated;
    return { listen, ...(orgs !== undefined && { orgs }), ...(compat !== undefined && { compat }) };
  }

  meters(stated: Parsed['usage']['meters']): readonly MeterConfig[] {
    const owners = new Map<string, string>();
    return Object.entries(stated).map(([name, { description, ...meter }]) => {
      const path = ['usage', 'meters', name, 'eventType'];
      const owner = owners.get(meter.eventType);
      if (owner === undefined) owners.set(meter.eventType, name);
      else {
        this.#report(
          path,
          `expected an event type that no other meter has, but ${this.#shown(path, meter.eventType)} is also that of ${quote(owner)}`,
        );
      }
      return { name, ...meter, ...(description !== undefined && { description }) };
    });
  }

  /** Names that the tree states in a map, also of those entries that are not valid and so did not come with `parsed`. */
  #namesOf(key: 'upstreams' | 'users'): readonly string[] {
    const node = nodeAt(this.#tree, [key]);
    return node?.kind === 'map' ? [...node.entries.keys()] : [];
  }

  /** A value as it was written: what a reference in it stands for may be a secret. */
  #shown(path: Path, value: string): string {
    const node = nodeAt(this.#tree, path);
    return node === undefined ? quote(value) : shownOf(node);
  }

  #report(path: Path, message: string): void {
    this.problems.push({ origin: originAt(this.#tree, path), path: path, message });
  }

  /** For what is missing: points at the key under which it belongs. */
  #reportKey(path: Path, message: string): void {
    this.problems.push({ origin: keyOriginAt(this.#tree, path), path: path, message });
  }
}

function freezeDeep<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null && !Object.isFrozen(child)) freezeDeep(child);
  }
  return Object.freeze(value);
}
