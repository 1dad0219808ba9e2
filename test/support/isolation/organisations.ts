import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from '../redis.ts';
import { startTonnage, tonnage, type Tonnage } from '../tonnage.ts';

/*
 * Two organisations that share a server: a.org, which has little data and sends the requests, and b.org, whose data a.org
 * must not see. All data of b.org contains a marker.
 */

/** Markers of the data of the other organisation: its name, images, users and totals. */
export const markers = /b\.org|secret|bob|7777|7780/i;
export const meters = ['pulls', 'fusion', 'builds', 'mirrors', 'scans'] as const;
/** The total of each meter of the other organisation. */
export const totalOfOthers = 7_777;
/** The dimensions of each event, apart from its organisation. */
export const visible = { arch: 'amd64', upstream: 'visible.example', repository: 'visible/app', user: 'alice' };
const hidden = { arch: 'arm64', upstream: 'secret.example', repository: 'secret/app', user: 'bob' };

const types = { pulls: 'pull', fusion: 'fusion', builds: 'build', mirrors: 'mirror', scans: 'scan' } as const;
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
export const now = Date.now();
export const dayMs = 86_400_000;

export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
/** Credentials with all rights. */
export const root = basic('root', 'secret');

const passwordHash = `sha256:${createHash('sha256').update('secret').digest('hex')}`;
const config = {
  upstreams: {},
  metrics: { listen: '127.0.0.1:0', orgs: false },
  trustedProxies: ['127.0.0.1'],
  usage: { dimensions: ['org', 'arch', 'upstream', 'repository', 'user'], plain: ['user'] },
  ingest: {
    distribution: { orgs: { '*': 'b.org' } },
    harbor: { orgs: { '*': 'b.org' } },
    zot: { orgs: { '*': 'b.org' } },
  },
  users: {
    alice: { passwordHash, email: 'alice@a.org', rights: ['pull', 'query', 'ingest'] },
    root: { passwordHash, rights: ['query', 'ingest', 'admin'] },
  },
};

export interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers: Headers;
}

/** Credentials that are bound to a.org and may pull, query and ingest. */
export const bound = ['a user', 'an API token as bearer', 'an API token as password'] as const;

/** The server, and the credentials of both organisations. */
export interface Organisations {
  readonly server: Tonnage;
  /** Paths and methods of the server's own OpenAPI document. */
  readonly openapi: { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  /** The header of each of `bound`. */
  readonly credentials: Readonly<Record<(typeof bound)[number], string>>;
  readonly pathToken: string;
  readonly tokenOfOthers: { readonly id: string; readonly token: string };
  readonly cursorOfRoot: string;
  readonly tagOfRoot: string;
  ask(asked: Asked, authorization?: string): Promise<Answer>;
}

/** The part of the configuration in which the servers differ: where totals are stored. */
export interface Kept {
  readonly store?: object;
  readonly usage?: object;
}

/** Starts a server in `directory` for both organisations, with their counts in its totals. */
export async function startOrganisations(directory: string, kept: Kept): Promise<Organisations> {
  const usage = { ...config.usage, ...kept.usage };
  const server = await startTonnage(directory, { ...config, ...kept, usage });
  const ask = (asked: Asked, authorization?: string) => askServer(server.url, asked, authorization);
  const createToken = async (...args: readonly string[]) => {
    const { stdout, stderr } = await tonnage(['token', 'create', ...args, '--data', join(directory, 'data')]);
    return { token: stdout.trim(), id: /^tonnage: token (\S+);/.exec(stderr)?.[1] ?? '' };
  };
  try {
    await eventually('events are taken', async () => (await ask({ path: '/readyz' })).status === 200);
    const events = meters.flatMap((meter) => [
      eventOf(types[meter], `${meter}-a`, { org: 'a.org', ...visible, quantity: 3 }),
      eventOf(types[meter], `${meter}-b`, { org: 'b.org', ...hidden, quantity: 7_000 }, now - 2 * dayMs),
      eventOf(types[meter], `${meter}-b-now`, { org: 'b.org', ...hidden, quantity: 777 }),
    ]);
    const sent = await ask({ path: '/api/v1/events', method: 'POST', body: events }, root);
    if (!sent.text.includes(`"accepted":${events.length},`)) throw new Error(`not all of it was taken: ${sent.text}`);
    for (const meter of meters) {
      await untilTotal(ask, meter, 'a.org', 3);
      await untilTotal(ask, meter, 'b.org', totalOfOthers);
    }

    const { token } = await createToken('--org', 'a.org', '--rights', 'pull,query,ingest');
    const page = await ask({ path: '/api/v1/usage/pulls?by=org&limit=1' }, root);
    return {
      server,
      ask,
      openapi: JSON.parse((await ask({ path: '/openapi.json' })).text) as Organisations['openapi'],
      credentials: {
        'a user': basic('alice', 'secret'),
        'an API token as bearer': `Bearer ${token}`,
        'an API token as password': basic('x', token),
      },
      pathToken: (await createToken('--path', '--org', 'a.org')).token,
      tokenOfOthers: await createToken('--org', 'b.org', '--name', 'bob'),
      cursorOfRoot: (JSON.parse(page.text) as { next: string }).next,
      tagOfRoot: (await ask({ path: '/api/v1/usage/pulls' }, root)).headers.get('etag') ?? '',
    };
  } catch (error) {
    await server.program.stop('SIGKILL');
    throw error;
  }
}

/** A CloudEvent of one of the built-in types. */
export function eventOf(type: string, id: string, data: object, time = now): object {
  return {
    specversion: '1.0',
    type: `tonnage.${type}`,
    source: '/isolation',
    id,
    time: new Date(time).toISOString(),
    data,
  };
}

async function askServer(url: string, asked: Asked, authorization?: string): Promise<Answer> {
  const { path, method = 'GET', headers = {}, body } = asked;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
      ...(authorization !== undefined && { authorization }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, text: await response.text(), headers: response.headers };
}

/** Waits until root sees this total of an organisation: a remote store receives counts later. */
export async function untilTotal(
  ask: Organisations['ask'],
  meter: string,
  org: string,
  expected: number,
): Promise<void> {
  let total: unknown;
  await eventually(`${meter} of ${org} are ${expected}`, async () => {
    const { text } = await ask({ path: `/api/v1/usage/${meter}?org=${org}` }, root);
    ({ total } = JSON.parse(text) as { total?: unknown });
    return typeof total === 'number' && total >= expected;
  });
  expect(total).toBe(expected);
}
