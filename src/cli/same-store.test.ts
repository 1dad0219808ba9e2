import { expect, test } from 'vitest';
import { configReader, remoteOf } from '../app.ts';
import type { RemoteStore } from '../store/index.ts';
import { isSameStore } from './same-store.ts';

function storeOf(text: string): Promise<RemoteStore | undefined> {
  const file = { name: 'c.yaml', text: `store: { ${text} }`, directory: '/' };
  return remoteOf(configReader.read({ file, environment: {}, workingDirectory: '/', readSecret: () => '' }));
}

const redis = (url: string) => `driver: redis, url: "${url}"`;
const sentinel = (name: string, address: string) =>
  `driver: redis, sentinel: { name: ${name}, addresses: ["${address}"] }`;
const cluster = (...nodes: readonly string[]) =>
  `driver: redis, cluster: [${nodes.map((node) => `"${node}"`).join(', ')}]`;

test.each([
  ['driver: sqlite', 'driver: sqlite'],
  [redis('redis://h'), redis('redis://u:p@H:6379/0')],
  [redis('redis://h:1/2'), redis('rediss://h:1/2')],
  [redis('unix:///run/redis'), redis('unix:///run/redis')],
  [sentinel('m', 's:1'), sentinel('m', 's:1')],
  [cluster('a:1', 'b:1'), cluster('c:1', 'b:1')],
])('%s and %s are one', async (one, other) => {
  expect(isSameStore(await storeOf(one), await storeOf(other))).toBe(true);
});

test.each([
  ['driver: sqlite', redis('redis://h')],
  [redis('redis://h'), redis('redis://i')],
  [redis('redis://h'), redis('redis://h:6380')],
  [redis('redis://h/0'), redis('redis://h/1')],
  [redis('unix:///run/redis'), redis('unix:///run/valkey')],
  [sentinel('m', 's:1'), sentinel('n', 's:1')],
  [cluster('a:1'), cluster('a:2')],
])('%s and %s are two', async (one, other) => {
  expect(isSameStore(await storeOf(one), await storeOf(other))).toBe(false);
  expect(isSameStore(await storeOf(other), await storeOf(one))).toBe(false);
});
