import { readFileSync } from 'node:fs';
import { fileErrorReason, limits, TonnageError } from '../base/index.ts';
import type { Environment } from '../config/index.ts';
import { isDimension, parseDay, type UsageAnswer, type UsageParameters, type UsageQuery } from '../usage/index.ts';
import { UsageError } from './contract.ts';
import { parseExactJson } from './exact-json.ts';
import { listOf, membersOf, readProblem, readResponse, reasonOf } from './server-response.ts';
import type { UsagePage, UsageSource } from './usage-source.ts';

export interface RemoteUsageOptions {
  /** The server's URL: scheme, host, port, and a path if it is behind a proxy. */
  readonly url: string;
  /** User of HTTP Basic. The password comes from the environment. */
  readonly user?: string;
  readonly environment: Environment;
  /** Accept totals that are known to be incomplete. */
  readonly takesIncomplete?: boolean;
}

/** Opens the totals of a running server. Throws `UsageError` for an invalid URL or incomplete credentials. */
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

/** Validates `--url` and strips trailing slashes. Throws `UsageError`. */
export function baseOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UsageError(`--url: expected http://HOST:PORT or https://HOST, got ${JSON.stringify(text)}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      '--url: expected no credentials, because other users can see them: use --user and TONNAGE_PASSWORD',
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
 * The Authorization header: Basic with `user`, otherwise Bearer, otherwise `undefined`. Without TONNAGE_PASSWORD the token is the
 * user's password. Secrets never come from flags, which other users can see. Throws `UsageError`.
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
    throw new UsageError(`TONNAGE_TOKEN_FILE cannot be read: ${fileErrorReason(cause)}`, { cause });
  }
}

async function fetchText(url: string, authorization: string | undefined): Promise<string> {
  const { origin } = new URL(url);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      headers: { accept: 'application/json', ...(authorization !== undefined && { authorization }) },
      // Never send credentials to another server.
      redirect: 'error',
      signal: AbortSignal.timeout(limits.commandAnswerMsMax),
    });
    text = await response.text();
  } catch (cause) {
    throw new TonnageError('unavailable', `${origin} does not respond: ${reasonOf(cause)}`, { cause });
  }
  if (response.ok) return text;
  const problem = readProblem(text, response.statusText);
  if (isOfUsage(response.status, text)) throw new UsageError(problem);
  throw new TonnageError('unavailable', `${origin} responded with ${response.status}: ${problem}`);
}

/** Whether a Tonnage server rejected the request as invalid, which is wrong usage of the command. */
export function isOfUsage(status: number, text: string): boolean {
  return status === 400 && /"code":"bad_request"/.test(text);
}

/** Parses a page of `usageAsJson`. Throws `unavailable` if it is not from a Tonnage server. */
function readPage(query: UsageQuery, json: string): Omit<UsagePage, 'json'> {
  const read = (content: unknown): Omit<UsagePage, 'json'> => {
    const page = membersOf(content);
    const { next, folded } = page;
    const answer: UsageAnswer = {
      from: dayOf(page['from']),
      to: dayOf(page['to']),
      rows: listOf(page['rows']).map((row) => rowOf(query, membersOf(row))),
      total: integerOf(page['total']),
      ...(page['incomplete'] === true && { incomplete: true }),
      ...(Array.isArray(folded) && { folded: folded.map(String).filter(isDimension) }),
    };
    return { answer, ...(typeof next === 'string' && { next }) };
  };
  return readResponse(json, read, parseExactJson);
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
