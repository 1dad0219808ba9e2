import { z } from 'zod';
import { canonicalOrganisation } from '../base/index.ts';
import { list, map, text } from './fields.ts';
import * as names from './names.ts';

const host = text('a host, optionally with a port, such as "registry.example.org:5000"', parseHost);

/** A host in lower case, as totals have it. */
function parseHost(stated: string): string | undefined {
  return /^[!-.0-~]{1,261}$/.test(stated) ? stated.toLowerCase() : undefined;
}

const repositories = text(
  '"*", or the first segments of repositories\' names, such as "team" or "team/project"',
  parseRepositories,
);

/** One or more whole segments of a repository's name, or `*`. */
function parseRepositories(stated: string): string | undefined {
  const segments = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
  return stated === '*' || (stated.length <= 255 && segments.test(stated)) ? stated : undefined;
}

const common = {
  upstream: host
    .exactOptional()
    .describe('Name of the upstream in totals. Default: the host that the notification states.'),
  orgs: z
    .record(repositories, text(names.organisationForm, canonicalOrganisation))
    .prefault({})
    .describe(
      'Organisations by the first segments of the repository. The longest match wins; "*" matches all. The organisation of the credentials overrides it.',
    ),
};

const withIgnored = {
  ignoreUpstreams: list(host)
    .prefault([])
    .describe('Hosts or names whose notifications are ignored because the gateway counts their pulls already.'),
  ...common,
};

export const ingest = map({
  distribution: map(withIgnored)
    .prefault({})
    .describe('Notifications of Distribution (docker-registry), at /api/v1/events/distribution.'),
  harbor: map(withIgnored).prefault({}).describe('Webhooks of Harbor, at /api/v1/events/harbor.'),
  // Its events report no pulls, so there are none that the gateway counts too.
  zot: map(common).prefault({}).describe('Events of zot, at /api/v1/events/zot.'),
})
  .prefault({})
  .describe('How notifications of other registries are read.');
