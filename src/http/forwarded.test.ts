import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createForwardedReader, forwardedOf } from './forwarded.ts';

const read = createForwardedReader(['10.0.0.0/8', '2001:db8::/32', '127.0.0.1']);

/** What is believed of a request with these headers that `peer` has sent. */
function believed(peer: string, headers: Record<string, string>, reader = read) {
  const request = { headers, socket: { remoteAddress: peer } } as unknown as IncomingMessage;
  reader(request);
  return forwardedOf(headers);
}

describe('who the client is, behind trusted proxies', () => {
  test.each([
    // One proxy.
    ['10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['127.0.0.1', '2001:db9::1', '2001:db9::1'],
    ['2001:db8::1', '192.0.2.1', '192.0.2.1'],
    // A chain of them.
    ['10.0.0.1', '192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['10.0.0.1', '192.0.2.1,10.0.0.3 ,10.0.0.2', '192.0.2.1'],
    // What the client made up.
    ['10.0.0.1', '198.51.100.9, 192.0.2.1', '192.0.2.1'],
    ['10.0.0.1', '10.0.0.9, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['10.0.0.1', 'nonsense, 192.0.2.1', '192.0.2.1'],
    // Inside alone.
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    // With ports.
    ['10.0.0.1', '192.0.2.1:4711', '192.0.2.1'],
    ['10.0.0.1', '[2001:db9::1]:4711', '2001:db9::1'],
    ['10.0.0.1', '[2001:db9::1]', '2001:db9::1'],
    // Nothing that can be read.
    ['10.0.0.1', 'unknown', '10.0.0.1'],
    ['10.0.0.1', '192.0.2.1, unknown', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
  ])('%s says %j: %s', (peer, header, client) => {
    expect(believed(peer, { 'x-forwarded-for': header })?.client).toBe(client);
  });

  test('what a client sends along never says who it is', () => {
    const item = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom('10.0.0.9', '127.0.0.1', '', ','));
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), (madeUp) => {
        // The outer proxy appends the client, the inner one the outer.
        const header = [...madeUp, '192.0.2.1', '10.0.0.2'].join(', ');
        expect(believed('10.0.0.1', { 'x-forwarded-for': header })?.client).toBe('192.0.2.1');
      }),
    );
  });

  test.each([['192.0.2.7'], ['11.0.0.1'], [''], ['2001:db9::1']])('%j is no proxy, and is not believed', (peer) => {
    const headers = { 'x-forwarded-for': '10.0.0.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' };
    expect(believed(peer, headers)).toBeUndefined();
  });

  test('without trusted proxies nobody is believed', () => {
    expect(believed('127.0.0.1', { 'x-forwarded-for': '192.0.2.1' }, createForwardedReader([]))).toBeUndefined();
  });
});

describe('by which scheme and host the client called', () => {
  test.each([
    [{}, { client: '10.0.0.1' }],
    [{ 'x-forwarded-proto': 'https' }, { client: '10.0.0.1', scheme: 'https' }],
    [{ 'x-forwarded-proto': 'http, HTTPS' }, { client: '10.0.0.1', scheme: 'https' }],
    [{ 'x-forwarded-proto': 'gopher' }, { client: '10.0.0.1' }],
    [{ 'x-forwarded-host': 'a.example, pull.example.org' }, { client: '10.0.0.1', host: 'pull.example.org' }],
  ])('%j: %j', (headers, expected) => {
    expect(believed('10.0.0.1', { ...headers })).toEqual(expected);
  });
});
