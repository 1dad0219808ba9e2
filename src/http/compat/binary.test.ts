import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../../test/support/redis.ts';
import { startTonnage, type Tonnage } from '../../../test/support/tonnage.ts';
import { parse } from '../../exposition/index.ts';
import { readWithPython } from '../../exposition/testing/python-parser.ts';
import { image, index } from '../../gateway/testing/images.ts';
import { TestUpstream } from '../../gateway/testing/upstream.ts';

/** The Accept header of Prometheus with default settings. */
const prometheus =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1';
const openMetrics = 'application/openmetrics-text; version=1.0.0';
const single = image({ name: 'single' });
const list = index([[single, 'amd64']]);

let directory: string;
let lab: TestUpstream;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-compat-'));
  lab = await TestUpstream.start();
  lab.put('app', single, 'v1');
  lab.put('app', list, 'list');
});

afterAll(async () => {
  await lab.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function scrape(server: Tonnage, accept: string): Promise<{ type: string; values: Record<string, number> }> {
  const response = await fetch(server.metricsUrl, { headers: { accept } });
  const [samples = []] = readWithPython([{ format: 'text', text: await response.text() }]);
  const values = samples.map(({ name, labels, value }) => [
    'ns' in labels ? `${name}{${labels['ns']}}` : name,
    Number(value),
  ]);
  return {
    type: response.headers.get('content-type') ?? '',
    values: Object.fromEntries(values) as Record<string, number>,
  };
}

describe('with `metrics.compat: ociregistry`', () => {
  let server: Tonnage;

  beforeAll(async () => {
    server = await startTonnage(directory, {
      metrics: { listen: '127.0.0.1:0', compat: 'ociregistry' },
      upstreams: { lab: { url: lab.url } },
    });
    const ask = async (path: string, method = 'GET'): Promise<void> => {
      await (await fetch(`${server.url}/v2/${path}`, { method })).arrayBuffer();
    };
    await ask('');
    await ask('lab/app/manifests/list');
    await ask(`lab/app/manifests/${single.digest.text}`);
    for (const { digest } of single.blobs) await ask(`lab/app/blobs/${digest.text}`);
    await ask('lab/app/manifests/list');
    await ask('lab/app/manifests/list', 'HEAD');
    await ask('lab/app/manifests/none');
    await ask(`lab/app/blobs/sha256:${'0'.repeat(64)}`);
    await ask('lab/App/manifests/none');
    await eventually('both blobs are on disk', async () => {
      return (await scrape(server, prometheus)).values['tonnage_gateway_disk_blobs'] === 2;
    });
  });

  afterAll(() => server.program.stop('SIGTERM'));

  it("each metric counts like Ociregistry's", async () => {
    const { values } = await scrape(server, prometheus);
    const files = await readdir(join(directory, 'data/cache/blobs/sha256'));
    const sizes = await Promise.all(
      files.map(async (name) => (await stat(join(directory, 'data/cache/blobs/sha256', name))).size),
    );
    expect(values).toMatchObject({
      'ociregistry_cached_pulls_by_ns_total{lab}': 2,
      // The parser appends the missing suffix to counters.
      'ociregistry_upstream_pulls_by_ns_total{lab}': 3,
      ociregistry_manifest_pulls_total: 5,
      ociregistry_blob_pulls_total: 3,
      ociregistry_v2_api_endpoint_hits_total: 10,
      ociregistry_api_errors_total: 2,
      // The index by tag and by digest, and the image by digest.
      ociregistry_cached_manifest_count: 3,
      ociregistry_cached_blob_count: files.length,
      ociregistry_blob_bytes_on_disk_total: sizes.reduce((sum, size) => sum + size, 0),
      ociregistry_manifest_bytes_on_disk_total: list.body.byteLength + single.body.byteLength,
    });
    expect(files).toHaveLength(2);
    expect(values).toMatchObject({ tonnage_gateway_disk_blobs: 2 });
  });

  it.each([prometheus, openMetrics, 'application/vnd.google.protobuf', ''])(
    'for Accept %j it answers in text 0.0.4',
    async (accept) => {
      expect((await scrape(server, accept)).type).toBe('text/plain; version=0.0.4; charset=utf-8');
    },
  );
});

describe('without it', () => {
  let text: string;
  let type: string | null;

  beforeAll(async () => {
    const server = await startTonnage(join(directory, 'plain'), { upstreams: { lab: { url: lab.url } } });
    await (await fetch(`${server.url}/v2/lab/app/manifests/v1`)).arrayBuffer();
    const response = await fetch(server.metricsUrl, { headers: { accept: prometheus } });
    type = response.headers.get('content-type');
    text = await response.text();
    await server.program.stop('SIGTERM');
  });

  it('no metric has such a name, and OpenMetrics is available', () => {
    expect(type).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    expect(text).not.toContain('ociregistry');
  });

  it('docs/reference/metrics.md has a row for each family, with its labels and help', () => {
    const page = readFileSync(fileURLToPath(new URL('../../../docs/reference/metrics.md', import.meta.url)), 'utf8');
    const rows = new Map([...page.matchAll(/^\| `(\w+)` \| (\w+) \| (.*?) ?\| (.+) \|$/gm)].map(rowOf));
    const families = parse(text, { format: 'openmetrics' });
    for (const family of families) {
      const { name, type, help } = family;
      const row = rows.get(`${name}${type === 'counter' ? '_total' : type === 'info' ? '_info' : ''}`);
      expect(row, `docs/reference/metrics.md needs a row for the ${type} ${name}: ${help}`).toMatchObject({
        type,
        help,
      });
      for (const { labels } of family.points) {
        for (const label of labels.names) expect(row?.labels, `labels of ${name}`).toContain(`\`${label}\``);
      }
    }
    const named = [...rows.keys()].filter((name) => name.startsWith('tonnage_'));
    const exposed = families.map(({ name }) => name);
    for (const name of named) expect(exposed).toContain(name.replace(/_(total|info)$/, ''));
  });
});

/** A row of a table in `docs/reference/metrics.md`, by the metric's name. */
function rowOf([, name = '', type = '', labels = '', help = '']: RegExpExecArray) {
  return [name, { type, labels, help }] as const;
}

it('token requests count as endpoint hits', async () => {
  const server = await startTonnage(join(directory, 'token'), { upstreams: { lab: { url: lab.url } } });
  await fetch(`${server.url}/v2/token`);
  await fetch(`${server.url}/v2/token`, { method: 'POST' });
  const { values } = await scrape(server, 'text/plain');
  expect(Object.keys(values)).toContain('tonnage_gateway_endpoint_hits_total');
  const text = await (await fetch(server.metricsUrl)).text();
  expect(text).toContain('tonnage_gateway_endpoint_hits_total{route="token",method="GET"} 1');
  await server.program.stop('SIGTERM');
});
