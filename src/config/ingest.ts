import { z } from 'zod';
import { text } from './fields.ts';
import * as names from './names.ts';

const hostForm = 'a host, with a port where needed, such as "registry.example.org:5000"';

/** A host in lower case, as totals have it (`hostForm`), else `undefined`. */
function parseHostName(stated: string): string | undefined {
  return /^[!-.0-~]{1,261}$/.test(stated) ? stated.toLowerCase() : undefined;
}

const repositoriesForm = '"*", or the first segments of repositories\' names, such as "team" or "team/project"';

/** One or more whole segments of a repository's name (`repositoriesForm`), or `*`; else `undefined`. */
function parseRepositories(stated: string): string | undefined {
  const segments = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
  return stated === '*' || (stated.length <= 255 && segments.test(stated)) ? stated : undefined;
}

const common = {
  upstream: text(hostForm, parseHostName)
    .optional()
    .meta({ description: 'What its upstream is called in totals. Default: the host that its notifications name.' }),
  orgs: z
    .record(text(repositoriesForm, parseRepositories), text(names.organisationForm, names.parseOrganisation))
    .prefault({})
    .meta({
      description:
        'Organisations by the first segments of repositories; the longest one holds, "*" is for all others. Credentials that are bound to an organisation go before it.',
    }),
};

const withIgnored = {
  ignoreUpstreams: z.array(text(hostForm, parseHostName)).prefault([]).meta({
    description: 'Hosts or names whose notifications are ignored, since their pulls go through the gateway too.',
  }),
  ...common,
};

export const ingest = z.strictObject({
  distribution: z
    .strictObject(withIgnored)
    .prefault({})
    .meta({ description: 'Notifications of Distribution (docker-registry), at /api/v1/events/distribution.' }),
  harbor: z
    .strictObject(withIgnored)
    .prefault({})
    .meta({ description: 'Webhooks of Harbor, at /api/v1/events/harbor.' }),
  zot: z.strictObject(common).prefault({}).meta({ description: 'Events of zot, at /api/v1/events/zot.' }),
});
