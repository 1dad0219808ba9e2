import { z } from 'zod';
import { canonicalOrganisation, limits, parseNetwork } from '../base/index.ts';
import { byName, choicesOf, codec, day, duration, list, map, nonEmpty, secret, text } from './fields.ts';
import type { Findings } from './findings.ts';
import * as names from './names.ts';
import type { Path } from './tree.ts';
import { formatDuration } from './units.ts';

/** What a user may do; the same words as in `identity/`. */
export const userRights = ['pull', 'query', 'ingest', 'admin'] as const;

const network = text('a network such as "10.1.0.0/16" or "2001:db8::/32", or one address', (stated) =>
  parseNetwork(stated) === undefined ? undefined : stated,
);
const url = text(names.upstreamUrlForm, names.parseUpstreamUrl);
const organisation = text(names.organisationForm, canonicalOrganisation);
const claim = nonEmpty('the name of a claim');

const rights = choicesOf(userRights, 'right').prefault(['pull', 'query']);

export const users = byName(
  text(names.userNameForm, names.parseUserName),
  map({
    passwordHash: secret(names.passwordHashForm, names.parsePasswordHash).describe(
      'Hash of the password, as `tonnage user hash` prints it.',
    ),
    email: text(names.emailForm, names.parseEmail)
      .exactOptional()
      .describe('E-mail address. Its domain is the organisation, unless org is stated.'),
    org: organisation
      .exactOptional()
      .describe(
        'Organisation of the user, who sees its usage only. A user without org and email sees all organisations.',
      ),
    rights: rights.describe(
      'What the user may do: pull images, query totals, ingest events. admin: everything, for all organisations.',
    ),
  }).describe('A user who logs in with HTTP Basic. State passwordHash or passwordHashFile.'),
)
  .prefault({})
  .describe('Users who log in with HTTP Basic, by name.');

export const trustedProxies = list(network)
  .prefault([])
  .describe('Networks of proxies whose X-Forwarded-For, -Proto and -Host the server believes.');

const platform = map({
  endpoint: url.describe('URL of the API of the Platform. The server asks /user-info there.'),
  whenDown: z
    .enum(['stale', 'anonymous', 'refuse'])
    .prefault('stale')
    .describe(
      'What a token means while the Platform does not answer. stale: what the Platform answered last, otherwise anonymous. anonymous: an anonymous client, or 503 if those may not pull. refuse: 503.',
    ),
  timeout: duration(60_000, 1)
    .prefault(formatDuration(limits.platformAnswerMsMax))
    .describe('How long the server waits for an answer of the Platform.'),
  cacheFor: duration(day)
    .prefault(formatDuration(limits.platformMemoryMs))
    .describe('How long the server uses an answer without asking again.'),
  staleFor: duration(30 * day)
    .prefault(formatDuration(limits.platformStaleMs))
    .describe('How much longer the server uses an answer while the Platform does not answer.'),
})
  .exactOptional()
  .describe('A Seqera Platform whose access tokens clients may use. Default: none.');

const audienceForm = 'a text or a list of texts, none of them empty, one of which tokens must have in "aud"';

const audience = codec(
  audienceForm,
  z.union([z.string(), z.array(z.string())], { error: `expected ${audienceForm}` }),
  (stated): readonly string[] | undefined => {
    const audiences = typeof stated === 'string' ? [stated] : stated;
    return audiences.length === 0 || audiences.includes('') ? undefined : audiences;
  },
  (audiences) => [...audiences],
);

/** Returns the URL as stated, because tokens must have exactly this text. */
function parseIssuer(stated: string): string | undefined {
  return names.parseUpstreamUrl(stated) === undefined ? undefined : stated;
}

const oidc = map({
  issuer: text('the URL of an issuer, as its tokens have it in "iss"', parseIssuer).describe(
    'URL of the issuer, exactly as its tokens have it in "iss".',
  ),
  audience: audience.describe('Audience that the claim "aud" of a token must contain. Several: any of them.'),
  jwksUrl: url.exactOptional().describe('URL of the keys of the issuer. Default: the one in its discovery document.'),
  emailClaim: claim
    .prefault('email')
    .describe('Claim with the e-mail address. The server ignores it if email_verified is false.'),
  orgClaim: claim
    .exactOptional()
    .describe('Claim with the organisation. Default: none; the domain of the e-mail address is the organisation.'),
  rights: rights.describe('Rights of a token that has an organisation. Other tokens may only pull.'),
});

const addressRule = map({
  cidr: network.describe('Network of the clients.'),
  org: organisation.describe('Organisation of these clients.'),
});

export const identity = map({
  platform,
  oidc: list(oidc)
    .prefault([])
    .describe('OpenID Connect issuers whose tokens (JWT) clients may use, as Bearer or as the password of Basic.'),
  addresses: list(addressRule)
    .prefault([])
    .describe(
      'Organisations of clients without credentials, by client address. The longest prefix wins. These clients may pull.',
    ),
})
  .prefault({})
  .describe('Ways to identify a client other than users: access tokens and addresses.');

type IdentityConfig = z.output<typeof identity>;

/** Reports issuers and networks that are stated twice. */
export function checkIdentity({ oidc, addresses }: IdentityConfig, findings: Findings): void {
  const issuers = oidc.map(({ issuer }) => issuer);
  const networks = addresses.map(({ cidr }) => cidr.toLowerCase());
  reportTwice(issuers, (index) => ['identity', 'oidc', index, 'issuer'], 'issuer', findings);
  reportTwice(networks, (index) => ['identity', 'addresses', index, 'cidr'], 'network', findings);
}

function reportTwice(
  values: readonly string[],
  pathOf: (index: number) => Path,
  what: string,
  findings: Findings,
): void {
  for (const [index, value] of values.entries()) {
    if (values.indexOf(value) === index) continue;
    const path = pathOf(index);
    findings.report(path, `expected each ${what} once, but ${findings.shown(path, value)} came before`);
  }
}

/** Whether a client can pull without being anonymous, or could if the configuration were valid. */
export function hasLogins({ platform, oidc, addresses }: IdentityConfig, findings: Findings): boolean {
  const hasUsers = findings.namesOf(['users']).length > 0;
  const isInvalid = !findings.isValid(['identity']);
  return hasUsers || isInvalid || platform !== undefined || oidc.length > 0 || addresses.length > 0;
}
