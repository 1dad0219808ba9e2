import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage, type PushedImage } from '../support/images.ts';
import { freePort, listeningAddresses } from '../support/program.ts';
import { eventually } from '../support/redis.ts';
import { skopeoPull } from '../support/skopeo.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

let directory: string;
let upstream: DockerUpstream;
let image: PushedImage;
let server: Tonnage | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-e2e-'));
  upstream = await startDockerUpstream(directory);
  image = await pushImage(upstream.url, 'app', 'v1', { architecture: 'amd64', layers: [layer(20_000_000)] });
});
afterEach(async () => {
  await server?.program.stop('SIGKILL');
  server = undefined;
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

const config = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  upstreams: { lab: { url: upstream.url } },
  ...more,
});

describe('a stop', () => {
  test('lets a download in flight end, takes nothing new, and exits with 0', async () => {
    server = await startTonnage(directory, config());
    const { url, program } = server;
    await (await fetch(`${url}/v2/lab/app/manifests/v1`)).arrayBuffer();
    const request = get(`${url}/v2/lab/app/blobs/${image.layers[0]?.digest}`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.pause();
    const stopped = program.stop('SIGTERM');
    await program.until(/SIGTERM/);
    const isTaken = (): Promise<boolean> =>
      fetch(`${url}/healthz`).then(
        () => true,
        () => false,
      );
    await eventually('nothing new is taken', async () => !(await isTaken()));
    let length = 0;
    for await (const chunk of response) length += (chunk as Buffer).length;
    expect(length).toBe(20_000_000);
    expect(await stopped).toBe(0);
  });

  test('cuts a client off that does not read, after the time that it is given', async () => {
    server = await startTonnage(directory, config({ shutdownTimeout: '300ms' }));
    const request = get(`${server.url}/v2/lab/app/blobs/${image.layers[0]?.digest}`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.pause();
    response.on('error', () => undefined);
    expect(await server.program.stop('SIGTERM')).toBe(0);
    expect(server.program.output()).toMatch(/"requests":1,.*cut off/);
  });
});

describe('a data directory', () => {
  test('takes one server at a time, and names the process that holds it', async () => {
    server = await startTonnage(directory, config());
    const args = ['serve', '--config', join(directory, 'tonnage.yaml'), '--port', '0'];
    const { stderr } = await tonnage(args, { expected: 1 });
    expect(stderr).toMatch(/^tonnage: .*lock is locked by another Tonnage process/m);
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ alive: true });
  });

  test('with counts in one time zone is refused in another', async () => {
    server = await startTonnage(directory, config());
    expect((await fetch(`${server.url}/v2/lab/app/manifests/v1`)).status).toBe(200);
    await server.program.stop();
    const args = ['serve', '--config', join(directory, 'tonnage.yaml'), '--port', '0'];
    const env = { TONNAGE_TIME_ZONE: 'Europe/Berlin' };
    const { stderr } = await tonnage(args, { expected: 1, env });
    expect(stderr).toMatch(/counts its days in UTC, the configuration says Europe\/Berlin/);
  });
});

describe('users', () => {
  test('are challenged, counted for their organisation, and never anonymous by mistake', async () => {
    const hash = (await tonnage(['user', 'hash'], { input: 'pa:ss wörd\n' })).stdout.trim();
    expect(hash).toMatch(/^scrypt:/);
    server = await startTonnage(
      directory,
      config({ users: { alice: { passwordHash: hash, email: 'Alice@Example.ORG' } } }),
    );
    const reference = `127.0.0.1:${server.port}/lab/app:v1`;
    await skopeoPull(reference, join(directory, 'named'), { args: ['--src-creds', 'alice:pa:ss wörd'] });
    await skopeoPull(reference, join(directory, 'anonymous'));
    await expect(skopeoPull(reference, join(directory, 'no'), { args: ['--src-creds', 'alice:no'] })).rejects.toThrow(
      /unauthorized|invalid username/,
    );
    expect((await fetch(`${server.url}/api/v1/usage/pulls`)).status).toBe(401);
    expect((await fetch(`${server.url}/v1alpha2/metrics/pulls`)).status).toBe(401);
    const authorization = `Basic ${Buffer.from('alice:pa:ss wörd').toString('base64')}`;
    const own = await fetch(`${server.url}/api/v1/usage/pulls?by=org`, { headers: { authorization } });
    expect(await own.json()).toMatchObject({ rows: [{ org: 'example.org', value: 1 }], total: 1 });
    const wave = await fetch(`${server.url}/v1alpha2/metrics/pulls`, { headers: { authorization } });
    expect(await wave.json()).toEqual({ metric: 'pulls', count: 1, orgs: { 'example.org': 1 } });
    const all = await tonnage(['usage', 'pulls', '--by', 'org', '--format', 'csv', '--data', join(directory, 'data')]);
    expect(all.stdout).toBe('org,value\r\n,1\r\nexample.org,1\r\n');
    expect(server.program.output()).not.toMatch(/pa:ss|scrypt:|cGE6c3M/);
  });
});

describe('the metrics listener', () => {
  test.each([
    ['metrics: false', { metrics: false }],
    ['no metrics at all', { metrics: undefined }],
  ])('with %s nothing listens but the main listener', async (_, metrics) => {
    server = await startTonnage(directory, config(metrics));
    expect(listeningAddresses(server.pid)).toEqual([`127.0.0.1:${server.port}`]);
    expect(server.metricsUrl).toBeUndefined();
  });

  test.each([
    ['a port alone is one on all addresses, and names no organisation there', false, ''],
    ['organisations are named there only where that is asked for', true, 'example.org'],
  ])('%s', async (_, orgs, named) => {
    const port = await freePort();
    // The password is `password`.
    const passwordHash = 'sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8';
    const users = { alice: { passwordHash, email: 'alice@example.org' } };
    server = await startTonnage(directory, config({ metrics: orgs ? { listen: port, orgs } : port, users }));
    // A machine without IPv6 has only the second.
    const onAll = [`[::]:${port}`, `0.0.0.0:${port}`];
    expect(listeningAddresses(server.pid).filter((address) => onAll.includes(address))).toHaveLength(1);
    const authorization = `Basic ${Buffer.from('alice:password').toString('base64')}`;
    const pulled = await fetch(`${server.url}/v2/lab/app/manifests/v1`, { headers: { authorization } });
    expect(pulled.status).toBe(200);
    expect(await server.metrics()).toContain(`tonnage_usage_total{meter="pulls",org="${named}",arch="amd64"} 1\n`);
  });
});
