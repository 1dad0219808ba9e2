import { expect, test } from 'vitest';
import { createConfigReader } from '../config/index.ts';
import { warnOfExposure } from './exposure.ts';

/** The warnings about a configuration in YAML, without their advice. */
function warnings(text: string): readonly string[] {
  const config = createConfigReader({}).read({
    file: { name: 'c.yaml', text, directory: '/' },
    environment: {},
    workingDirectory: '/',
    readSecret: () => '',
  });
  const lines: string[] = [];
  const ignore = (): void => undefined;
  const warn = (_fields: object, message: string): void => void lines.push(message.split(':')[0] ?? '');
  warnOfExposure(config, { debug: ignore, info: ignore, error: ignore, warn });
  return lines;
}

const anonymous = 'clients may pull without credentials on this address';
const noUsers = 'no users are configured, so reading usage on this address needs an API token';
const plain = 'tokens are verified over plain http';
const plainScrapes = 'scrapers send their credentials to this address in plain http';

test.each<[string, readonly string[]]>([
  ['listen: 127.0.0.1:8080', []],
  ['listen: 0.0.0.0:8080', [anonymous, noUsers]],
  ['gateway: { anonymous: challenge }', [anonymous, noUsers]],
  ['identity: { platform: { endpoint: "https://api.example.org" } }', [anonymous]],
  ['identity: { oidc: [{ issuer: "https://id.example.org", audience: a }] }\ngateway: { anonymous: false }', []],
  ['listen: 127.0.0.1:1\nmetrics: { listen: :2, access: required }', [plainScrapes]],
  ['listen: 127.0.0.1:1\nmetrics: { listen: 192.0.2.1:2, access: required }', [plainScrapes]],
  ['listen: 127.0.0.1:1\nmetrics: { listen: 127.0.0.1:2, access: required }', []],
  ['listen: 127.0.0.1:1\nmetrics: :2', []],
  ['identity: { addresses: [{ cidr: 10.0.0.0/8, org: o }] }', [anonymous, noUsers]],
  ['identity: { platform: { endpoint: "http://api.example.org" } }', [plain, anonymous]],
  ['identity: { platform: { endpoint: "http://127.0.0.1:5000" } }', [anonymous]],
  ['identity: { platform: { endpoint: "http://[::1]:5000" } }', [anonymous]],
  [
    'identity: { oidc: [{ issuer: "https://i.example.org", audience: a, jwksUrl: "http://i.example.org/k" }] }',
    [plain, anonymous],
  ],
])('%s', (text, expected) => {
  expect(warnings(text)).toEqual(expected);
});
