import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runProgram } from '../../../test/support/program.ts';
import { makeCertificates } from '../../../test/support/redis-tls.ts';
import { limits, systemClock, type Log } from '../../base/index.ts';
import type { CertificatePair } from './certificate.ts';
import { ListenerCertificate, type ListenerCertificateOptions } from './listener-certificate.ts';

const checkMs = 20;
/** Generous, for a busy machine. */
const patience = { timeout: 30_000 };

let pairs: readonly [CertificatePair, CertificatePair, CertificatePair];
let shared: string;
beforeAll(async () => {
  shared = mkdtempSync(join(tmpdir(), 'tonnage-certificates-'));
  const make = async (name: string): Promise<CertificatePair> => {
    const { cert, key } = await makeCertificates(join(shared, name));
    return { cert: readFileSync(cert, 'utf8').trim(), key: readFileSync(key, 'utf8').trim() };
  };
  pairs = [await make('a'), await make('b'), await make('c')];
});
afterAll(() => rmSync(shared, { recursive: true }));

let directory: string;
let logged: string[];
/** The certificates that the listener got, one after the other. */
let used: unknown[];
let opened: ListenerCertificate | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-certificate-'));
  logged = [];
  used = [];
});
afterEach(() => {
  opened?.close();
  rmSync(directory, { recursive: true });
});

const file = (name: string): string => join(directory, name);

function write(name: string, text: string): void {
  writeFileSync(file(`${name}.new`), `${text}\n`);
  renameSync(file(`${name}.new`), file(name));
}

function writePair({ cert, key }: CertificatePair): void {
  write('tls.crt', cert);
  write('tls.key', key);
}

/** Opens a certificate from the files `tls.crt` and `tls.key` of the test's directory. */
function open(options: Partial<ListenerCertificateOptions> = {}): ListenerCertificate {
  const line =
    (level: string) =>
    (fields: object, message: string): void =>
      void logged.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const stated = (name: string) => ({ text: readFileSync(file(name), 'utf8').trim(), file: file(name) });
  const files = options.cert && options.key ? undefined : { cert: stated('tls.crt'), key: stated('tls.key') };
  const both = { cert: { text: '' }, key: { text: '' }, ...files, checkMs, clock: systemClock, log, ...options };
  opened = new ListenerCertificate(both);
  opened.onReplaced(({ cert }) => used.push(cert));
  return opened;
}

const checks = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * checkMs));

