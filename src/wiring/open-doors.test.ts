import { expect, test } from 'vitest';
import { readConfig } from '../config/index.ts';
import { warnOfOpenDoors } from './open-doors.ts';

/** The warnings about a configuration, in YAML. */
function warnings(text: string): readonly string[] {
  const config = readConfig({
    file: { name: 'c.yaml', text, directory: '/' },
    environment: {},
    workingDirectory: '/',
    readSecret: () => '',
  });
  const lines: string[] = [];
  const ignore = (): void => undefined;
  const warn = (_fields: object, message: string): void => void lines.push(message.split(':')[0] ?? '');
  warnOfOpenDoors(config, { debug: ignore, info: ignore, error: ignore, warn });
  return lines;
}

const anybody = 'anybody who reaches this address may pull through it';
const nobody = 'no users are configured, so that nobody can read usage here without an API token';
const plain = 'who says whose tokens these are is asked over plain http';

test.each<[string, readonly string[]]>([
  ['listen: 127.0.0.1:8080', []],
  ['listen: 0.0.0.0:8080', [anybody, nobody]],
  ['gateway: { anonymous: challenge }', [anybody, nobody]],
  ['identity: { platform: { endpoint: "https://api.example.org" } }', [anybody]],
  ['identity: { oidc: [{ issuer: "https://id.example.org", audience: a }] }\ngateway: { anonymous: false }', []],
  ['identity: { addresses: [{ cidr: 10.0.0.0/8, org: o }] }', [anybody, nobody]],
  ['identity: { platform: { endpoint: "http://api.example.org" } }', [plain, anybody]],
  ['identity: { platform: { endpoint: "http://127.0.0.1:5000" } }', [anybody]],
  ['identity: { platform: { endpoint: "http://[::1]:5000" } }', [anybody]],
  [
    'identity: { oidc: [{ issuer: "https://i.example.org", audience: a, jwksUrl: "http://i.example.org/k" }] }',
    [plain, anybody],
  ],
])('%s', (text, expected) => {
  expect(warnings(text)).toEqual(expected);
});
