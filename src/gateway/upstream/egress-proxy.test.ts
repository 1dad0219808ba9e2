import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startEgressProxy, type EgressProxy } from '../../../test/support/egress-proxy.ts';
import { makeCertificates } from '../../../test/support/redis-tls.ts';
import { parseReference, type Reference } from '../../oci/index.ts';
import { connectionsOf } from '../testing/connections.ts';
import { TestClock } from '../testing/gateway.ts';
import { image } from '../testing/images.ts';
import { RecordingMeter } from '../testing/meter.ts';
import { TestUpstream } from '../testing/upstream.ts';
import { createUpstreamClient, type UpstreamClient } from './client.ts';
import { proxyFromEnvironment } from './egress-proxy.ts';

const manifest = image({});
const blob = manifest.blobs[1] ?? manifest;
const tag: Reference = parseReference('v1') ?? { kind: 'tag', tag: 'v1' };

describe('an upstream behind an egress proxy', () => {
  let lab: TestUpstream;
  let elsewhere: TestUpstream;
  let proxy: EgressProxy;
  let endings: (() => Promise<void>)[];

  beforeEach(async () => {
    lab = await TestUpstream.start();
    elsewhere = await TestUpstream.start();
    lab.put('app', manifest, 'v1');
    elsewhere.putBlob('app', blob);
    proxy = await startEgressProxy({
      'registry.example': lab.port,
      'cdn.example': elsewhere.port,
      '1.1.1.1': lab.port,
    });
    endings = [];
  });

  afterEach(async () => {
    for (const end of endings) await end();
    await proxy.stop();
    await lab.stop();
    await elsewhere.stop();
  });

  function client(url = 'http://registry.example', proxyUrl = proxy.url): UpstreamClient {
    const connections = connectionsOf(url, { proxyOf: () => new URL(proxyUrl) });
    endings.push(
      () => connections.destroy(),
      () => connections.proxies.destroy(),
    );
    const shared = { userAgent: 'x', clock: new TestClock(), meter: new RecordingMeter() };
    return createUpstreamClient({ url, connections, ...shared });
  }

  it('reuses few connections, and so do its redirect targets', async () => {
    lab.behaviour.redirectBlobsTo = 'http://cdn.example';
    const proxied = client();
    for (let round = 0; round < 5; round++) await proxied.getManifest('app', tag);
    expect(await proxied.headBlob('app', blob.digest)).toBe(blob.body.byteLength);
    expect(proxy.seen.slice(-2)).toEqual([
      `HEAD http://registry.example/v2/app/blobs/${blob.digest.text}`,
      `HEAD http://cdn.example/v2/app/blobs/${blob.digest.text}`,
    ]);
    expect(lab.requests[0]?.headers.host).toBe('registry.example');
    expect(proxy.connections).toBeLessThan(5);
  });

  it('may not lead to private or loopback addresses, and the proxy gets no such request', async () => {
    for (const target of ['http://10.1.2.3', 'http://127.0.0.1:9', 'http://localhost', 'http://169.254.169.254']) {
      lab.behaviour.redirectBlobsTo = target;
      await expect(client().headBlob('app', blob.digest)).rejects.toThrow(/^leads /);
    }
    expect(proxy.seen.every((asked) => asked.includes('registry.example'))).toBe(true);
  });

  it('is requested with the proxy credentials, which the upstream does not see', async () => {
    const guarded = await startEgressProxy({ 'registry.example': lab.port }, 'me:p@ss/w');
    endings.push(() => guarded.stop());
    const withPassword = guarded.url.replace('//', '//me:p%40ss%2Fw@');
    await client(undefined, withPassword).getManifest('app', tag);
    expect(lab.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
    await expect(client(undefined, guarded.url).getManifest('app', tag)).rejects.toThrow(
      'could not be reached through its egress proxy (it answered 407)',
    );
  });

  it.each([403, 407, 502])('is unreachable by https when the proxy answers %s', async (status) => {
    proxy.refuse = status;
    await expect(client('https://registry.example').getManifest('app', tag)).rejects.toThrow(
      `could not be reached through its egress proxy (it answered ${status})`,
    );
    expect(proxy.seen).toEqual(['CONNECT registry.example:443']);
  });

  it('is unreachable when the proxy is', async () => {
    const { url } = proxy;
    await proxy.stop();
    for (const scheme of ['http', 'https']) {
      await expect(client(`${scheme}://registry.example`, url).getManifest('app', tag)).rejects.toThrow(
        'could not be reached through its egress proxy (ECONNREFUSED)',
      );
    }
    proxy = await startEgressProxy({});
  });

  it('is aborted with its client when the proxy is silent', async () => {
    proxy.isSilent = true;
    for (const scheme of ['http', 'https']) {
      const work = client(`${scheme}://registry.example`).headBlob('app', blob.digest, AbortSignal.timeout(50));
      await expect(work).rejects.toThrow(/^could not be reached.* \(TimeoutError\)$/);
    }
  });

  describe('by https', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tonnage-egress-'));
    let server: Server;
    let port = 0;
    let handshakes = 0;

    beforeAll(async () => {
      const { cert, key } = await makeCertificates(directory);
      server = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
      server.on('tlsClientError', () => handshakes++);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      port = typeof address === 'object' && address !== null ? address.port : 0;
    });

    afterAll(() => {
      server.close();
      rmSync(directory, { recursive: true, force: true });
    });

    it('is reached by a tunnel, and its certificate is checked', async () => {
      const tunnels = await startEgressProxy({ 'registry.example': port });
      endings.push(() => tunnels.stop());
      const work = client('https://registry.example:5000', tunnels.url).headBlob('app', blob.digest);
      await expect(work).rejects.toThrow(
        /^could not be reached through its egress proxy \((UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN)\)$/,
      );
      expect(tunnels.seen).toEqual(['CONNECT registry.example:5000']);
      await expect.poll(() => handshakes).toBe(1);
    });
  });
});