describe('files that change', () => {
  test('are used from then on', async () => {
    writePair(pairs[0]);
    const certificate = open();
    expect(certificate.context).toEqual({ ...pairs[0], minVersion: 'TLSv1.2' });
    writePair(pairs[1]);
    await expect.poll(() => used, patience).toEqual([pairs[1].cert]);
    expect(certificate.context).toMatchObject(pairs[1]);
    expect(logged).toEqual([expect.stringContaining('info: the metrics listener has a new certificate')]);
    expect(logged[0]).toContain(`"certificate":"${file('tls.crt')}","expires":"20`);
  });

  test('behind a link to a directory that is replaced, as Kubernetes does', async () => {
    for (const [index, { cert, key }] of pairs.entries()) {
      mkdirSync(file(`..${index}`));
      writeFileSync(file(`..${index}/tls.crt`), cert);
      writeFileSync(file(`..${index}/tls.key`), key);
    }
    symlinkSync('..0', file('..data'));
    symlinkSync('..data/tls.crt', file('tls.crt'));
    symlinkSync('..data/tls.key', file('tls.key'));
    open();
    for (const index of [1, 2, 0]) {
      symlinkSync(`..${index}`, file('..data.new'));
      renameSync(file('..data.new'), file('..data'));
      await expect.poll(() => used.at(-1), patience).toBe(pairs[index]?.cert);
    }
    expect(used).toHaveLength(3);
    expect(logged.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  test('one after the other, as certbot does: a pair that does not match is used at no time', async () => {
    writePair(pairs[0]);
    open({ checkMs: 300 });
    for (const pair of [pairs[1], pairs[2], pairs[0]]) {
      write('tls.crt', pair.cert);
      await new Promise((resolve) => setTimeout(resolve, 100));
      write('tls.key', pair.key);
      await expect.poll(() => used.at(-1), patience).toBe(pair.cert);
    }
    expect(logged.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  test('and are the same again need no new certificate', async () => {
    writePair(pairs[0]);
    open();
    writePair(pairs[0]);
    await checks(5);
    expect([used, logged]).toEqual([[], []]);
  });
});

describe('a new pair that cannot be used', () => {
  const warned =
    'warn: the new certificate of the metrics listener cannot be used; the listener keeps the previous one';

  test.each<[string, () => void, () => string]>([
    [
      'the key of another certificate',
      () => write('tls.key', pairs[1].key),
      () => 'tls.key: expected the private key of',
    ],
    ['no certificate', () => write('tls.crt', 'hunter2'), () => 'tls.crt: expected one or more certificates in PEM'],
    ['no key', () => write('tls.key', 'hunter2'), () => 'tls.key: expected a private key in PEM'],
    ['an empty file', () => write('tls.crt', ''), () => 'tls.crt: expected one or more certificates in PEM'],
    [
      'a missing file',
      () => rmSync(file('tls.key')),
      () => 'tls.key: cannot be read: there is no such file or directory',
    ],
    [
      'a directory',
      () => {
        rmSync(file('tls.key'));
        mkdirSync(file('tls.key'));
      },
      () => `tls.key: cannot be read: expected a file of at most ${limits.secretFileBytesMax} bytes`,
    ],
    [
      'a file that is too large',
      () => write('tls.crt', `${pairs[1].cert}\n${'x'.repeat(limits.secretFileBytesMax)}`),
      () => `tls.crt: cannot be read: expected a file of at most`,
    ],
  ])('%s: the log says so once, and the previous pair stays', async (_title, damage, expected) => {
    writePair(pairs[0]);
    const certificate = open();
    damage();
    await expect.poll(() => logged.length, patience).toBe(1);
    await checks(10);
    expect(logged).toEqual([expect.stringContaining(warned)]);
    expect(logged[0]).toContain(expected());
    expect(logged[0]).not.toContain('hunter2');
    expect(used).toEqual([]);
    expect(certificate.context).toMatchObject(pairs[0]);
    rmSync(file('tls.key'), { recursive: true, force: true });
    writePair(pairs[2]);
    await expect.poll(() => used, patience).toEqual([pairs[2].cert]);
  });
});

test('files that are replaced again and again, one after the other, cause no warning and are used in the end', async () => {
  writePair(pairs[0]);
  // Much longer than a pair is half replaced, also on a busy machine.
  open({ checkMs: 50 });
  for (let count = 1; count <= 200; count++) {
    const { cert, key } = pairs[count % 2 === 0 ? 0 : 1];
    // Each text differs, as the texts of different certificates do.
    write('tls.crt', `${'\n'.repeat(count)}${cert}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
    write('tls.key', key);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  writePair(pairs[2]);
  await expect.poll(() => used.at(-1), patience).toBe(pairs[2].cert);
  expect(logged.filter((line) => line.startsWith('warn'))).toEqual([]);
});

describe('at the start', () => {
  test.each<[string, () => CertificatePair, RegExp]>([
    [
      'the key of another',
      () => ({ cert: pairs[0].cert, key: pairs[1].key }),
      /^metrics\.tls\.key: expected the private key of metrics\.tls\.cert, but came something else \(not shown\)$/,
    ],
    [
      'no certificate',
      () => ({ cert: 'hunter2', key: pairs[1].key }),
      /^metrics\.tls\.cert: expected one or more certificates/,
    ],
    [
      'a key in its place',
      () => ({ cert: pairs[0].key, key: pairs[0].key }),
      /^metrics\.tls\.cert: expected one or more/,
    ],
    [
      'no key',
      () => ({ cert: pairs[0].cert, key: pairs[0].cert }),
      /^metrics\.tls\.key: expected a private key in PEM/,
    ],
  ])('%s is an error', (_title, pairOf, message) => {
    const { cert, key } = pairOf();
    const error = expect.objectContaining({ code: 'config_invalid', message: expect.stringMatching(message) });
    expect(() => open({ cert: { text: cert }, key: { text: key } })).toThrow(error);
  });

  test.each([
    ['3000-01-01', 'warn: the certificate of the metrics listener has expired'],
    ['2000-01-01', 'warn: the certificate of the metrics listener is not valid yet'],
  ])('in %s, the log warns', (day, expected) => {
    const { cert, key } = pairs[0];
    const clock = { ...systemClock, now: () => Date.parse(day) };
    const certificate = open({ cert: { text: cert }, key: { text: key }, clock });
    expect(logged).toEqual([expect.stringContaining(`${expected} {"certificate":"metrics.tls.cert"`)]);
    const inTenYears = Date.now() / 1000 + 3650 * 86_400;
    expect(Math.abs(certificate.expiresSeconds - inTenYears)).toBeLessThan(600);
  });

  test('the certificate of the chain that expires first decides', async () => {
    const short = file('short.pem');
    const newKey = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      file('short.key'),
    ];
    await runProgram('openssl', ['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Short', '-out', short]);
    const chain = `${pairs[0].cert}\n${readFileSync(short, 'utf8')}`;
    const { expiresSeconds } = open({ cert: { text: chain }, key: { text: pairs[0].key } });
    expect(Math.abs(expiresSeconds - (Date.now() / 1000 + 2 * 86_400))).toBeLessThan(600);
  });

  test('texts without a file are never read again', async () => {
    const { cert, key } = pairs[0];
    const certificate = open({ cert: { text: cert }, key: { text: key } });
    await checks(3);
    expect([used, logged, certificate.context]).toEqual([[], [], { cert, key, minVersion: 'TLSv1.2' }]);
  });
});

test('a closed certificate reads nothing more', async () => {
  writePair(pairs[0]);
  open().close();
  writePair(pairs[1]);
  await checks(5);
  expect(used).toEqual([]);
});
