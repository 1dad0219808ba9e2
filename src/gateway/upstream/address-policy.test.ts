import type { LookupAddress } from 'node:dns';
import { networkInterfaces } from 'node:os';

import { describe, expect, it } from 'vitest';

import { UpstreamError } from './failure.ts';
import { AddressPolicy, type OwnAddress, type Resolve } from './address-policy.ts';

/** Names with their current addresses, in place of the system's resolver. */
type Names = Readonly<Record<string, readonly string[]>>;

function resolving(names: Names): Resolve {
  return (host, _options, callback) => {
    const addresses = (names[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (addresses.length > 0) return callback(null, addresses);
    callback(Object.assign(new Error(host), { code: 'ENOTFOUND' }), []);
  };
}

function policyOf(
  origin: string,
  { names = {}, exceptions = [], own = {} }: { names?: Names; exceptions?: string[]; own?: Partial<OwnAddress> } = {},
): AddressPolicy {
  const addresses = { ports: new Set<number>(), ...own };
  return new AddressPolicy({ origin: new URL(origin), exceptions, own: addresses, resolve: resolving(names) });
}

/** The addresses for a connection to a URL, or the error. */
async function dialled(from: AddressPolicy, url: string): Promise<readonly string[] | string> {
  const target = new URL(url);
  try {
    from.check(target);
    const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
    const found = await new Promise<readonly LookupAddress[]>((resolve, reject) => {
      from.lookup(target)(host, { all: true }, (error, addresses) => {
        if (error !== null) reject(error);
        else resolve(Array.isArray(addresses) ? addresses : []);
      });
    });
    return found.map(({ address }) => address);
  } catch (thrown) {
    if (thrown instanceof UpstreamError) return thrown.message;
    return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
  }
}

const names: Names = {
  'registry.example': ['1.1.1.1'],
  'inside.example': ['10.1.2.3'],
  'itself.example': ['127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'mixed.example': ['10.1.2.3', '1.1.1.2', '::1', 'fe80::1%eth0', '::ffff:127.0.0.1'],
};
const listed = '; the key redirects lists exceptions';

/** The policy of an upstream that has been dialled once, so that its class is known. */
async function known(
  host: string,
  more: { exceptions?: string[]; own?: Partial<OwnAddress> } = {},
): Promise<AddressPolicy> {
  const from = policyOf(`http://${host}`, { names, ...more });
  expect(await dialled(from, `http://${host}/`)).toEqual(names[host]);
  return from;
}

describe('an upstream with a public address', () => {
  it.each([
    ['http://1.2.3.4/', []],
    ['https://registry.example/', ['1.1.1.1']],
    ['https://mixed.example/', ['1.1.1.2']],
  ])('may lead to %s', async (url, expected) => {
    expect(await dialled(await known('registry.example'), url)).toEqual(expected.length === 0 ? 'ENOTFOUND' : expected);
  });

  it.each([
    ['http://10.1.2.3/', `leads from a public address to a private one${listed}`],
    ['http://inside.example/', `leads from a public address to a private one${listed}`],
    ['http://[fd00::1]/', `leads from a public address to a private one${listed}`],
    ['http://100.64.0.1/', `leads from a public address to a private one${listed}`],
    ['http://127.0.0.1/', `leads from a public address to a loopback one${listed}`],
    ['http://2130706433/', `leads from a public address to a loopback one${listed}`],
    ['http://0x7f.1/', `leads from a public address to a loopback one${listed}`],
    ['http://[::ffff:127.0.0.1]/', `leads from a public address to a loopback one${listed}`],
    ['http://localhost/', `leads from a public address to a loopback one${listed}`],
    ['http://LOCALHOST./', `leads from a public address to a loopback one${listed}`],
    ['http://a.localhost/', `leads from a public address to a loopback one${listed}`],
    ['http://itself.example/', `leads from a public address to a loopback one${listed}`],
    ['http://0.0.0.0/', `leads to a link-local or reserved address${listed}`],
    ['http://[::]/', `leads to a link-local or reserved address${listed}`],
    ['http://169.254.169.254/', `leads to a link-local or reserved address${listed}`],
    ['http://metadata.example/', `leads to a link-local or reserved address${listed}`],
    ['http://[64:ff9b::a9fe:a9fe]/', `leads to a link-local or reserved address${listed}`],
  ])('may not lead to %s', async (url, reason) => {
    expect(await dialled(await known('registry.example'), url)).toBe(reason);
  });

  it('may not lead inward by a name that changes its address', async () => {
    const changing: Record<string, readonly string[]> = { 'registry.example': ['1.1.1.1'], 'cdn.example': ['1.1.1.2'] };
    const from = policyOf('http://registry.example', { names: changing });
    await dialled(from, 'http://registry.example/');
    expect(await dialled(from, 'http://cdn.example/')).toEqual(['1.1.1.2']);
    changing['cdn.example'] = ['10.0.0.1'];
    expect(await dialled(from, 'http://cdn.example/')).toContain('to a private one');
    // Its own name may move, but it was public, so it permits no more than before.
    changing['registry.example'] = ['127.0.0.1'];
    expect(await dialled(from, 'http://registry.example/')).toEqual(['127.0.0.1']);
    expect(await dialled(from, 'http://localhost:9000/')).toContain('to a loopback one');
    changing['registry.example'] = ['169.254.169.254'];
    expect(await dialled(from, 'http://registry.example/')).toContain('link-local');
  });
});

it('an upstream with a private address may lead to private and public ones', async () => {
  const from = await known('inside.example');
  expect(await dialled(from, 'http://registry.example/')).toEqual(['1.1.1.1']);
  expect(await dialled(from, 'http://inside.example:9000/')).toEqual(['10.1.2.3']);
  expect(await dialled(from, 'http://mixed.example/')).toEqual(['10.1.2.3', '1.1.1.2']);
  expect(await dialled(from, 'http://127.0.0.1/')).toBe(`leads from a private address to a loopback one${listed}`);
});

it("an upstream on this machine may lead anywhere except to link-local addresses and this server's listeners", async () => {
  const from = policyOf('http://127.0.0.1:5000', { names, own: { ports: new Set([8080]) } });
  expect(await dialled(from, 'http://itself.example:9000/')).toEqual(['127.0.0.1']);
  expect(await dialled(from, 'http://inside.example/')).toEqual(['10.1.2.3']);
  expect(await dialled(from, 'http://169.254.1.1/')).toContain('link-local');
  for (const host of ['127.0.0.1', 'localhost', '127.9.9.9', '[::1]', '[::ffff:127.0.0.1]', 'itself.example']) {
    expect([host, await dialled(from, `http://${host}:8080/`)]).toEqual([host, 'leads back to this gateway']);
  }
  for (const { address, scopeid } of Object.values(networkInterfaces()).flatMap((found) => found ?? [])) {
    if (scopeid !== undefined && scopeid !== 0) continue;
    const host = address.includes(':') ? `[${address}]` : address;
    expect([host, await dialled(from, `http://${host}:8080/`)]).toEqual([host, 'leads back to this gateway']);
  }
});

it('an upstream may not lead to the public URL of this server', async () => {
  const from = await known('registry.example', { own: { publicUrl: 'https://pull.example' } });
  expect(await dialled(from, 'https://pull.example/api')).toBe('leads back to this gateway');
  expect(await dialled(from, 'https://PULL.example.:443/')).toBe('leads back to this gateway');
  expect(await dialled(from, 'https://pull.example:444/')).toBe('ENOTFOUND');
});

it('an upstream whose address only an egress proxy knows may lead to public ones', async () => {
  const from = policyOf('http://registry.example', { names });
  expect(await dialled(from, 'http://10.1.2.3/')).toContain('from a public address to a private one');
  expect(await dialled(from, 'http://localhost/')).toContain('to a loopback one');
});

describe('an exception', () => {
  it('permits a host at all ports or at one', async () => {
    const from = await known('registry.example', {
      exceptions: ['inside.example', '127.0.0.1:9000', '169.254.169.254'],
    });
    expect(await dialled(from, 'http://inside.example:1234/')).toEqual(['10.1.2.3']);
    expect(await dialled(from, 'http://127.0.0.1:9001/')).toContain('to a loopback one');
    // A literal address needs no lookup.
    for (const url of ['http://127.0.0.1:9000/', 'http://169.254.169.254/'])
      expect(await dialled(from, url)).toBe('ENOTFOUND');
  });

  it("permits this server's listeners only with their port", async () => {
    const own = { ports: new Set([8080, 8081]) };
    const from = await known('registry.example', { exceptions: ['127.0.0.1', '127.0.0.1:8081'], own });
    expect(await dialled(from, 'http://127.0.0.1:8080/')).toBe('leads back to this gateway');
    expect(await dialled(from, 'http://127.0.0.1:8081/')).toBe('ENOTFOUND');
  });
});

it('a lookup returns one address unless all are requested, and the error for an unknown name', async () => {
  const from = await known('registry.example');
  const one = await new Promise((resolve) => {
    from.lookup(new URL('http://mixed.example'))('mixed.example', {}, (...answer) => resolve(answer));
  });
  expect(one).toEqual([null, '1.1.1.2', 4]);
  expect(await dialled(from, 'http://nowhere.example')).toBe('ENOTFOUND');
});