describe('the proxy from the environment', () => {
  const http = 'http://proxy.example:3128/';
  const https = 'http://secure.example:3128/';

  it('depends on the scheme, without a fallback to the other one', () => {
    const both = proxyFromEnvironment({ http, https });
    expect(both(new URL('http://a.example'))?.href).toBe(http);
    expect(both(new URL('https://a.example'))?.href).toBe(https);
    expect(proxyFromEnvironment({ http })(new URL('https://a.example'))).toBeUndefined();
    expect(proxyFromEnvironment({ https })(new URL('http://a.example'))).toBeUndefined();
    expect(proxyFromEnvironment({})(new URL('http://a.example'))).toBeUndefined();
  });

  const isDirect = (url: string, none: string): boolean =>
    proxyFromEnvironment({ http, https, none })(new URL(url)) === undefined;

  it.each(['http://localhost:5000', 'http://127.0.0.1', 'http://[::1]:5000', 'http://127.9.9.9'])(
    'is not used for %s',
    (url) => expect(isDirect(url, '')).toBe(true),
  );

  it.each([
    ['http://a.example', '*'],
    ['http://a.example', 'a.example'],
    ['http://a.example', 'b.example, A.Example'],
    ['http://a.example', 'b.example a.example'],
    ['http://b.a.example', 'a.example'],
    ['http://b.a.example', '.a.example'],
    ['http://a.example', '.a.example'],
    ['http://b.a.example', '*.a.example'],
    ['http://a.example.', 'a.example'],
    ['http://a.example', 'a.example:80'],
    ['https://a.example', 'a.example:443'],
    ['http://a.example:5000', 'a.example:5000'],
    ['http://10.1.2.3', '10.1.2.3'],
    ['http://10.1.2.3:5000', '10.1.2.3:5000'],
    ['http://10.1.2.3', '10.0.0.0/8'],
    ['http://[fd00::1]', 'fd00::1'],
    ['http://[fd00::1]', '[fd00::1]'],
    ['http://[fd00::1]:5000', '[fd00:0::1]:5000'],
    ['http://[fd00::1]', 'fd00::/8'],
  ])('is not used for %s with NO_PROXY=%s', (url, none) => expect(isDirect(url, none)).toBe(true));

  it.each([
    ['http://a.example', ''],
    ['http://a.example', ','],
    ['http://a.example', 'example.org'],
    ['http://ba.example', 'a.example'],
    ['http://a.example', '*.a.example'],
    ['http://a.example', 'b.a.example'],
    ['http://a.example', 'a.example:443'],
    ['http://a.example:5000', 'a.example:80'],
    ['http://11.1.2.3', '10.0.0.0/8'],
    ['http://10.1.2.30', '10.1.2.3'],
    ['http://[fd00::2]', 'fd00::1'],
    ['http://a.example', '.'],
  ])('is used for %s with NO_PROXY=%s', (url, none) => expect(isDirect(url, none)).toBe(false));
});
