import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { BlobHandler } from './blob-handler.ts';
import { Blobs } from './cache/blobs.ts';
import { Catalog } from './cache/catalog.ts';
import { FactsFinder } from './cache/facts.ts';
import { Links } from './cache/links.ts';
import { Manifests } from './cache/manifests.ts';
import { Tags } from './cache/tags.ts';
import { Front } from './front.ts';
import { ManifestHandler } from './manifest-handler.ts';
import { createGatewayMetrics } from './metrics.ts';
import type { Gateway, GatewayOptions } from './options.ts';
import { createAgent } from './upstream/connection.ts';
import { UpstreamTable } from './upstreams.ts';

/**
 * Opens the gateway over its cache directory. Rejects with `config_invalid` for upstreams that cannot be, and as
 * `openDatabase` does for a catalog that is not ours.
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { clock, directory, log, random } = options;
  const agent = createAgent();
  const userAgent = `tonnage/${options.version}`;
  const upstreams = new UpstreamTable(options.upstreams, options.defaultUpstream, { agent, clock, userAgent });
  await mkdir(directory, { recursive: true });
  const catalog = await Catalog.open(join(directory, 'catalog.sqlite'), log);
  const metrics = createGatewayMetrics(options.metrics);
  const blobs = await Blobs.open({ directory, catalog, metrics, clock, random, log }).catch(async (error: unknown) => {
    await catalog.close();
    throw error;
  });
  const links = new Links(catalog);
  const manifests = new Manifests({ catalog, links, fusionEntrypoint: options.fusionEntrypoint });
  const tags = new Tags({
    catalog,
    manifests,
    clock,
    onStale: ({ upstream, name }, error) =>
      log.warn({ upstream: upstream.name, repository: name, error: error.message }, 'a tag is served stale'),
  });
  const facts = new FactsFinder({ manifests, links, blobs, waitMs: options.factsWaitMs, metrics, log });
  const front = new Front({
    upstreams,
    admit: options.admit.bind(options),
    manifests: new ManifestHandler({ manifests, tags, facts, record: options.record.bind(options), metrics, log }),
    blobs: new BlobHandler({
      blobs,
      links,
      onRejected: ({ upstream }) => metrics.blobRejected.labels({ upstream: upstream.name }).inc(),
    }),
    log,
  });
  return {
    handle: (request, response, remoteAddress) => front.handle(request, response, remoteAddress),
    close: async () => {
      await blobs.close();
      await agent.destroy();
      await catalog.close();
    },
  };
}
