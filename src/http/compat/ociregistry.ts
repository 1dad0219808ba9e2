import type { GatewayStatistics } from '../../gateway/index.ts';
import { labelSet, noLabels, type MetricFamily } from '../../metric/index.ts';

/**
 * The metrics of Ociregistry under its own names and types, so that dashboards and rules made for it work unchanged. Some
 * of the names break the conventions that ours keep: one counter lacks `_total`, and four gauges end like other types.
 * Only the text format 0.0.4 can carry them all. What each counts stands in `docs/reference/metrics.md`.
 */
export function ociregistryFamilies(statistics: GatewayStatistics): readonly MetricFamily[] {
  const { blobsOnDisk, manifestsOnDisk } = statistics;
  return [
    ...pullFamilies(statistics),
    total('blob_pulls', 'Blob GETs, whatever became of them.', statistics.blobRequests),
    total('v2_api_endpoint_hits', 'Requests to implemented routes below /v2.', statistics.endpointHits),
    total('api_errors', 'Requests below /v2 that were taken and could not be answered.', statistics.servingErrors),
    gauge('cached_manifest_count', 'Manifests in memory, by tag and by digest.', statistics.manifestsInMemory),
    // What could not be looked up is left out: a zero would be believed.
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

/** The label `ns` is the upstream's configured name: what clients make up never becomes a series. */
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
