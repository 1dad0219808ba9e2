import type { Clock, Log, Random } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import {
  createAddressRules,
  createApiTokens,
  Authentication,
  createOidc,
  createPathTokens,
  createPlatformTokens,
  createStaticUsers,
  oidcInstruments,
  platformInstruments,
  PullTokens,
  type Authenticator,
  type IssuedTokens,
  type PathTokens,
  type TokenManager,
  type AuthRequest,
  withPlatform,
} from '../identity/index.ts';
import type { MetricSet } from '../metric/index.ts';
import { isLoopbackListener } from './loopback-listener.ts';

interface Parts {
  readonly issued: IssuedTokens;
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Identity {
  /** Authenticates requests, and challenges those that need credentials. */
  readonly admission: {
    readonly authentication: Authentication;
    readonly listener: AuthRequest['listener'];
    challenges(): boolean;
    readonly challengesAll: boolean;
    readonly pathTokens: PathTokens;
    readonly publicUrl?: string;
  };
  /** Short-lived tokens that `/v2/token` issues. */
  readonly tokens: PullTokens;
  /** Issues long-lived tokens. */
  readonly tokenManager: TokenManager;
}

/** Creates the authentication of a server. */
export function createIdentity(config: Config, parts: Parts): Identity {
  const { issued, clock, random, metrics } = parts;
  const { anonymous } = config.gateway;
  const tokens = new PullTokens({ clock, random, isValid: (holder) => issued.isValid(holder) });
  const platform = platformOf(config, parts);
  const authenticators = [...authenticatorsOf(config, parts), ...(platform ? [platform] : [])];
  const authentication = new Authentication({
    authenticators,
    issued: [tokens, createApiTokens(issued)],
    addresses: createAddressRules(config.identity.addresses),
    anonymousPull: anonymous !== false,
    clock,
    random,
    metrics,
  });
  const { publicUrl } = config;
  const admission = {
    authentication,
    listener: isLoopbackListener(config.listen) ? ('loopback' as const) : ('open' as const),
    challenges: () => authenticators.length > 0 || issued.hasApiTokens,
    challengesAll: anonymous === 'challenge',
    pathTokens: createPathTokens(issued),
    ...(publicUrl !== undefined && { publicUrl }),
  };
  return { admission, tokens, tokenManager: withPlatform(issued, platform) };
}

/** The authentication of scrapes; `undefined` if they need no credentials. */
export function scrapeAdmissionOf(
  { metrics }: Config,
  admission: Identity['admission'],
): Identity['admission'] | undefined {
  if (metrics === false || metrics.access === 'public') return undefined;
  return { ...admission, listener: isLoopbackListener(metrics.listen) ? 'loopback' : 'open' };
}

/** In the order in which they check credentials, with the Platform last: any text could be a token of it. */
function authenticatorsOf({ users, identity }: Config, parts: Parts): readonly Authenticator[] {
  const authenticators: Authenticator[] = [];
  // Always declare the instruments, so that the metric families do not depend on the configuration.
  const fetches = oidcInstruments(parts.metrics);
  if (identity.oidc.length > 0) authenticators.push(createOidc({ issuers: identity.oidc, fetches, ...parts }));
  if (users.length > 0) {
    const revealed = users.map((user) => ({ ...user, passwordHash: user.passwordHash.reveal() }));
    authenticators.push(createStaticUsers({ users: revealed, ...parts }));
  }
  return authenticators;
}

function platformOf(
  { users, identity, gateway }: Config,
  parts: Parts,
): ReturnType<typeof createPlatformTokens> | undefined {
  const instruments = platformInstruments(parts.metrics);
  if (identity.platform === undefined) return undefined;
  const names = new Set(users.map(({ name }) => name));
  const anonymousPull = gateway.anonymous !== false;
  const isUser = (name: string): boolean => names.has(name);
  const { endpoint, whenDown, timeout: timeoutMs, cacheFor: cacheForMs, staleFor: staleForMs } = identity.platform;
  const settings = { endpoint, whenDown, timeoutMs, cacheForMs, staleForMs };
  return createPlatformTokens({ ...settings, anonymousPull, isUser, instruments, ...parts });
}
