import { execFile } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Agent, fetch } from 'undici';
import { startPrometheus } from '../support/prometheus.ts';
import { makeCertificates } from '../support/redis-tls.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

/** The real server, scraped from outside: over TLS, with credentials, by a real Prometheus and curl. */
let directory: string;
let ca: string;
let server: Tonnage;
let trusting: Agent;
const password = 'a long password';

/** Makes `version` the current pair, as Kubernetes replaces a mounted secret. */
function mount(version: string): void {
  symlinkSync(`..${version}`, join(directory, 'mounted', '..data.new'));
  renameSync(join(directory, 'mounted', '..data.new'), join(directory, 'mounted', '..data'));
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-scrape-tls-'));
  const authorities: string[] = [];
  for (const version of ['first', 'second']) {
    const files = await makeCertificates(join(directory, version));
    authorities.push(readFileSync(files.ca, 'utf8'));
    mkdirSync(join(directory, 'mounted', `..${version}`), { recursive: true });
    copyFileSync(files.cert, join(directory, 'mounted', `..${version}`, 'tls.crt'));
    copyFileSync(files.key, join(directory, 'mounted', `..${version}`, 'tls.key'));
  }
  ca = join(directory, 'authorities.pem');
  writeFileSync(ca, authorities.join('\n'));
  trusting = new Agent({ connect: { ca: authorities } });
  mount('first');
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(directory, 'mounted', name));
  const { stdout: hash } = await tonnage(['user', 'hash'], { input: password });
  server = await startTonnage(directory, {
    metrics: { listen: ':0', tls: { certFile: 'mounted/tls.crt', keyFile: 'mounted/tls.key' }, access: 'required' },
    users: { prometheus: { passwordHash: hash.trim(), rights: ['query'] } },
  });
});
afterAll(async () => {
  await server.program.stop('SIGKILL');
  await trusting.close();
  rmSync(directory, { recursive: true, force: true });
});

const port = (): number => Number(new URL(server.metricsUrl).port);
const curl = (...args: readonly string[]) => promisify(execFile)('curl', ['--silent', '--max-time', '30', ...args]);

async function createToken(...options: readonly string[]): Promise<string> {
  const { stdout } = await tonnage(['token', 'create', '--data', join(directory, 'data'), ...options]);
  return stdout.trim();
}

async function scrape(authorization: string): Promise<{ status: number; body: string }> {
  const response = await fetch(server.metricsUrl, { dispatcher: trusting, headers: { authorization } });
  return { status: response.status, body: await response.text() };
}

const hasIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'));

const basic = `Basic ${Buffer.from(`prometheus:${password}`).toString('base64')}`;

describe('a metrics listener with TLS that requires credentials', () => {
  test('has an https URL on all addresses, and its log warns of nothing that concerns it', () => {
    expect(server.metricsUrl).toBe(`https://127.0.0.1:${port()}/metrics`);
    expect(server.program.output()).not.toContain('plain http');
  });

  test('serves curl', async () => {
    const url = (host: string): string => `https://${host}:${port()}/metrics`;
    const credentials = ['--user', `prometheus:${password}`, '--cacert', ca];
    const { stdout } = await curl(...credentials, url('127.0.0.1'));
    expect(stdout).toContain('tonnage_tls_certificate_expiry_timestamp_seconds{listener="metrics"}');
    const status = ['--output', '/dev/null', '--write-out', '%{http_code}', '--cacert', ca];
    expect((await curl(...status, url('127.0.0.1'))).stdout).toBe('401');
    await expect(curl(...credentials.slice(0, 2), url('127.0.0.1'))).rejects.toMatchObject({ code: 60 });
    await expect(curl(`http://127.0.0.1:${port()}/metrics`)).rejects.toMatchObject({ code: 52 });
  });

  test.skipIf(!hasIpv6)('serves curl by IPv6', async () => {
    const name = ['--resolve', `localhost:${port()}:[::1]`, `https://localhost:${port()}/metrics`];
    const { stdout } = await curl('--user', `prometheus:${password}`, '--cacert', ca, ...name);
    expect(stdout).toContain('# TYPE tonnage_usage_total counter');
  });

  test('rejects a token for the pages of Debusine sources', async () => {
    const [debusine, reader] = [
      await createToken('--debusine-scope', 'debian'),
      await createToken('--rights', 'query'),
    ];
    expect(await scrape(`Bearer ${debusine}`)).toMatchObject({ status: 403 });
    expect(await scrape(`Bearer ${reader}`)).toMatchObject({ status: 200 });
  });

  test('is scraped by a real Prometheus, with basic_auth and with authorization', { timeout: 180_000 }, async () => {
    const target = {
      scheme: 'https',
      tls_config: { ca_file: ca, server_name: 'localhost' },
      static_configs: [{ targets: [`127.0.0.1:${port()}`] }],
    };
    const credentials = await createToken('--rights', 'query');
    const prometheus = await startPrometheus(join(directory, 'prometheus'), [
      { job_name: 'basic', ...target, basic_auth: { username: 'prometheus', password } },
      { job_name: 'bearer', ...target, authorization: { credentials } },
      { job_name: 'wrong', ...target, basic_auth: { username: 'prometheus', password: 'wrong' } },
      { job_name: 'untrusting', ...target, tls_config: {}, basic_auth: { username: 'prometheus', password } },
    ]);
    try {
      for (const job of ['basic', 'bearer']) {
        await prometheus.scraped(job);
        const series = await prometheus.query(
          `tonnage_tls_certificate_expiry_timestamp_seconds{job="${job}"} - time()`,
        );
        expect(series).toHaveLength(1);
        expect(series[0]?.value).toBeGreaterThan(3_600 * 86_400);
      }
      for (const job of ['wrong', 'untrusting']) {
        await expect
          .poll(() => prometheus.query(`up{job="${job}"}`), { timeout: 30_000 })
          .toMatchObject([{ value: 0 }]);
      }
    } finally {
      await prometheus.stop();
    }
  });

  test('takes a new certificate without a restart, and no scrape fails meanwhile', { timeout: 120_000 }, async () => {
    const serial = async (): Promise<string> => {
      const socket = connect({ port: port(), host: '127.0.0.1', ca: readFileSync(ca) });
      await once(socket, 'secureConnect');
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    let isOver = false;
    let answered = 0;
    const scrapes = (async () => {
      while (!isOver) {
        expect((await scrape(basic)).status).toBe(200);
        answered++;
      }
    })();
    const before = await serial();
    mount('second');
    await expect.poll(serial, { timeout: 60_000, interval: 250 }).not.toBe(before);
    expect(server.program.output()).toContain('the metrics listener has a new certificate');
    isOver = true;
    await scrapes;
    expect(answered).toBeGreaterThan(0);
  });
});

test('a certificate without its key prevents the start, and the message says so', async () => {
  const mixed = { certFile: join(directory, 'first', 'server.pem'), keyFile: join(directory, 'second', 'server.key') };
  const file = join(directory, 'mixed.yaml');
  writeFileSync(file, `metrics: { listen: "127.0.0.1:0", tls: ${JSON.stringify(mixed)} }\n`);
  const { stderr } = await tonnage(['serve', '--config', file, '--data', join(directory, 'other')], { expected: 1 });
  expect(stderr).toContain('metrics.tls.key: expected the private key of cert, but came another one');
});
