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
import { outsider } from './outsider.ts';
import type { Principal, Right } from './principal.ts';

/** Whose tokens are taken, and what stands in them. */
export interface OidcIssuer {
  /** The claim `iss` of its tokens, to the letter. */
  readonly issuer: string;
  /** One of these has to be in the claim `aud`. */
  readonly audience: readonly string[];
  /** Where its keys are. Absent: its discovery document says. */
  readonly jwksUrl?: string;
  readonly emailClaim: string;
  /** The claim that names the organisation. Absent: it is that of the e-mail address. */
  readonly orgClaim?: string;
  /** What who has a token may do, as long as they have an organisation. */
  readonly rights: readonly Right[];
}

export interface OidcOptions {
  readonly issuers: readonly OidcIssuer[];
  readonly clock: Clock;
  readonly fetches: OidcInstruments;
  readonly log: Log;
}

/** Signatures by a private key alone: with a secret that both sides know, whoever can check a token could make one. */
const algorithms = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

/** The compact form of a signed token (RFC 7515 section 7.1); of one without a signature the last part is empty. */
const jwtPattern = /^[\w-]+\.[\w-]+\.[\w-]*$/;

interface Known extends OidcIssuer {
  readonly keys: OidcKeys;
}

/**
 * Tokens of OpenID Connect issuers (JWT, RFC 7519), as Bearer or as the password of Basic under any user name. A token
 * that claims to be of one of these issuers is good or wrong; nobody else is asked about it.
 */
export function createOidc({ issuers, clock, fetches, log }: OidcOptions): Extract<Authenticator, { kind: 'check' }> {
  const known = new Map<string, Known>();
  for (const issuer of issuers) {
    const { jwksUrl } = issuer;
    const keys = new OidcKeys({
      issuer: issuer.issuer,
      ...(jwksUrl !== undefined && { jwksUrl }),
      clock,
      log,
      fetches,
    });
    known.set(issuer.issuer, { ...issuer, keys });
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

/** Whose a token claims to be; nothing of it is checked yet. */
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
    // RFC 7519 section 4.1.2; jose only sees to it that there is one.
    if (textOf(payload, 'sub') === undefined) return 'wrong';
    return { principal: principalOf(payload, issuer), goodForMs: (payload.exp ?? 0) * 1000 - now };
  } catch (error) {
    if (error instanceof errors.JOSEError) return 'wrong';
    if (error instanceof TonnageError) throw error;
    // A key of the issuer that cannot be used, such as a short one.
    log.warn({ issuer: issuer.issuer, error: messageOf(error) }, 'a key of a token issuer cannot be used');
    throw new TonnageError('identity_unavailable', 'the key of the issuer of this token cannot be used', {
      cause: error,
    });
  }
}

/** An address that its issuer says is not verified (OpenID Connect Core 1.0 section 5.1) is one that anybody can claim. */
function principalOf(payload: JWTPayload, { emailClaim, orgClaim, rights }: OidcIssuer): Principal {
  const isVerified = payload['email_verified'] === undefined || payload['email_verified'] === true;
  const claimed = isVerified || payload['email_verified'] === 'true' ? textOf(payload, emailClaim) : undefined;
  const org =
    orgClaim === undefined
      ? organisationOfEmail(claimed ?? '')
      : canonicalOrganisation(textOf(payload, orgClaim) ?? '');
  return outsider({ name: payload.sub ?? '', email: claimed, org, rights });
}
