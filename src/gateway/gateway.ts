import { join } from 'node:path';

import { endsWithin, limits } from '../base/index.ts';
import { makePrivateDirectory } from '../sqlite/index.ts';
import { BlobHandler } from './blob-handler.ts';
import { declareCacheGauges } from './cache-gauges.ts';
import { BlobAccess } from './cache/blob-access.ts';
import { Blobs } from './cache/blobs.ts';
import { Catalog } from './cache/catalog.ts';
import { FactsFinder } from './cache/facts.ts';
import { Links } from './cache/links.ts';
import { Manifests } from './cache/manifests.ts';
import { Proofs } from './cache/proofs.ts';
import { CacheSurvey } from './cache/survey.ts';
import { Tags } from './cache/tags.ts';
import { EgressTally } from './egress.ts';
import { RequestHandler } from './request-handler.ts';
import { ManifestHandler } from './manifest-handler.ts';
import { GatewayMetrics } from './metrics.ts';
import type { Gateway, GatewayOptions } from './options.ts';
import { statisticsOf } from './statistics.ts';
import { proxyFromEnvironment } from './upstream/egress-proxy.ts';
import { TagMemory } from './tag-memory.ts';
import { UpstreamTable } from './upstreams.ts';

/**
 * Opens the gateway with its cache directory. Rejects with `config_invalid` for invalid upstreams, and with
 * `data_invalid` or `data_version` for an unusable catalog.
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { clock, directory, log, random } = options;
  const metrics = new GatewayMetrics(options.metrics, clock);
  const upstreams = upstreamsOf(options, metrics);
  makePrivateDirectory(directory);
  const catalog = await Catalog.open(join(directory, 'catalog.sqlite'), log);
  const proofs = new Proofs(catalog);
  const blobs = await Blobs.open({ directory, catalog, proofs, clock, random, log }).catch(async (error: unknown) => {
    await catalog.close();
    throw error;
  });
  const access = new BlobAccess({ blobs, proofs });
  const links = new Links(catalog);
  const manifests = new Manifests({
    catalog,
    links,
    fusionEntrypoint: options.fusionEntrypoint,
    keepsChildren: options.tagMemoryMs !== undefined,
  });
  const tags = new Tags({
    catalog,
    manifests,
    clock,
    onStale: ({ upstream, name }, error) =>
      log.warn({ upstream: upstream.name, repository: name, error: error.message }, 'serving a stale tag'),
  });
  const facts = new FactsFinder({ manifests, links, access, waitMs: options.factsWaitMs, log });
  const { tagMemoryMs } = options;
  const tagMemory = tagMemoryMs === undefined ? undefined : new TagMemory(tagMemoryMs, clock);
  const egress = new EgressTally({ record: options.recordEgress.bind(options), log });
  const handler = new RequestHandler({
    upstreams,
    admit: options.admit.bind(options),
    manifests: new ManifestHandler({
      manifests,
      tags,
      tagMemory,
      facts,
      egress,
      record: options.record.bind(options),
      log,
    }),
    blobs: new BlobHandler({ blobs, access, proofs, links, egress }),
    metrics,
    clock,
    log,
  });
  const survey = new CacheSurvey({ directory, blobs, catalog, log });
  await survey.take();
  const parts = { survey, blobs, manifests, tags };
  declareCacheGauges(options.metrics, parts);
  return {
    handle: handler.handle.bind(handler),
    countTokenRequest: metrics.countTokenRequest.bind(metrics),
    survey: async () => void (await endsWithin(limits.cacheSurveyMsMax, survey.take())),
    cacheFailure: () => blobs.diskFailure,
    statistics: () => statisticsOf(metrics, parts),
    close: async () => {
      egress.flush();
      await blobs.close();
      await upstreams.destroy();
      await catalog.close();
    },
  };
}

function upstreamsOf(options: GatewayOptions, metrics: GatewayMetrics): UpstreamTable {
  return new UpstreamTable(options.upstreams, options.defaultUpstream, {
    proxyOf: proxyFromEnvironment(options.environmentProxies ?? {}),
    own: options.own ?? { ports: new Set() },
    resolve: options.resolve,
    clock: options.clock,
    userAgent: `tonnage/${options.version}`,
    undeclaredBlobBytesMax: options.undeclaredBlobBytesMax ?? limits.undeclaredBlobBytesMax,
    meters: (name) => metrics.upstream(name),
  });
}
