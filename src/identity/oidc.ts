import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose';
import {
  canonicalOrganisation,
  limits,
  messageOf,
  organisationOfEmail,
  TonnageError,
  type Clock,
  type Log,
} from '../base/index.ts';
import type { Authenticator, CheckVerdict } from './authenticator.ts';
import type { Credential } from './authorization.ts';
import { textOf } from './fetch-json.ts';
import type { OidcInstruments } from './metrics.ts';
import { OidcKeys } from './oidc-keys.ts';
import { externalPrincipal } from './external-principal.ts';
import type { Principal, Right } from './principal.ts';

/** An issuer whose tokens are accepted. */
export interface OidcIssuer {
  /** The exact claim `iss` of its tokens. */
  readonly issuer: string;
  /** The claim `aud` must contain one of these. */
  readonly audience: readonly string[];
  /** URL of its keys. Default: from its discovery document. */
  readonly jwksUrl?: string;
  readonly emailClaim: string;
  /** The claim with the organisation. Default: the organisation of the e-mail address. */
  readonly orgClaim?: string;
  /** Rights of tokens with an organisation. */
  readonly rights: readonly Right[];
}

interface OidcOptions {
  readonly issuers: readonly OidcIssuer[];
  readonly clock: Clock;
  readonly fetches: OidcInstruments;
  readonly log: Log;
}

/** Asymmetric algorithms only: with a shared secret, a party that verifies tokens could also forge them. */
const algorithms = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

/** The compact form of a token (RFC 7515 section 7.1). Without a signature the last part is empty. */
const jwtPattern = /^[\w-]+\.[\w-]+\.[\w-]*$/;

interface Known extends OidcIssuer {
  readonly keys: OidcKeys;
}

/**
 * Authenticates tokens of OpenID Connect issuers (JWT, RFC 7519), sent as Bearer or as the password of Basic with any
 * user name. A token that names one of these issuers is either valid or wrong; other authenticators do not see it.
 */
export function createOidc({ issuers, clock, fetches, log }: OidcOptions): Extract<Authenticator, { kind: 'check' }> {
  const known = new Map<string, Known>();
  for (const issuer of issuers) {
    known.set(issuer.issuer, { ...issuer, keys: new OidcKeys({ ...issuer, clock, log, fetches }) });
  }
  return {
    kind: 'check',
    authenticate(credential: Credential): Promise<CheckVerdict> | undefined {
      const token = credential.scheme === 'bearer' ? credential.token : credential.password;
      const issuer = known.get(issuerOf(token) ?? '');
      return issuer && verify(token, issuer, { clock, log });
    },
  };
}

/** The issuer that a token names, not yet verified. */
function issuerOf(token: string): string | undefined {
  if (!jwtPattern.test(token)) return undefined;
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

async function verify(
  token: string,
  issuer: Known,
  { clock, log }: Pick<OidcOptions, 'clock' | 'log'>,
): Promise<CheckVerdict> {
  const now = clock.now();
  try {
    const { payload } = await jwtVerify(token, issuer.keys.find, {
      issuer: issuer.issuer,
      audience: [...issuer.audience],
      algorithms,
      requiredClaims: ['exp', 'aud', 'sub'],
      clockTolerance: limits.oidcLeewayMs / 1000,
      currentDate: new Date(now),
    });
    // RFC 7519 section 4.1.2. jose checks only that `sub` exists.
    if (textOf(payload, 'sub') === undefined) return 'wrong';
    return { principal: principalOf(payload, issuer), validForMs: (payload.exp ?? 0) * 1000 - now };
  } catch (error) {
    if (error instanceof errors.JOSEError) return 'wrong';
    if (error instanceof TonnageError) throw error;
    // The issuer's key is unusable, for example too short.
    log.warn({ issuer: issuer.issuer, error: messageOf(error) }, 'a key of a token issuer is unusable');
    throw new TonnageError('identity_unavailable', 'the key of the issuer of this token is unusable', {
      cause: error,
    });
  }
}

/** Ignores an e-mail address that is not verified (OpenID Connect Core 1.0 section 5.1), because anyone could claim it. */
function principalOf(payload: JWTPayload, { emailClaim, orgClaim, rights }: OidcIssuer): Principal {
  const isVerified = payload['email_verified'] === undefined || payload['email_verified'] === true;
  const claimed = isVerified || payload['email_verified'] === 'true' ? textOf(payload, emailClaim) : undefined;
  const org =
    orgClaim === undefined
      ? organisationOfEmail(claimed ?? '')
      : canonicalOrganisation(textOf(payload, orgClaim) ?? '');
  return externalPrincipal({ name: payload.sub ?? '', email: claimed, org, rights });
}
