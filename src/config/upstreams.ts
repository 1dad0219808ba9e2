import { z } from 'zod';
import { byName, codec, day, duration, list, map, nonEmpty, parseNonEmpty, secret, text } from './fields.ts';
import type { Findings } from './findings.ts';
import * as names from './names.ts';
import { quote } from './problems.ts';
import { Secret, secretMask } from './secret.ts';

/** What is known of hosts that need more than their name. All others are at `https://NAME`. */
const wellKnown: Readonly<Record<string, { readonly url: string; readonly aliases: readonly string[] }>> = {
  // Images of Docker Hub are named docker.io or index.docker.io, but another host serves them.
  'docker.io': { url: 'https://registry-1.docker.io', aliases: ['index.docker.io', 'registry-1.docker.io'] },
};

/** The upstreams of a configuration that states none. */
const defaultUpstreams = [
  'docker.io',
  'ghcr.io',
  'quay.io',
  'registry.k8s.io',
  'mcr.microsoft.com',
  'gcr.io',
  'public.ecr.aws',
];

const falseOrProxyForm = `false or ${names.proxyUrlForm}`;

const name = text(names.upstreamNameForm, names.parseUpstreamName);
const url = text(names.upstreamUrlForm, names.parseUpstreamUrl);
const aliases = list(name);

const keys = {
  url: url.exactOptional().describe('URL of the upstream. Default: https://NAME if NAME is a host.'),
  aliases: aliases.exactOptional().describe('Other names of this upstream in image references.'),
  tagTtl: duration(365 * day)
    .prefault('60s')
    .describe('How long the gateway serves a tag before it asks the upstream whether the tag has moved.'),
  auth: map({
    basic: map({
      username: nonEmpty('a user name').describe('User name at the upstream.'),
      password: secret('a password', parseNonEmpty).describe('Password of this user.'),
    }).describe('HTTP Basic credentials. State password or passwordFile.'),
    realm: text(names.realmForm, names.parseUpstreamUrl)
      .exactOptional()
      .describe(
        'Token endpoint on another domain, whose origin gets the credentials too. Default: only endpoints on the registrable domain of the upstream get them.',
      ),
  })
    .exactOptional()
    .describe('Credentials for the upstream. Default: none.'),
  redirects: list(text(names.redirectHostForm, names.parseRedirectHost))
    .prefault([])
    .describe(
      'Hosts that redirects and token endpoints of this upstream may lead to even if their addresses are private, loopback or link-local.',
    ),
  proxy: codec(
    falseOrProxyForm,
    z.union([z.literal(false), z.string()], { error: `expected ${falseOrProxyForm}` }),
    (stated): Secret | false | undefined => {
      const proxy = stated === false ? false : names.parseProxyUrl(stated);
      return typeof proxy === 'string' ? new Secret(proxy) : proxy;
    },
    (proxy) => (proxy === false ? false : secretMask),
  )
    .exactOptional()
    .meta({
      description:
        'Egress proxy for this upstream, its redirects and its token endpoints. false: none. Default: the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY state.',
      writeOnly: true,
    }),
};

export const upstreams = byName(
  name,
  map(keys).describe('An upstream that the gateway may dial. {} is enough for a host.'),
)
  .prefault(Object.fromEntries(defaultUpstreams.map((each) => [each, {}])))
  .describe('Upstreams by name. They replace the default list. {} means none.');

export const completeUpstreams = byName(name, map({ ...keys, url, aliases }));

type Stated = z.output<typeof upstreams>[number];
export type UpstreamConfig = z.output<typeof completeUpstreams>[number];

/** Fills in what the name of an upstream says, and checks the upstreams against each other. */
export function completeUpstreamsOf(stated: readonly Stated[], findings: Findings): readonly UpstreamConfig[] {
  const complete = stated.flatMap((upstream) => completeUpstream(upstream, findings));
  const owners = new Map(complete.map((upstream) => [upstream.name, upstream.name]));
  for (const upstream of complete) {
    for (const [index, alias] of upstream.aliases.entries()) {
      const owner = owners.get(alias);
      const path = ['upstreams', upstream.name, 'aliases', index];
      if (owner === undefined) owners.set(alias, upstream.name);
      else {
        const message = `expected a name that no other upstream has, but ${findings.shown(path, alias)} also names ${quote(owner)}`;
        findings.report(path, message);
      }
    }
  }
  return complete;
}

function completeUpstream(stated: Stated, findings: Findings): UpstreamConfig[] {
  const { name, auth } = stated;
  const known = wellKnown[name];
  const url = stated.url ?? known?.url ?? (names.isHostLike(name) ? `https://${name}` : undefined);
  if (auth?.realm?.startsWith('http:') === true && url?.startsWith('https:') === true) {
    const path = ['upstreams', name, 'auth', 'realm'];
    const came = findings.shown(path, auth.realm);
    findings.report(path, `expected an https URL, because that of the upstream is https, but came ${came}`);
  }
  if (url !== undefined) return [{ ...stated, url, aliases: stated.aliases ?? known?.aliases ?? [] }];
  findings.reportKey(['upstreams', name], 'expected a url, because this name is not a host, but it is missing');
  return [];
}
