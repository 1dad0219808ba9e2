import { isIP } from 'node:net';
import { z } from 'zod';
import { limits } from '../base/index.ts';
import { platformFallbacks, userRights } from './config.ts';
import { duration, hour, nonEmpty, text } from './fields.ts';
import * as names from './names.ts';
import { formatDuration } from './units.ts';

const day = 24 * hour;

/** How a network is written, for messages and descriptions. */
export const networkForm = 'a network such as "10.1.0.0/16" or "2001:db8::/32", or one address';

/** The network as it is written, by the same grammar as `identity/` has; `undefined` when it is none. */
export function parseNetwork(stated: string): string | undefined {
  const [, host = '', length] = /^([0-9A-Fa-f.:]+)(?:\/([0-9]{1,3}))?$/.exec(stated) ?? [];
  const version = isIP(host);
  if (version === 0) return undefined;
  // As the URL parser writes it, there is one way to write an IPv4 address in its IPv6 form.
  const isMapped =
    version === 6 && /^\[::ffff:[0-9a-f]+:[0-9a-f]+\]$/.test(URL.parse(`http://[${host}]`)?.hostname ?? '');
  const prefix = Number(length ?? 128);
  const valid = length === undefined || (prefix <= (version === 4 ? 32 : 128) && (!isMapped || prefix >= 96));
  return valid ? stated : undefined;
}

export const network = text(networkForm, parseNetwork);

/** How the issuer of tokens is written, for messages and descriptions. */
const issuerForm = 'the URL of an issuer, as its tokens have it in "iss"';

/** The URL itself, since tokens have to name it to the letter; `undefined` when it is none. */
function parseIssuer(stated: string): string | undefined {
  return names.parseUpstreamUrl(stated) === undefined ? undefined : stated;
}

const audienceError = 'expected a text or a list of texts, none of them empty, one of which tokens must have in "aud"';

const audience = z
  .union([z.string().min(1, audienceError), z.array(nonEmpty('a text')).min(1, audienceError)], {
    error: audienceError,
  })
  .transform((stated) => (typeof stated === 'string' ? [stated] : stated));

const rights = z
  .array(z.enum(userRights))
  .min(1, 'expected at least one right')
  .prefault(['pull', 'query'])
  .transform((stated) => userRights.filter((right) => stated.includes(right)));

const platform = z
  .strictObject({
    endpoint: text(names.upstreamUrlForm, names.parseUpstreamUrl).meta({
      description: 'Where the API of the Platform is; /user-info is asked there.',
    }),
    whenDown: z.enum(platformFallbacks).prefault('stale').meta({
      description:
        'What a token stands for while the Platform does not say. stale: what it stood for lately, else anonymous; anonymous; refuse: nothing, 503. Anonymous only where that may pull, else 503.',
    }),
    timeout: duration(60_000, 1)
      .prefault(formatDuration(limits.platformAnswerMsMax))
      .meta({ description: 'How long it may take to answer.' }),
    cacheFor: duration(day)
      .prefault(formatDuration(limits.platformMemoryMs))
      .meta({ description: 'How long its answer is taken for good.' }),
    staleFor: duration(30 * day)
      .prefault(formatDuration(limits.platformStaleMs))
      .meta({ description: 'How much longer an answer may stand in for one that cannot be had.' }),
  })
  .meta({ description: 'A Seqera Platform that knows whose access tokens are whose. Default: none.' });

const oidc = z.strictObject(
  {
    issuer: text(issuerForm, parseIssuer).meta({ description: 'Whose tokens: the URL that they have in "iss".' }),
    audience: audience.meta({ description: 'For whom its tokens have to be: the claim "aud".' }),
    jwksUrl: text(names.upstreamUrlForm, names.parseUpstreamUrl).optional().meta({
      description: 'Where its keys are. Default: where its discovery document says.',
    }),
    emailClaim: nonEmpty('the name of a claim')
      .prefault('email')
      .meta({ description: 'Claim with the e-mail address; not believed where email_verified is false.' }),
    orgClaim: nonEmpty('the name of a claim').optional().meta({
      description: 'Claim with the organisation. Default: none, the domain of the e-mail address counts.',
    }),
    rights: rights.meta({
      description: 'What its tokens allow those who have an organisation; the others may only pull.',
    }),
  },
  { error: 'expected a map of settings' },
);

const addressRule = z.strictObject(
  {
    cidr: network.meta({ description: 'Network of the clients.' }),
    org: text(names.organisationForm, names.parseOrganisation).meta({ description: 'Their organisation.' }),
  },
  { error: 'expected a map of settings' },
);

/** The key `identity`. What goes wrong between its keys is found once all layers are joined. */
export const identity = z.strictObject({
  platform: platform.optional(),
  oidc: z.array(oidc).prefault([]).meta({
    description: 'Issuers of OpenID Connect tokens (JWT) that are taken, as Bearer or as the password of Basic.',
  }),
  addresses: z.array(addressRule).prefault([]).meta({
    description:
      'Organisations of clients that bring no credentials, by their address; the longest prefix wins. They may pull.',
  }),
});
