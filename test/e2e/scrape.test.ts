import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { readWithPython, type ReadSample } from '../../src/exposition/testing/python-parser.ts';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage } from '../support/images.ts';
import { freePort, runProgram, sleep, startProgram, type Program } from '../support/program.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

/** The real server, scraped by a real Prometheus in each format that it knows, and read by the parsers of others. */
const accepts = {
  openMetrics: 'application/openmetrics-text; version=1.0.0',
  text: 'text/plain; version=0.0.4',
} as const;

let directory: string;
let upstream: DockerUpstream;
let server: Tonnage;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-e2e-'));
  upstream = await startDockerUpstream(directory);
  for (const architecture of ['amd64', 'arm64', 's390x']) {
    await pushImage(upstream.url, 'team/app', architecture, { architecture, layers: [layer(100)] });
  }
  const { stdout: hash } = await tonnage(['user', 'hash'], { input: 'secret' });
  server = await startTonnage(directory, {
    upstreams: { lab: { url: upstream.url } },
    users: { alice: { passwordHash: hash.trim(), email: 'alice@example.org' } },
  });
  await pull('amd64', 3, { authorization: `Basic ${Buffer.from('alice:secret').toString('base64')}` });
  await pull('arm64', 2);
  await pull('s390x', 1);
});
afterAll(async () => {
  await server.program.stop('SIGKILL');
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function pull(tag: string, times: number, headers: Record<string, string> = {}): Promise<void> {
  for (let count = 0; count < times; count++) {
    const response = await fetch(`${server.url}/v2/lab/team/app/manifests/${tag}`, { headers });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  }
}

/** Values by series: its name and labels in a fixed order, without empty ones, which Prometheus does not keep. */
type Series = ReadonlyMap<string, number>;

function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const kept = Object.entries(labels).filter(([, value]) => value !== '');
  return `${name}${JSON.stringify(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
}

function seriesOf(samples: readonly ReadSample[]): Series {
  return new Map(samples.map(({ name, labels, value }) => [seriesKey(name, labels), numberOf(value)]));
}

/** Python writes `inf` and `nan`. */
function numberOf(text: string): number {
  return Number(text.replace('inf', 'Infinity'));
}

/** The server's own exposition, as the reference parser of the format reads it. */
async function own(format: 'openmetrics' | 'text'): Promise<Series> {
  const text = await server.metrics(format === 'text' ? accepts.text : accepts.openMetrics);
  return seriesOf(readWithPython([{ format, text }])[0] ?? []);
}

/** Without what the runtime says of itself, which comes and goes from one moment to the next. */
function steady(series: Series): Series {
  return new Map([...series].filter(([key]) => !/^(nodejs|process)_/.test(key)));
}

const counts = new Map([
  [seriesKey('tonnage_usage_total', { meter: 'pulls', org: 'example.org', arch: 'amd64' }), 3],
  [seriesKey('tonnage_usage_total', { meter: 'pulls', arch: 'arm64' }), 2],
  [seriesKey('tonnage_usage_total', { meter: 'pulls', arch: 's390x' }), 1],
]);

/** A proxy between Prometheus and the server. It records requests and answers, and can request another format. */
interface Between {
  readonly address: string;
  readonly answered: ReadonlySet<string>;
  close(): void;
}

async function startBetween(accept?: string): Promise<Between> {
  const answered = new Set<string>();
  const proxy: Server = createServer((asked, response) => {
    const headers = { ...asked.headers, ...(accept !== undefined && { accept }) };
    const onward = httpRequest(server.metricsUrl, { headers }, (answer) => {
      answered.add(`${answer.statusCode} ${answer.headers['content-type']} ${answer.headers['content-encoding']}`);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    onward.end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const bound = proxy.address();
  const port = typeof bound === 'object' ? bound?.port : 0;
  return {
    address: `127.0.0.1:${port}`,
    answered,
    close() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

const scrapeMs = 1_000;

/** Debian's Prometheus, scraping one target every second. */
async function startPrometheus(target: string, flags: readonly string[]): Promise<{ url: string; program: Program }> {
  const port = await freePort();
  const configFile = join(directory, `prometheus-${port}.yml`);
  const scrape = { job_name: 'tonnage', scrape_interval: '1s', static_configs: [{ targets: [target] }] };
  writeFileSync(configFile, stringify({ scrape_configs: [scrape] }));
  const program = startProgram('prometheus', [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${join(directory, `prometheus-${port}`)}`,
    `--web.listen-address=127.0.0.1:${port}`,
    ...flags,
  ]);
  return { url: `http://127.0.0.1:${port}`, program };
}

