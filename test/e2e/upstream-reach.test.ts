import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { image } from '../../src/gateway/testing/images.ts';
import { TestUpstream } from '../../src/gateway/testing/upstream.ts';
import { startEgressProxy, type EgressProxy } from '../support/egress-proxy.ts';
import { makeCertificates } from '../support/redis-tls.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-reach-'));
const far = image({ name: 'far', architecture: 'arm64' });
const near = image({ name: 'near' });

/** An address of this machine that is not loopback; absent where it has no network. */
const outside = Object.values(networkInterfaces())
  .flatMap((found) => found ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

let lab: TestUpstream;

beforeAll(async () => {
  lab = await TestUpstream.start();
  lab.put('app', far, 'v1');
});

afterAll(async () => {
  await lab.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function portOf(server: { address(): unknown; listening: boolean }): Promise<number> {
  const address = server.address();
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0;
}

describe('a server whose environment names an egress proxy', () => {
  let proxy: EgressProxy;
  let direct: TestUpstream;
  let server: Tonnage;
  const secure = { port: 0, close: (): void => {} };

  beforeAll(async () => {
    const { ca, cert, key } = await makeCertificates(directory, 'DNS:secure.example');
    // What is decrypted goes to the upstream as it is.
    const tls = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
      const target = connect(lab.port, '127.0.0.1');
      socket.on('error', () => target.destroy());
      target.on('error', () => socket.destroy());
      socket.pipe(target).pipe(socket);
    });
    tls.listen(0, '127.0.0.1');
    await once(tls, 'listening');
    secure.port = await portOf(tls);
    secure.close = () => void tls.close();
    direct = await TestUpstream.start();
    direct.put('app', near, 'v1');
    proxy = await startEgressProxy({ 'plain.example': lab.port, 'secure.example': secure.port }, 'user:pass');
    const url = proxy.url.replace('//', '//user:pass@');
    const upstreams = {
      plain: { url: 'http://plain.example' },
      secure: { url: 'https://secure.example' },
      near: { url: direct.url },
      without: { url: 'http://plain.example', proxy: false },
      own: { url: 'http://plain.example', proxy: proxy.url },
    };
    const env = {
      HTTP_PROXY: url,
      http_proxy: '',
      https_proxy: url,
      no_proxy: '',
      NO_PROXY: '',
      NODE_EXTRA_CA_CERTS: ca,
    };
    server = await startTonnage(join(directory, 'proxied'), { upstreams }, process.execPath, env);
  });

  afterAll(async () => {
    await server.program.stop('SIGTERM');
    await proxy.stop();
    await direct.stop();
    secure.close();
  });

  const pull = (name: string): Promise<Response> => fetch(`${server.url}/v2/${name}/app/manifests/v1`);

  test.each(['plain', 'secure'])('pulls from %s through it, and counts that', async (name) => {
    const answer = await pull(name);
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(far.body);
    const blob = far.blobs.at(-1) ?? far;
    const layer = await fetch(`${server.url}/v2/${name}/app/blobs/${blob.digest.text}`);
    expect(Buffer.from(await layer.arrayBuffer())).toEqual(blob.body);
    expect((await server.pulls(`upstream=${name}&by=arch`)).rows).toEqual([{ arch: 'arm64', value: 1 }]);
    const asked = name === 'plain' ? 'GET http://plain.example/v2/app/manifests/v1' : 'CONNECT secure.example:443';
    expect(proxy.seen).toContain(asked);
  });

  test('tunnels to a TLS upstream are used again', async () => {
    await pull('secure');
    const before = proxy.seen.length;
    for (const { digest } of far.blobs)
      await fetch(`${server.url}/v2/secure/app/blobs/${digest.text}`, { method: 'HEAD' });
    expect(proxy.seen.slice(before).filter((asked) => asked.startsWith('CONNECT')).length).toBeLessThan(
      far.blobs.length,
    );
  });

  test('reaches loopback addresses directly, and upstreams without a proxy', async () => {
    const before = proxy.seen.length;
    expect(Buffer.from(await (await pull('near')).arrayBuffer())).toEqual(near.body);
    expect(await (await pull('without')).text()).toContain('could not be reached (E');
    expect(proxy.seen).toHaveLength(before);
  });

  test('says of a proxy that refuses us what it answered, and no password', async () => {
    const answer = await pull('own');
    expect(answer.status).toBe(502);
    expect(await answer.text()).toContain('could not be reached through its egress proxy (it answered 407)');
    expect(server.program.output()).not.toContain('pass@');
  });
});

describe('an upstream that leads elsewhere', () => {
  let server: Tonnage;
  let leading: Server;
  let target = '';
  const asked: string[] = [];

  beforeAll(async () => {
    leading = createServer((request, response) => {
      asked.push(request.headers.authorization ?? '');
      const realm = `Bearer realm="${target}"`;
      if (request.url?.includes('/realm/') === true) response.writeHead(401, { 'www-authenticate': realm }).end();
      else response.writeHead(307, { location: target }).end();
    });
    leading.listen(0);
    await once(leading, 'listening');
    const port = await portOf(leading);
    const upstreams = {
      local: { url: `http://127.0.0.1:${port}` },
      ...(outside !== undefined && {
        outside: { url: `http://${outside}:${port}` },
        listed: { url: `http://${outside}:${port}`, redirects: [`127.0.0.1:${lab.port}`] },
      }),
    };
    server = await startTonnage(join(directory, 'leading'), { upstreams });
  });

  afterAll(async () => {
    await server.program.stop('SIGTERM');
    leading.close();
    leading.closeAllConnections();
  });

  const paths = ['go/manifests/v1', 'go/tags/list', `go/blobs/sha256:${'a'.repeat(64)}`, 'realm/manifests/v1'];

  test('never leads to our own listeners, by whatever address', async () => {
    const hosts = ['127.0.0.1', 'localhost', '127.0.0.2', '[::ffff:127.0.0.1]', '0.0.0.0', '2130706433', '[::1]'];
    const urls = [server.url, server.metricsUrl].map((url) => new URL(url));
    for (const host of outside === undefined ? hosts : [...hosts, outside]) {
      for (const { port, pathname } of urls) {
        target = `http://${host}:${port}${pathname === '/' ? '/v2/token' : pathname}`;
        for (const path of paths) {
          const answer = await fetch(`${server.url}/v2/local/${path}`);
          expect([target, path, answer.status]).toEqual([target, path, 502]);
          expect(await answer.text()).toMatch(/leads (back to this gateway|to a link-local or reserved address)/);
        }
      }
    }
  });

  test.skipIf(outside === undefined)('never leads from the network to this machine, unless it is listed', async () => {
    lab.requests.length = 0;
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
      target = `http://${host}:${lab.port}/v2/app/manifests/v1`;
      for (const path of paths) {
        const answer = await fetch(`${server.url}/v2/outside/${path}`);
        expect([target, path, answer.status]).toEqual([target, path, 502]);
        expect(await answer.text()).toMatch(/leads from a (public|private) address to a loopback one/);
      }
    }
    expect(lab.requests).toEqual([]);
    target = `${lab.url}/v2/app/manifests/v1`;
    expect((await fetch(`${server.url}/v2/listed/go/manifests/v1`)).status).toBe(200);
  });
});
