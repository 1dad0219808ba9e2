import type { AdapterConfig, IngestConfig } from './config.ts';
import type { Parsed } from './schema.ts';

/** How notifications are read. */
export function assembleIngest({ distribution, harbor, zot }: Parsed['ingest']): IngestConfig {
  return {
    distribution: adapter(distribution),
    harbor: adapter(harbor),
    // It tells no pulls, so that none of its own can be counted twice.
    zot: adapter({ ...zot, ignoreUpstreams: [] }),
  };
}

function adapter({ upstream, ignoreUpstreams, orgs }: Parsed['ingest']['distribution']): AdapterConfig {
  return { ...(upstream !== undefined && { upstream }), ignoreUpstreams, orgs };
}
