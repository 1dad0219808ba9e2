import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { pushImage } from '../support/images.ts';
import { freePort, startProgram, type Program } from '../support/program.ts';
import { eventually } from '../support/redis.ts';
import { skopeoPull } from '../support/skopeo.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/** The nginx of docs/guides/identity.md in front of a server: its header lines are those of the page. */
const directory = mkdtempSync(join(tmpdir(), 'tonnage-nginx-'));
const passwordHash = 'sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8';
const root = fileURLToPath(new URL('../../', import.meta.url));

let upstream: DockerUpstream;
let server: Tonnage;
let nginx: Program;
let address: string;

/** The `location` block of the page, in a configuration that runs without root and writes into `directory` only. */
function nginxConfig(port: number, target: string): string {
  const page = readFileSync(join(root, 'docs/guides/identity.md'), 'utf8');
  const [, location = ''] = /<!-- nginx: .*?```nginx\n(.*?)^```$/ms.exec(page) ?? [];
  expect(location).toContain('http://127.0.0.1:8080');
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/nginx;`)
    .join('\n');
  return `daemon off; pid ${directory}/nginx.pid; error_log stderr;
events {}
http { access_log off; ${folders}
server { listen 127.0.0.1:${port}; ${location.replace('http://127.0.0.1:8080', target)} } }`;
}

beforeAll(async () => {
  upstream = await startDockerUpstream(directory);
  await pushImage(upstream.url, 'app', 'v1', { architecture: 'amd64', layers: [Buffer.alloc(1024)] });
  server = await startTonnage(directory, {
    upstreams: { lab: { url: upstream.url } },
    users: {
      alice: { passwordHash, email: 'alice@example.org' },
      reader: { passwordHash, rights: ['query'] },
    },
    identity: { addresses: [{ cidr: '127.0.0.7/32', org: 'lab.example' }] },
    trustedProxies: ['127.0.0.1'],
  });
  mkdirSync(join(directory, 'nginx'));
  const port = await freePort();
  address = `127.0.0.1:${port}`;
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, nginxConfig(port, server.url));
  nginx = startProgram('nginx', ['-c', file, '-e', 'stderr']);
  await eventually(
    'nginx answers',
    async () => (await fetch(`http://${address}/healthz`).catch(() => null))?.ok === true,
  );
});
afterAll(async () => {
  await nginx.stop();
  await server.program.stop();
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function pullsBy(org: string): Promise<number> {
  const headers = { authorization: `Basic ${Buffer.from('reader:password').toString('base64')}` };
  const answer = await fetch(`${server.url}/api/v1/usage/pulls?org=${org}`, { headers });
  return ((await answer.json()) as { total: number }).total;
}

test('the challenge names the address that clients call', async () => {
  const answer = await fetch(`http://${address}/v2/`);
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toContain(`realm="http://${address}/v2/token"`);
});

test('a client logs in through the proxy, and its pull counts for its organisation', async () => {
  await skopeoPull(`${address}/lab/app:v1`, join(directory, 'pulled'), { args: ['--src-creds', 'alice:password'] });
  expect(await pullsBy('example.org')).toBe(1);
});

test('a client is known by its own address, not by that of the proxy', async () => {
  const status = await new Promise((resolve, reject) => {
    const options = { localAddress: '127.0.0.7' };
    get(`http://${address}/v2/lab/app/manifests/v1`, options, (response) => {
      text(response).then(() => resolve(response.statusCode), reject);
    }).on('error', reject);
  });
  expect(status).toBe(200);
  expect(await pullsBy('lab.example')).toBe(1);
});
