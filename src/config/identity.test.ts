import { describe, expect, test } from 'vitest';
import { printed, problemsOf, readText } from './testing/read-text.ts';

const whole = `
gateway: { anonymous: challenge }
trustedProxies: [10.0.0.0/8, "::1"]
identity:
  platform: { endpoint: "https://api.example.org/", whenDown: refuse, timeout: 2s, cacheFor: 1m, staleFor: 1h }
  oidc:
    - { issuer: "https://id.example.org/", audience: tonnage }
    - issuer: https://ci.example.org
      audience: [a, b]
      jwksUrl: https://ci.example.org/keys
      emailClaim: upn
      orgClaim: tenant
      rights: [ingest, pull]
  addresses:
    - { cidr: 10.1.0.0/16, org: Example.ORG }
    - { cidr: "2001:db8::/32", org: example.net }
`;

describe('the configuration of identity', () => {
  test('is read, with defaults for absent keys', () => {
    const { gateway, trustedProxies, identity } = readText(whole);
    expect({ anonymous: gateway.anonymous, trustedProxies, identity }).toEqual({
      anonymous: 'challenge',
      trustedProxies: ['10.0.0.0/8', '::1'],
      identity: {
        platform: {
          endpoint: 'https://api.example.org',
          whenDown: 'refuse',
          timeout: 2_000,
          cacheFor: 60_000,
          staleFor: 3_600_000,
        },
        oidc: [
          {
            // Exactly as tokens have it.
            issuer: 'https://id.example.org/',
            audience: ['tonnage'],
            emailClaim: 'email',
            rights: ['pull', 'query'],
          },
          {
            issuer: 'https://ci.example.org',
            audience: ['a', 'b'],
            jwksUrl: 'https://ci.example.org/keys',
            emailClaim: 'upn',
            orgClaim: 'tenant',
            rights: ['pull', 'ingest'],
          },
        ],
        addresses: [
          { cidr: '10.1.0.0/16', org: 'example.org' },
          { cidr: '2001:db8::/32', org: 'example.net' },
        ],
      },
    });
  });

  test('is empty by default', () => {
    const { gateway, trustedProxies, identity } = readText('');
    expect({ anonymous: gateway.anonymous, trustedProxies, identity }).toEqual({
      anonymous: true,
      trustedProxies: [],
      identity: { oidc: [], addresses: [] },
    });
  });

  test('is the same once printed and read again', () => {
    const config = readText(whole);
    expect(readText(printed(config)).identity).toEqual(config.identity);
    expect(readText(printed(config)).trustedProxies).toEqual(config.trustedProxies);
  });

  test.each([
    ['oidc: [{ issuer: "https://id", audience: a }]'],
    ['platform: { endpoint: "https://api" }'],
    ['addresses: [{ cidr: 10.0.0.0/8, org: o }]'],
  ])('a client can pull without being anonymous: %s', (text) => {
    expect(readText(`gateway: { anonymous: false }\nidentity: { ${text} }`).gateway.anonymous).toBe(false);
  });

  test('a variable sets a single value, and references in list items are replaced', () => {
    const environment = { TONNAGE_GATEWAY_ANONYMOUS: 'challenge', AUD: 'x' };
    const text = 'identity: { oidc: [{ issuer: "https://id", audience: "${AUD}" }] }';
    const config = readText(text, { environment });
    expect(config.gateway.anonymous).toBe('challenge');
    expect(config.identity.oidc[0]?.audience).toEqual(['x']);
  });
});

describe('each problem is one line', () => {
  test.each([
    ['gateway: { anonymous: chalenge }', 'gateway.anonymous: expected true, false or "challenge", but came "chalenge"'],
    ['trustedProxies: [10.0.0.0/33]', 'trustedProxies[0]: expected a network such as "10.1.0.0/16"'],
    ['trustedProxies: [proxy.example.org]', 'trustedProxies[0]: expected a network such as'],
    ['identity: { platform: {} }', 'identity.platform.endpoint: expected a URL such as'],
    [
      'identity: { platform: { endpoint: "https://a", whenDown: stalle } }',
      'identity.platform.whenDown: expected "stale", "anonymous" or "refuse", but came "stalle"; did you mean "stale"?',
    ],
    [
      'identity: { platform: { endpoint: "https://a", timeout: 2h } }',
      'identity.platform.timeout: expected a duration',
    ],
    [
      'identity: { platform: { endpoint: "https://a", timeout: 0s } }',
      'identity.platform.timeout: expected a duration such as "500ms", "30s", "5m", "12h" or "35d", at least 1ms and at most 1m',
    ],
    [
      'identity: { oidc: [{ issuer: "https://a", audience: "" }] }',
      'identity.oidc[0].audience: expected a text or a list',
    ],
    [
      'identity: { oidc: [{ issuer: "https://a", audience: [] }] }',
      'identity.oidc[0].audience: expected a text or a list',
    ],
    [
      'identity: { oidc: [{ issuer: "https://a", audience: [a, ""] }] }',
      'identity.oidc[0].audience: expected a text or',
    ],
    ["publicUrl: 'https://a\"b.example.org'", 'publicUrl: expected a URL without a path'],
    ['identity: { oidc: [5] }', 'identity.oidc[0]: expected a map of settings, but came a number'],
    ['identity: { oidc: [{ issuer: "https://a" }] }', 'identity.oidc[0].audience: expected a text or a list of texts'],
    ['identity: { oidc: [{ issuer: a, audience: b }] }', 'identity.oidc[0].issuer: expected the URL of an issuer'],
    [
      'identity: { oidc: [{ issuer: "https://a", audiance: b, audience: b }] }',
      'identity.oidc[0].audiance: unknown key; did you mean audience?',
    ],
    [
      'identity: { oidc: [{ issuer: "https://a", audience: b }, { issuer: "https://a", audience: c }] }',
      'identity.oidc[1].issuer: expected each issuer once, but "https://a" came before',
    ],
    ['identity: { addresses: [{ cidr: 10.0.0.0/8 }] }', 'identity.addresses[0].org: expected an organisation'],
    [
      'identity: { addresses: [{ cidr: "::ffff:10.0.0.0/8", org: o }] }',
      'identity.addresses[0].cidr: expected a network',
    ],
    [
      'identity: { addresses: [{ cidr: 10.0.0.0/8, org: o }, { cidr: 10.0.0.0/8, org: p }] }',
      'identity.addresses[1].cidr: expected each network once, but "10.0.0.0/8" came before',
    ],
  ])('%s', (text, expected) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(expected)]);
  });
});
