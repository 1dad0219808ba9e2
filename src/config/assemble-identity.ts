import type { IdentityConfig, OidcConfig } from './config.ts';
import type { Findings } from './findings.ts';
import type { Parsed } from './schema.ts';
import type { Path } from './tree.ts';

type ParsedIdentity = Parsed['identity'];

/** Makes the configuration of who may log in by other means than a user name, and finds what is stated twice. */
export function assembleIdentity(stated: ParsedIdentity, findings: Findings): IdentityConfig {
  const { platform, oidc, addresses } = stated;
  reportTwice(
    oidc.map(({ issuer }) => issuer),
    (index) => ['identity', 'oidc', index, 'issuer'],
    'an issuer',
    findings,
  );
  reportTwice(
    addresses.map(({ cidr }) => cidr.toLowerCase()),
    (index) => ['identity', 'addresses', index, 'cidr'],
    'a network',
    findings,
  );
  return {
    ...(platform && {
      platform: {
        endpoint: platform.endpoint,
        whenDown: platform.whenDown,
        timeoutMs: platform.timeout,
        cacheForMs: platform.cacheFor,
        staleForMs: platform.staleFor,
      },
    }),
    oidc: oidc.map(issuerOf),
    addresses,
  };
}

function issuerOf({ jwksUrl, orgClaim, ...issuer }: ParsedIdentity['oidc'][number]): OidcConfig {
  return { ...issuer, ...(jwksUrl !== undefined && { jwksUrl }), ...(orgClaim !== undefined && { orgClaim }) };
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
    findings.report(path, `expected ${what} that stands here once, but ${findings.shown(path, value)} came before`);
  }
}

/** Whether anybody could pull without being anonymous. */
export function isAnybodyKnown({ platform, oidc, addresses }: ParsedIdentity, findings: Findings): boolean {
  const hasUsers = findings.namesOf(['users']).length > 0;
  const isHalfRead = !findings.isSound(['identity']);
  return hasUsers || isHalfRead || platform !== undefined || oidc.length > 0 || addresses.length > 0;
}
