import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientOf, createForwardedReader, forwardedOf, isForwarded } from './forwarded.ts';

const read = createForwardedReader(['10.0.0.0/8', '2001:db8::/32', '127.0.0.1']);

/** The trusted statement about a request from `peer` with these headers. */
function believed(peer: string, headers: Record<string, string>, reader = read) {
  const request = { headers, socket: { remoteAddress: peer } } as unknown as IncomingMessage;
  reader(request);
  return forwardedOf(headers);
}

describe('the client behind trusted proxies', () => {
  test.each([
    // One proxy.
    ['10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['127.0.0.1', '2001:db9::1', '2001:db9::1'],
    ['2001:db8::1', '192.0.2.1', '192.0.2.1'],
    // A chain of proxies.
    ['10.0.0.1', '192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['10.0.0.1', '192.0.2.1,10.0.0.3 ,10.0.0.2', '192.0.2.1'],
    // Invented by the client.
    ['10.0.0.1', '198.51.100.9, 192.0.2.1', '192.0.2.1'],
    ['10.0.0.1', '10.0.0.9, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['10.0.0.1', 'nonsense, 192.0.2.1', '192.0.2.1'],
    // Only internal addresses.
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    // A client on this machine behind proxies on this machine.
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1, 127.0.0.1', '127.0.0.1'],
    // A loopback address of another machine.
    ['10.0.0.1', '127.0.0.1', ''],
    ['10.0.0.1', '::1', ''],
    ['127.0.0.1', '127.0.0.1, 10.0.0.2', ''],
    // With ports.
    ['10.0.0.1', '192.0.2.1:4711', '192.0.2.1'],
    ['10.0.0.1', '[2001:db9::1]:4711', '2001:db9::1'],
    ['10.0.0.1', '[2001:db9::1]', '2001:db9::1'],
    // Entries that no trusted proxy wrote are ignored.
    ['10.0.0.1', 'unknown, 192.0.2.1', '192.0.2.1'],
    // An invalid entry of a trusted proxy: the client is unknown, never the proxy.
    ['10.0.0.1', 'unknown', ''],
    ['10.0.0.1', '192.0.2.1, unknown', ''],
    ['10.0.0.1', '192.0.2.1, unknown, 10.0.0.2', ''],
    ['10.0.0.1', '192.0.2.1,', ''],
    ['10.0.0.1', '"192.0.2.1"', ''],
    ['10.0.0.1', '_hidden', ''],
    ['10.0.0.1', 'unix:', ''],
    ['10.0.0.1', '192.0.2.999', ''],
    ['10.0.0.1', '192.0.2.1:http', ''],
    ['10.0.0.1', '[2001:db9::1', ''],
    ['10.0.0.1', '', ''],
  ])('peer %s, header %j: %s', (peer, header, client) => {
    expect(believed(peer, { 'x-forwarded-for': header })?.client).toBe(client);
  });

  test("a client's own header never determines its address", () => {
    const item = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom('10.0.0.9', '127.0.0.1', '', ','));
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), (madeUp) => {
        // The outer proxy appends the client, the inner one appends the outer.
        const header = [...madeUp, '192.0.2.1', '10.0.0.2'].join(', ');
        expect(believed('10.0.0.1', { 'x-forwarded-for': header })?.client).toBe('192.0.2.1');
      }),
    );
  });

  test.each([['192.0.2.7'], ['11.0.0.1'], [''], ['2001:db9::1']])('%j is not a trusted proxy', (peer) => {
    const headers = { 'x-forwarded-for': '10.0.0.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' };
    expect(believed(peer, headers)).toBeUndefined();
  });

  test('without trusted proxies the headers are ignored', () => {
    expect(believed('127.0.0.1', { 'x-forwarded-for': '192.0.2.1' }, createForwardedReader([]))).toBeUndefined();
  });
});

describe('the scheme and host that the client used', () => {
  test.each([
    [{}, { client: '10.0.0.1' }],
    [{ 'x-forwarded-proto': 'https' }, { client: '', scheme: 'https' }],
    [{ 'x-forwarded-proto': 'http, HTTPS' }, { client: '', scheme: 'https' }],
    [{ 'x-forwarded-proto': 'gopher' }, { client: '' }],
    [{ 'x-forwarded-host': 'a.example, pull.example.org' }, { client: '', host: 'pull.example.org' }],
    [
      { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' },
      { client: '192.0.2.1', scheme: 'https' },
    ],
  ])('%j: %j', (headers, expected) => {
    expect(believed('10.0.0.1', { ...headers })).toEqual(expected);
  });
});

describe('isForwarded', () => {
  const marks =
    'forwarded via x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port ' +
    'x-real-ip cf-connecting-ip fly-client-ip true-client-ip x-client-ip x-original-forwarded-for ' +
    'x-envoy-external-address x-envoy-internal x-envoy-peer-metadata';
  test.each(marks.split(' '))(
    '%s marks a request as forwarded: its client is neither the proxy nor this machine',
    (name) => {
      const headers = { host: 'localhost', [name]: 'unknown' };
      expect(isForwarded(headers)).toBe(true);
      believed('127.0.0.1', headers);
      expect(clientOf(headers, '127.0.0.1')).toBe('');
      // An untrusted proxy on this machine is not a local client.
      expect(clientOf({ ...headers }, '127.0.0.1')).toBe('');
    },
  );

  test('is false for other headers', () => {
    const headers = { host: 'localhost', 'x-registry': 'lab', 'x-request-id': '1', 'user-agent': 'docker/29' };
    expect(isForwarded(headers)).toBe(false);
    expect(clientOf(headers, '::ffff:127.0.0.1')).toBe('127.0.0.1');
  });

  test('an untrusted remote proxy is the client, whatever its headers state', () => {
    expect(clientOf({ 'x-forwarded-for': '192.0.2.1' }, '::ffff:198.51.100.7')).toBe('198.51.100.7');
  });
});
