import { expect, it } from 'vitest';

import { encode, prometheusText } from '../../exposition/index.ts';
import { readWithPython } from '../../exposition/testing/python-parser.ts';
import type { GatewayStatistics } from '../../gateway/index.ts';
import { checkFamily, MetricSet } from '../../metric/index.ts';
import { ociregistryFamilies } from './ociregistry.ts';

const statistics: GatewayStatistics = {
  manifestRequests: [
    { upstream: 'docker.io', cached: 3, fetched: 2 },
    { upstream: 'quay.io', cached: 0, fetched: 1 },
  ],
  blobRequests: 7,
  endpointHits: 20,
  servingErrors: 4,
  manifestsInMemory: 5,
  blobsOnDisk: { count: 6, bytes: 600 },
  manifestsOnDisk: { count: 3, bytes: 300 },
};

function textOf(of: GatewayStatistics): string {
  const set = new MetricSet();
  set.collect(() => ociregistryFamilies(of));
  const families = set.gather().filter(({ name }) => name.startsWith('ociregistry_'));
  return Buffer.concat([...encode(families, prometheusText)]).toString();
}

it('has all names and types of Ociregistry', () => {
  const types = [...textOf(statistics).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
  expect(Object.fromEntries(types)).toEqual({
    ociregistry_cached_pulls_by_ns_total: 'counter',
    ociregistry_upstream_pulls_by_ns: 'counter',
    ociregistry_manifest_pulls_total: 'counter',
    ociregistry_blob_pulls_total: 'counter',
    ociregistry_blob_bytes_on_disk_total: 'gauge',
    ociregistry_manifest_bytes_on_disk_total: 'gauge',
    ociregistry_cached_manifest_count: 'gauge',
    ociregistry_cached_blob_count: 'gauge',
    ociregistry_v2_api_endpoint_hits_total: 'counter',
    ociregistry_api_errors_total: 'counter',
  });
});

it('has samples that the Python client parses', () => {
  const [samples = []] = readWithPython([{ format: 'text', text: textOf(statistics) }]);
  const read = samples.map(({ name, labels, value }) => [name + (labels['ns'] ?? ''), Number(value)] as const);
  expect(Object.fromEntries(read)).toEqual({
    'ociregistry_cached_pulls_by_ns_totaldocker.io': 3,
    'ociregistry_cached_pulls_by_ns_totalquay.io': 0,
    // The parser appends the missing suffix to counters.
    'ociregistry_upstream_pulls_by_ns_totaldocker.io': 2,
    'ociregistry_upstream_pulls_by_ns_totalquay.io': 1,
    ociregistry_manifest_pulls_total: 6,
    ociregistry_blob_pulls_total: 7,
    ociregistry_v2_api_endpoint_hits_total: 20,
    ociregistry_api_errors_total: 4,
    ociregistry_cached_manifest_count: 5,
    ociregistry_cached_blob_count: 6,
    ociregistry_blob_bytes_on_disk_total: 600,
    ociregistry_manifest_bytes_on_disk_total: 300,
  });
});

it('has a counter without the suffix _total', () => {
  expect(textOf(statistics)).toContain('\nociregistry_upstream_pulls_by_ns{ns="docker.io"} 2\n');
});

it('omits disk values that could not be read', () => {
  const text = textOf({ ...statistics, blobsOnDisk: null, manifestsOnDisk: null });
  expect(text).not.toMatch(/on_disk|cached_blob_count/);
  expect(text).toContain('ociregistry_cached_manifest_count 5');
});

it('consists of valid families', () => {
  for (const family of ociregistryFamilies(statistics)) expect(() => checkFamily(family)).not.toThrow();
});
