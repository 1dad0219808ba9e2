import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { program } from './installed.ts';
import { freePort } from './program.ts';
import { eventually } from './redis.ts';
import { startTied } from './tied-program.ts';

/** A series of an instant vector: its labels with `__name__`, and its value. */
export interface PrometheusSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus on a port of its own, of the loopback address. */
export interface Prometheus {
  readonly url: string;
  /** The result of an expression that gives an instant vector. Fails with Prometheus' message. */
  query(expression: string): Promise<readonly PrometheusSeries[]>;
  /** Returns once Prometheus has scraped the job successfully. */
  scraped(job: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts Debian's Prometheus with its data in `directory`, which is created if necessary. It scrapes every second. The caller
 * stops it.
 *
 * @param jobs elements of `scrape_configs`, each with a `job_name`
 */
export async function startPrometheus(directory: string, jobs: readonly object[]): Promise<Prometheus> {
  mkdirSync(directory, { recursive: true });
  const configFile = join(directory, 'prometheus.yml');
  const global = { scrape_interval: '1s', scrape_timeout: '1s' };
  writeFileSync(configFile, stringify({ global, scrape_configs: jobs }));
  const port = await freePort();
  const running = startTied(program('prometheus'), [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${join(directory, 'tsdb')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const url = `http://127.0.0.1:${port}`;
  const query = async (expression: string) => {
    const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data, error } = (await response.json()) as {
      readonly data?: { readonly result: readonly { metric: Record<string, string>; value: [number, string] }[] };
      readonly error?: string;
    };
    if (!data) throw new Error(`Prometheus answers to ${expression}: ${error ?? response.status}`);
    return data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  };
  try {
    await running.until(/Server is ready to receive web requests/);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return {
    url,
    query,
    scraped: (job) =>
      eventually(`Prometheus scrapes ${job}`, async () => {
        const [up] = await query(`up{job="${job}"}`);
        return up?.value === 1;
      }),
    stop: async () => void (await running.stop()),
  };
}
