import type { GatewayStatistics } from '../../gateway/index.ts';
import { labelSet, noLabels, type MetricFamily } from '../../metric/index.ts';

/**
 * Ociregistry's metrics under their original names and types, so that its dashboards and rules work unchanged. Some
 * names break our conventions: one counter lacks `_total`, and four gauges have the suffix of another type. Only the
 * text format 0.0.4 can represent all of them. `docs/reference/metrics.md` describes each.
 */
export function ociregistryFamilies(statistics: GatewayStatistics): readonly MetricFamily[] {
  const { blobsOnDisk, manifestsOnDisk } = statistics;
  return [
    ...pullFamilies(statistics),
    total('blob_pulls', 'Blob GETs, successful or not.', statistics.blobRequests),
    total('v2_api_endpoint_hits', 'Requests to implemented routes below /v2.', statistics.endpointHits),
    total('api_errors', 'Valid requests below /v2 that failed.', statistics.servingErrors),
    gauge('cached_manifest_count', 'Manifests in memory, by tag and by digest.', statistics.manifestsInMemory),
    // Omit values that could not be read: a zero would be wrong.
    ...(blobsOnDisk === null
      ? []
      : [
          gauge('cached_blob_count', 'Blob files on disk.', blobsOnDisk.count),
          gauge('blob_bytes_on_disk_total', 'Bytes of the blob files on disk.', blobsOnDisk.bytes),
        ]),
    ...(manifestsOnDisk === null
      ? []
      : [gauge('manifest_bytes_on_disk_total', 'Bytes of the manifests on disk.', manifestsOnDisk.bytes)]),
  ];
}

/** The label `ns` is the upstream's configured name, so clients cannot create series. */
function pullFamilies({ manifestRequests }: GatewayStatistics): readonly MetricFamily[] {
  const pointsOf = (count: (row: (typeof manifestRequests)[number]) => number) =>
    manifestRequests.map((row) => ({ labels: labelSet({ ns: row.upstream }), value: count(row) }));
  const sum = manifestRequests.reduce((total, { cached, fetched }) => total + cached + fetched, 0);
  return [
    {
      type: 'counter',
      name: 'ociregistry_cached_pulls_by_ns',
      help: 'Manifest GETs and HEADs that made no manifest request to the upstream, by namespace.',
      points: pointsOf(({ cached }) => cached),
    },
    {
      type: 'counter',
      bare: true,
      name: 'ociregistry_upstream_pulls_by_ns',
      help: 'Manifest GETs and HEADs that made a manifest request to the upstream, or failed, by namespace.',
      points: pointsOf(({ fetched }) => fetched),
    },
    total('manifest_pulls', 'Manifest GETs and HEADs: the sum of cached and upstream pulls.', sum),
  ];
}

function total(name: string, help: string, value: number): MetricFamily {
  return { type: 'counter', name: `ociregistry_${name}`, help, points: [{ labels: noLabels, value }] };
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { type: 'gauge', name: `ociregistry_${name}`, help, points: [{ labels: noLabels, value }] };
}
