import { readFileSync } from 'node:fs';
import { limits, messageOf, TonnageError } from '../base/index.ts';
import type { Environment } from '../config/index.ts';
import { isDimension, parseDay, type UsageAnswer, type UsageParameters, type UsageQuery } from '../usage/index.ts';
import { UsageError } from './contract.ts';
import { parseExactJson } from './exact-json.ts';
import { readFailureOf } from './read-failure.ts';
import type { UsagePage, UsageSource } from './usage-source.ts';

export interface RemoteUsageOptions {
  /** The server, as typed: scheme, host, port, and a path where it stands behind a proxy. */
  readonly url: string;
  /** User of HTTP Basic; the password comes from the environment. */
  readonly user?: string;
  readonly environment: Environment;
  /** Takes totals that the server knows to be incomplete. */
  readonly takesIncomplete?: boolean;
}

/** Totals of a running server. Throws `UsageError` for a URL that cannot be one, or credentials that are incomplete. */
export function openRemoteUsage(options: RemoteUsageOptions): UsageSource {
  const base = baseOf(options.url);
  const authorization = authorizationOf(options);
  return {
    async page(query, words) {
      const json = await fetchText(pageUrl(base, query, words, options.takesIncomplete), authorization);
      return { ...readPage(query, json), json };
    },
    close: () => Promise.resolve(),
  };
}

export function baseOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UsageError(`--url: expected http://HOST:PORT or https://HOST, got ${JSON.stringify(text)}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      '--url: expected no credentials in it, since other users can see them: use --user and TONNAGE_PASSWORD',
    );
  }
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

function pageUrl(base: string, query: UsageQuery, words: UsageParameters, takesIncomplete = false): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(words)) if (value !== undefined) parameters.set(name, value);
  parameters.set('format', 'json');
  if (takesIncomplete) parameters.set('incomplete', 'allow');
  return `${base}/api/v1/usage/${encodeURIComponent(query.meter)}?${parameters.toString()}`;
}

/**
 * A user's password or, where no user is named, a bearer token. `--user` goes before the token, which is the password where
 * there is none. Never from flags, which other users of the machine can see.
 */
export function authorizationOf({ user, environment }: RemoteUsageOptions): string | undefined {
  const token = environment['TONNAGE_TOKEN'] ?? tokenOfFile(environment['TONNAGE_TOKEN_FILE']);
  if (user === undefined) return token === undefined ? undefined : `Bearer ${token}`;
  const password = environment['TONNAGE_PASSWORD'] ?? token;
  if (password === undefined) throw new UsageError('--user: expected the password in the variable TONNAGE_PASSWORD');
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function tokenOfFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new UsageError(`TONNAGE_TOKEN_FILE cannot be read: ${readFailureOf(cause)}`, { cause });
  }
}

async function fetchText(url: string, authorization: string | undefined): Promise<string> {
  const { origin } = new URL(url);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      headers: { accept: 'application/json', ...(authorization !== undefined && { authorization }) },
      // Credentials are for this server only.
      redirect: 'error',
      signal: AbortSignal.timeout(limits.commandAnswerMsMax),
    });
    text = await response.text();
  } catch (cause) {
    throw new TonnageError('unavailable', `${origin} does not answer: ${reasonOf(cause)}`, { cause });
  }
  if (response.ok) return text;
  const problem = problemOf(text, response);
  if (isOfUsage(response.status, text)) throw new UsageError(problem);
  throw new TonnageError('unavailable', `${origin} answered ${response.status}: ${problem}`);
}

/** Whether a server refuses what it was asked for, with its own words: then it is the command line that has to change. */
export function isOfUsage(status: number, text: string): boolean {
  return status === 400 && /"code":"bad_request"/.test(text);
}

/** fetch says only that it failed; why is in the causes. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error && thrown.message === 'bad port') {
    return 'no HTTP client asks at this port, which is kept for another protocol (Fetch Standard, "port blocking")';
  }
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0]);
  return thrown instanceof Error && thrown.cause instanceof Error ? reasonOf(thrown.cause) : messageOf(thrown);
}

/** What a problem document (RFC 9457) says, else what the status is called. */
function problemOf(text: string, response: Response): string {
  try {
    const problem: unknown = JSON.parse(text);
    if (isObject(problem)) {
      const said = problem['detail'] ?? problem['title'];
      if (typeof said === 'string') return said;
    }
  } catch {
    // Not ours, or something in between that answers in HTML.
  }
  return response.statusText === '' ? 'no reason given' : response.statusText;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads a page as `usageAsJson` writes it. Throws `unavailable` when it is something else. */
function readPage(query: UsageQuery, json: string): Omit<UsagePage, 'json'> {
  try {
    const page = objectOf(parseExactJson(json));
    const next = page['next'];
    const folded = page['folded'];
    const answer: UsageAnswer = {
      from: dayOf(page['from']),
      to: dayOf(page['to']),
      rows: arrayOf(page['rows']).map((row) => rowOf(query, objectOf(row))),
      total: integerOf(page['total']),
      ...(page['incomplete'] === true && { incomplete: true }),
      ...(Array.isArray(folded) && { folded: folded.map(String).filter(isDimension) }),
    };
    return { answer, ...(typeof next === 'string' && { next }) };
  } catch (cause) {
    throw new TonnageError('unavailable', `the server did not answer as a Tonnage server does: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function rowOf(query: UsageQuery, row: Readonly<Record<string, unknown>>): UsageAnswer['rows'][number] {
  return {
    ...(query.window !== 'total' && { from: dayOf(row['from']) }),
    dimensions: Object.fromEntries(query.by.map((name) => [name, textOf(row[name])])),
    value: integerOf(row['value']),
    ...(query.distinct && { distinct: Number(integerOf(row['distinct'])) }),
    ...(row['other'] === true && { other: true }),
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw new TypeError('expected an object');
}

function arrayOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError('expected an array');
}

function dayOf(value: unknown): number {
  const day = typeof value === 'string' ? parseDay(value) : undefined;
  if (day !== undefined) return day;
  throw new TypeError('expected a day');
}

function integerOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  throw new TypeError('expected an integer');
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string' || value === null) return value;
  throw new TypeError('expected a text or null');
}
