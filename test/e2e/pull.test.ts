import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { awayFromMidnight } from '../support/midnight.ts';
import { layer, mediaTypes, pushImage, pushIndex, type PushedImage } from '../support/images.ts';
import { freePort, runProgram, startProgram } from '../support/program.ts';
import { eventually } from '../support/redis.ts';
import { startRecordingProxy, type RecordingProxy } from '../support/recording-proxy.ts';
import { pulledFiles, skopeoPull } from '../support/skopeo.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

/** One real pull, all the way: skopeo, the gateway, docker-registry; then the ledger, the API, the command line, metrics. */
const largeLayerBytes = 100 * 1024 * 1024;

let directory: string;
let upstream: DockerUpstream;
let server: Tonnage;
let proxy: RecordingProxy;
let amd64: PushedImage;
let arm64: PushedImage;

const config = (): Record<string, unknown> => ({ upstreams: { lab: { url: upstream.url, tagTtl: '0s' } } });

beforeAll(async () => {
  await awayFromMidnight();
  directory = mkdtempSync(join(tmpdir(), 'tonnage-e2e-'));
  // A port that no other process gets while the upstream is down.
  upstream = await startDockerUpstream(directory, await freePort());
  const layers = [layer(largeLayerBytes), layer(2_000_000), layer(100)];
  amd64 = await pushImage(upstream.url, 'team/app', 'amd64', { architecture: 'amd64', layers });
  arm64 = await pushImage(upstream.url, 'team/app', '', {
    architecture: 'arm64',
    layers: [layer(500_000), layer(10)],
    entrypoint: ['/usr/bin/fusion'],
  });
  await pushIndex(upstream.url, 'team/app', 'v1', [
    { image: amd64, architecture: 'amd64' },
    { image: arm64, architecture: 'arm64' },
  ]);
  server = await startTonnage(directory, config());
  proxy = await startRecordingProxy(server.url);
});
afterAll(async () => {
  await proxy.stop();
  await server.program.stop('SIGKILL');
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

const reference = (tag: string): string => `127.0.0.1:${proxy.port}/lab/team/app:${tag}`;
const target = (name: string): string => join(directory, 'pulled', name);

async function pullBothPlatforms(name: string): Promise<ReadonlyMap<string, string>> {
  mkdirSync(target(name), { recursive: true });
  await skopeoPull(reference('v1'), target(name), { all: true });
  return pulledFiles(target(name));
}

/** What the counters must say: the image manifests that clients were really given, by architecture, off the wire. */
function expected(): { readonly amd64: number; readonly arm64: number } {
  const given = proxy.exchanges.filter(
    ({ method, status, type }) => method === 'GET' && status === 200 && type === mediaTypes.manifest,
  );
  const of = (image: PushedImage): number => given.filter(({ digest }) => digest === image.digest).length;
  expect(of(amd64) + of(arm64)).toBe(given.length);
  return { amd64: of(amd64), arm64: of(arm64) };
}

describe('a pull through Tonnage', () => {
  let direct: ReadonlyMap<string, string>;

  test('gives the bytes that the upstream holds', async () => {
    mkdirSync(target('direct'), { recursive: true });
    await skopeoPull(`127.0.0.1:${upstream.port}/team/app:v1`, target('direct'), { all: true });
    direct = pulledFiles(target('direct'));
    expect(direct.size).toBeGreaterThan(9);
    expect(await pullBothPlatforms('first')).toEqual(direct);
    // The layers' names are their digests, so equal maps mean equal content; one is checked against the push itself.
    const [large] = amd64.layers;
    expect(direct.get(large?.digest.slice('sha256:'.length) ?? '')).toBe(large?.digest.slice('sha256:'.length));
  });

  test('asks the upstream once for each blob, also when pulled again', async () => {
    await pullBothPlatforms('second');
    for (const { digest } of [...amd64.layers, ...arm64.layers, amd64.config, arm64.config]) {
      const gets = (): readonly string[] =>
        upstream.requests().filter((request) => request.startsWith(`GET /v2/team/app/blobs/${digest}`));
      // Once by skopeo directly, once by Tonnage; the upstream says so when it is done.
      await eventually('the upstream has said what it was asked', () => gets().length > 1);
      expect(gets()).toHaveLength(2);
    }
  });

  test('one platform of an index counts once, under its architecture', async () => {
    await skopeoPull(reference('v1'), target('arm64'), { arch: 'arm64' });
  });

  test('works with the upstream stopped', async () => {
    const port = upstream.port;
    await upstream.stop();
    expect(await pullBothPlatforms('offline')).toEqual(direct);
    const missing = await fetch(`${server.url}/v2/lab/team/app/manifests/none`);
    expect(missing.status).toBe(502);
    expect(await missing.json()).toMatchObject({ errors: [{ code: expect.any(String), message: expect.any(String) }] });

    // And again after a restart of Tonnage, with nothing but its data directory.
    expect(await server.program.stop('SIGTERM')).toBe(0);
    server = await startTonnage(directory, config());
    proxy.target(server.url);
    expect(await pullBothPlatforms('restarted')).toEqual(direct);
    upstream = await startDockerUpstream(directory, port);
  });

  test('is counted alike by the API, the command line and the metrics, by architecture', async () => {
    const wanted = expected();
    const total = wanted.amd64 + wanted.arm64;
    // Both platforms were pulled four times, and one of them once more.
    expect(wanted).toEqual({ amd64: 4, arm64: 5 });
    const values = (rows: readonly Record<string, unknown>[]): unknown =>
      Object.fromEntries(rows.map((row) => [row['arch'], row['value']]));

    const api = await server.pulls('by=arch');
    expect(values(api.rows)).toEqual(wanted);
    expect(api.total).toBe(total);
    const detailed = await server.pulls('by=upstream,repository,day');
    expect(detailed.rows).toEqual([
      { from: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), upstream: 'lab', repository: 'team/app', value: total },
    ]);

    const configFile = join(directory, 'tonnage.yaml');
    const json = await tonnage(['usage', 'pulls', '--by', 'arch', '--format', 'json', '--config', configFile]);
    expect(values((JSON.parse(json.stdout) as { rows: Record<string, unknown>[] }).rows)).toEqual(wanted);
    const csv = await tonnage(['usage', 'pulls', '--by', 'arch', '--format', 'csv', '--url', server.url]);
    expect(csv.stdout.trim().split(/\r?\n/).slice(1).toSorted()).toEqual([
      `amd64,${wanted.amd64}`,
      `arm64,${wanted.arm64}`,
    ]);
    const table = await tonnage(['usage', 'pulls', '--by', 'arch', '--config', configFile]);
    expect(table.stdout).toMatch(new RegExp(`amd64\\s.*\\b${wanted.amd64}\\b`));
    expect(table.stdout).toMatch(new RegExp(`\\b${total}\\b`));

    const metrics = await server.metrics();
    expect(metrics).toContain(`tonnage_usage_total{meter="pulls",org="",arch="amd64"} ${wanted.amd64}\n`);
    expect(metrics).toContain(`tonnage_usage_total{meter="pulls",org="",arch="arm64"} ${wanted.arm64}\n`);
    expect(metrics).toContain(`tonnage_usage_total{meter="fusion",org="",arch="arm64"} ${wanted.arm64}\n`);

    const wave = await (await fetch(`${server.url}/v1alpha3/metrics/pulls?arch=arm64`)).json();
    expect(wave).toEqual({ metric: 'pulls', arch: 'arm64', count: wanted.arm64 });
  });
});

describe('the metrics', () => {
  test('pass the linter of Prometheus', async () => {
    const text = await server.metrics('text/plain; version=0.0.4');
    const { stdout, stderr } = await runProgram('promtool', ['check', 'metrics'], { input: text });
    expect(stdout + stderr).toBe('');
  });

  test('pass the strict OpenMetrics parser of the Python client', async () => {
    const program = `import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = {f.name: f for f in text_string_to_metric_families(sys.stdin.read())}
print(sum(s.value for s in families['tonnage_usage'].samples if s.labels['meter'] == 'pulls'))`;
    const { stdout } = await runProgram('/usr/bin/python3', ['-c', program], { input: await server.metrics() });
    expect(Number(stdout)).toBe(expected().amd64 + expected().arm64);
  });

  test('are scraped by a real Prometheus, which answers with the right count', async () => {
    const address = new URL(server.metricsUrl).host;
    const configFile = join(directory, 'prometheus.yml');
    const port = await freePort();
    writeFileSync(
      configFile,
      `scrape_configs: [{ job_name: tonnage, scrape_interval: 1s, static_configs: [{ targets: ["${address}"] }] }]\n`,
    );
    const prometheus = startProgram('prometheus', [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(directory, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    try {
      const query = encodeURIComponent('sum by (arch) (tonnage_usage_total{meter="pulls"})');
      await expect
        .poll(() => promValues(`http://127.0.0.1:${port}/api/v1/query?query=${query}`), {
          timeout: 90_000,
          interval: 250,
        })
        .toEqual({ amd64: String(expected().amd64), arm64: String(expected().arm64) });
    } finally {
      await prometheus.stop('SIGKILL');
    }
  });
});

async function promValues(url: string): Promise<unknown> {
  try {
    const answer = (await (await fetch(url)).json()) as {
      data: { result: readonly { metric: { arch: string }; value: readonly [number, string] }[] };
    };
    return Object.fromEntries(answer.data.result.map(({ metric, value }) => [metric.arch, value[1]]));
  } catch {
    return 'not up yet';
  }
}

/** The body of a success that came whole. Null: an error, or an answer that broke off, whichever was first. */
async function wholeBody(address: string): Promise<ArrayBuffer | null> {
  const response = await fetch(address);
  const body = await response.arrayBuffer().catch(() => null);
  return response.ok ? body : null;
}

test('a blob that the upstream holds spoilt is never answered as complete, and never kept', async () => {
  const spoilt = { corrupt: layer(3_000_000), truncated: layer(3_000_000) };
  const image = await pushImage(upstream.url, 'team/spoilt', 'v1', {
    architecture: 'amd64',
    layers: [spoilt.corrupt, spoilt.truncated],
  });
  const [corrupt, truncated] = image.layers;
  const broken = Buffer.from(spoilt.corrupt);
  broken[1_500_000] = (broken[1_500_000] ?? 0) ^ 1;
  writeFileSync(upstream.blobFile(corrupt?.digest ?? ''), broken);
  writeFileSync(upstream.blobFile(truncated?.digest ?? ''), spoilt.truncated.subarray(0, 2_000_000));
  for (const tries of [1, 2]) {
    for (const descriptor of [corrupt, truncated]) {
      const address = `${server.url}/v2/lab/team/spoilt/blobs/${descriptor?.digest}`;
      expect(await wholeBody(address), `try ${tries}`).toBeNull();
    }
  }
  // Healed upstream, the same blobs come through: nothing of the bad ones was kept.
  writeFileSync(upstream.blobFile(corrupt?.digest ?? ''), spoilt.corrupt);
  writeFileSync(upstream.blobFile(truncated?.digest ?? ''), spoilt.truncated);
  for (const [name, descriptor] of Object.entries({ corrupt, truncated })) {
    const response = await fetch(`${server.url}/v2/lab/team/spoilt/blobs/${descriptor?.digest}`);
    const expectedBytes = spoilt[name as keyof typeof spoilt];
    expect(Buffer.from(await response.arrayBuffer()).equals(expectedBytes)).toBe(true);
  }
});

test('what is pulled by tag is an image of the media type that the upstream has', async () => {
  const response = await fetch(`${server.url}/v2/lab/team/app/manifests/amd64`, { method: 'HEAD' });
  expect(response.headers.get('content-type')).toBe(mediaTypes.manifest);
  expect(response.headers.get('docker-content-digest')).toBe(amd64.digest);
  expect(readFileSync(upstream.blobFile(amd64.digest)).length).toBe(amd64.size);
});