/** The latest value of each series of our job, less those that Prometheus makes itself. */
async function stored(url: string): Promise<Series> {
  const query = encodeURIComponent('{job="tonnage"}');
  const response = await fetch(`${url}/api/v1/query?query=${query}`).catch(() => undefined);
  if (response?.ok !== true) return new Map();
  const { data } = (await response.json()) as {
    data: { result: readonly { metric: Record<string, string>; value: readonly [number, string] }[] };
  };
  return new Map(
    data.result
      .map(({ metric: { __name__: name = '', instance: _i, job: _j, ...labels }, value: [, value] }) => {
        return [name, seriesKey(name, labels), Number(value.replace('Inf', 'Infinity'))] as const;
      })
      .filter(([name]) => name !== 'up' && !name.startsWith('scrape_'))
      .map(([, key, value]) => [key, value]),
  );
}

interface Compared {
  readonly onlyOne: readonly string[];
  readonly different: readonly string[];
  readonly equal: readonly string[];
}

const isUnsettled = ({ onlyOne, different }: Compared): boolean => onlyOne.length + different.length > 0;

/**
 * Compares what Prometheus holds with what the server says. A scrape changes some values itself, so that only those are
 * compared that were the same in Prometheus before and after the server was asked.
 */
async function compare(url: string): Promise<Compared> {
  const before = await stored(url);
  const said = await own('text');
  await sleep(2 * scrapeMs);
  const after = await stored(url);
  const names = new Set([...said.keys(), ...after.keys()]);
  const still = [...after.keys()].filter((key) => said.has(key) && before.get(key) === after.get(key));
  return {
    onlyOne: [...names].filter((key) => said.has(key) !== after.has(key)),
    different: still.filter((key) => said.get(key) !== after.get(key)),
    equal: still.filter((key) => said.get(key) === after.get(key)),
  };
}

describe.concurrent('a real Prometheus', () => {
  test.each([
    ['OpenMetrics', undefined, [], 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    ['text', accepts.text, [], 'text/plain; version=0.0.4; charset=utf-8'],
    [
      'protobuf',
      undefined,
      ['--enable-feature=native-histograms'],
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
    ],
  ] as const)(
    'that reads %s holds what the server says',
    { timeout: 240_000 },
    async (_, accept, flags, contentType) => {
      const between = await startBetween(accept);
      const { url, program } = await startPrometheus(between.address, flags);
      try {
        await expect.poll(async () => (await stored(url)).size, { timeout: 90_000, interval: 250 }).toBeGreaterThan(0);
        // Values that go up and down may be caught at another moment; a second look is at another one again.
        let compared = await compare(url);
        // A family that has just begun to be is there with the next scrape.
        for (let looks = 1; looks < 20 && isUnsettled(compared); looks++) compared = await compare(url);
        expect(compared).toMatchObject({ onlyOne: [], different: [] });
        expect(compared.equal.length).toBeGreaterThan(50);
        expect(compared.equal).toEqual(expect.arrayContaining([...counts.keys()]));
        expect([...between.answered]).toEqual([`200 ${contentType} gzip`]);
      } finally {
        await program.stop('SIGKILL');
        between.close();
      }
    },
  );
});

describe('the parsers of others', () => {
  test('promtool finds nothing to say', async () => {
    const { stdout, stderr } = await runProgram('promtool', ['check', 'metrics'], {
      input: await server.metrics(accepts.text),
    });
    expect(stdout + stderr).toBe('');
  });

  test('the strict OpenMetrics parser of the Python client and its text parser read the same', async () => {
    const [before, text, openMetrics, after] = [
      await own('text'),
      await own('text'),
      await own('openmetrics'),
      await own('text'),
    ].map(steady) as [Series, Series, Series, Series];
    expect([...openMetrics.keys()].toSorted()).toEqual([...text.keys()].toSorted());
    const still = [...text].filter(([key, value]) => before.get(key) === value && after.get(key) === value);
    expect(still.filter(([key, value]) => openMetrics.get(key) !== value)).toEqual([]);
    expect(new Map([...openMetrics].filter(([key]) => counts.has(key)))).toEqual(counts);
  });

  test('and so does our own linter', async () => {
    const { stdout } = await tonnage(['lint', server.metricsUrl]);
    expect(stdout).toBe(`${server.metricsUrl}: ok\n`);
    expect((await tonnage(['lint', '--format', 'text', server.metricsUrl])).stdout).toBe(stdout);
  });
});
