import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { holdAgainstDescription } from './described-fetch.ts';
import { runProgram, startProgram, type Program } from './program.ts';

/** The program that the tests start: the bundle of this run, which keeps what Node.js compiles of it. */
export const entry = process.env['TEST_PROGRAM'] ?? fileURLToPath(new URL('../../bin/tonnage.js', import.meta.url));
if (process.env['TEST_PROGRAM']) process.env['NODE_COMPILE_CACHE'] = join(dirname(entry), 'compiled');

/** The real program, started as a user would, on loopback ports of its own. */
export interface Tonnage {
  readonly url: string;
  readonly port: number;
  readonly metricsUrl: string;
  readonly program: Program;
  readonly pid: number;
  /** Totals of `pulls` as the API answers them; `query` is a query string. */
  pulls(query?: string): Promise<{ readonly total: number; readonly rows: readonly Record<string, unknown>[] }>;
  metrics(accept?: string): Promise<string>;
}

/**
 * Starts `tonnage serve` with its data in `directory/data` and the given configuration on top of free loopback ports.
 * Unless `usage.commitWait` is configured, it answers a pull only after the commit, however long that takes, so that the
 * totals include every answered pull.
 *
 * @param node runs the program instead of the Node.js of the tests
 * @param env variables in addition to those of the tests
 */
export async function startTonnage(
  directory: string,
  { usage, ...config }: Readonly<Record<string, unknown>> & { readonly usage?: object },
  node = process.execPath,
  env: NodeJS.ProcessEnv = {},
): Promise<Tonnage> {
  mkdirSync(directory, { recursive: true });
  const configFile = join(directory, 'tonnage.yaml');
  const listening = { listen: '127.0.0.1:0', metrics: '127.0.0.1:0', data: join(directory, 'data') };
  writeFileSync(configFile, stringify({ ...listening, ...config, usage: { commitWait: '1h', ...usage } }));
  const program = startProgram(node, [entry, 'serve', '--config', configFile], env);
  const [line] = await program.until(/^\{.*"msg":"listening".*\}$/m);
  const { url, metricsUrl, pid } = JSON.parse(line) as { url: string; metricsUrl: string; pid: number };
  holdAgainstDescription(url);
  return {
    url,
    port: Number(new URL(url).port),
    metricsUrl,
    program,
    pid,
    pulls: (query = '') => getJson(`${url}/api/v1/usage/pulls?${query}`),
    metrics: (accept = 'application/openmetrics-text; version=1.0.0') => getText(`${metricsUrl}`, { accept }),
  };
}

/** Runs a command of the program to its end. */
export function tonnage(
  args: readonly string[],
  options: { readonly input?: string; readonly expected?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return runProgram(process.execPath, [entry, ...args], options);
}

async function getText(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} from ${new URL(url).pathname}: ${text}`);
  return text;
}

async function getJson<T>(url: string): Promise<T> {
  return JSON.parse(await getText(url)) as T;
}
