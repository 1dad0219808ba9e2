import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../../test/support/redis-tls.ts';
import { Secret } from './secret.ts';
import { problemsOf, readText } from './testing/read-text.ts';

let secrets: Record<string, string>;
beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-listeners-'));
  const pem = (file: string): string => readFileSync(file, 'utf8');
  const [mine, other] = [await makeCertificates(join(directory, 'a')), await makeCertificates(join(directory, 'b'))];
  secrets = { 'tls.crt': pem(mine.cert), 'tls.key': pem(mine.key), 'other.key': pem(other.key), garbage: 'hunter2' };
  rmSync(directory, { recursive: true });
});

const tls = (keys: string): string => `metrics: { listen: :443, tls: { ${keys} } }`;

describe('TLS on the metrics listener', () => {
  test('by files: the configuration has their content and their absolute names', () => {
    const { metrics } = readText(tls('certFile: tls.crt, keyFile: tls.key'), { secrets });
    expect(metrics).toMatchObject({ listen: { port: 443 }, access: 'public' });
    const { cert, key } = (metrics !== false && metrics.tls) || {};
    expect([cert?.reveal().trim(), key?.reveal().trim()]).toEqual([
      secrets['tls.crt']?.trim(),
      secrets['tls.key']?.trim(),
    ]);
    expect([cert?.file, key?.file]).toEqual(['/etc/tonnage/tls.crt', '/etc/tonnage/tls.key']);
  });

  test('by variables: files are relative to the working directory', () => {
    const environment = {
      TONNAGE_METRICS: ':443',
      TONNAGE_METRICS_TLS_CERT_FILE: 'tls.crt',
      TONNAGE_METRICS_TLS_KEY_FILE: '/run/tls.key',
    };
    const both = { ...secrets, '/run/tls.key': secrets['tls.key'] ?? '' };
    const { metrics } = readText(undefined, { environment, secrets: both });
    const { cert, key } = (metrics !== false && metrics.tls) || {};
    expect([cert?.file, key?.file]).toEqual(['/srv/tls.crt', '/run/tls.key']);
  });

  test('by texts: there are no files to read again', () => {
    const environment = { CERT: secrets['tls.crt'], KEY: secrets['tls.key'] };
    const { metrics } = readText(tls('cert: "${CERT}", key: "${KEY}"'), { environment });
    const { cert, key } = (metrics !== false && metrics.tls) || {};
    expect([cert, key]).toEqual([expect.any(Secret), expect.any(Secret)]);
    expect([cert?.file, key?.file]).toEqual([undefined, undefined]);
  });

  test.each([
    [tls('certFile: tls.crt'), 'metrics.tls: expected key or keyFile, but both are missing'],
    [tls('keyFile: tls.key'), 'metrics.tls: expected cert or certFile, but both are missing'],
    [tls('certFile: none, keyFile: tls.key'), 'metrics.tls.certFile: "none" cannot be read: there is no such file'],
    [
      tls('certFile: garbage, keyFile: tls.key'),
      'metrics.tls.cert: expected one or more certificates in PEM ("-----BEGIN CERTIFICATE-----"), but came something else in "/etc/tonnage/garbage" (not shown',
    ],
    [
      tls('certFile: tls.key, keyFile: tls.crt'),
      'metrics.tls.cert: expected one or more certificates in PEM ("-----BEGIN CERTIFICATE-----"), but came something else in "/etc/tonnage/tls.key"',
    ],
    [
      tls('certFile: tls.crt, keyFile: garbage'),
      'metrics.tls.key: expected a private key in PEM ("-----BEGIN PRIVATE KEY-----"), not encrypted, but came something else in "/etc/tonnage/garbage"',
    ],
    [
      tls('certFile: tls.crt, keyFile: other.key'),
      'metrics.tls.key: expected the private key of cert, but came another',
    ],
    [tls('certFile: tls.crt, keyFile: tls.key, ca: x'), 'metrics.tls.ca: unknown key'],
    ['metrics: { listen: :443, tls: true }', 'metrics.tls: expected a map of settings, but came true'],
    [
      'metrics: { listen: :443, access: private }',
      'metrics.access: expected "public" or "required", but came "private"',
    ],
    ['metrics: { access: required }', 'metrics: expected listen, an address or false, but it is missing'],
  ])('%s is an error', (text, expected) => {
    const problems = problemsOf(text, { secrets });
    expect(problems.join('\n')).toContain(`: ${expected}`);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});
