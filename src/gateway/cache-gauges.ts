import { noLabels, type MetricFamily, type MetricSet } from '../metric/index.ts';
import type { Blobs } from './cache/blobs.ts';
import type { Manifests } from './cache/manifests.ts';
import type { CacheSurvey } from './cache/survey.ts';
import type { Tags } from './cache/tags.ts';

/** The parts of the cache that have gauges. */
export interface CacheParts {
  readonly survey: CacheSurvey;
  readonly blobs: Blobs;
  readonly manifests: Manifests;
  readonly tags: Tags;
}

/**
 * Declares the gauges of the cache, on disk and in memory. Disk gauges show the last survey, memory gauges the current
 * state.
 */
export function declareCacheGauges(set: MetricSet, parts: CacheParts): void {
  set.collect(() => [...diskFamilies(parts.survey), ...memoryFamilies(parts)]);
}

/** Omits what could not be surveyed. */
function diskFamilies({ blobs, manifests, space }: CacheSurvey): readonly MetricFamily[] {
  const families: MetricFamily[] = [];
  if (blobs !== null) {
    families.push(
      gauge('disk_blobs', 'Blob files on disk: verified blobs, without downloads in progress.', blobs.count),
      gaugeOfBytes('disk_blob_bytes', 'Bytes of the blob files on disk.', blobs.bytes),
    );
  }
  if (manifests !== null) {
    families.push(
      gauge('disk_manifests', 'Distinct manifests on disk, in the catalog.', manifests.count),
      gaugeOfBytes('disk_manifest_bytes', 'Bytes of the distinct manifests on disk.', manifests.bytes),
    );
  }
  if (space !== null) {
    families.push(
      gaugeOfBytes('disk_free_bytes', 'Bytes free for this process on the file system of the image cache.', space.free),
      gaugeOfBytes('disk_size_bytes', 'Size of the file system of the image cache.', space.size),
    );
  }
  return families;
}

function memoryFamilies({ blobs, manifests, tags }: CacheParts): readonly MetricFamily[] {
  const estimate = 'bodies and estimated overhead';
  return [
    gauge('memory_manifests', 'Manifests in memory, one per digest and repository.', manifests.inMemory.count),
    gaugeOfBytes('memory_manifest_bytes', `Memory of the manifests: ${estimate}.`, manifests.inMemory.bytes),
    gauge('memory_tags', 'Tags in memory.', tags.inMemory),
    gauge('memory_blobs', 'Small blobs in memory.', blobs.inMemory.count),
    gaugeOfBytes('memory_blob_bytes', `Memory of the small blobs: ${estimate}.`, blobs.inMemory.bytes),
    gauge('downloads_in_flight', 'Downloads of blobs from an upstream into the cache.', blobs.downloads),
  ];
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { type: 'gauge', name: `tonnage_gateway_${name}`, help, points: [{ labels: noLabels, value }] };
}

function gaugeOfBytes(name: string, help: string, value: number): MetricFamily {
  return { ...gauge(name, help, value), unit: 'bytes' };
}
