import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './program.ts';
import type { RedisCertificateFiles } from './redis.ts';

/** Creates an authority and a certificate signed by it, for 127.0.0.1 and localhost or other `names`, in `directory`. */
export async function makeCertificates(
  directory: string,
  names = 'IP:127.0.0.1,DNS:localhost',
): Promise<RedisCertificateFiles> {
  mkdirSync(directory, { recursive: true });
  const file = (name: string) => join(directory, name);
  const ellipticCurve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl('req', '-x509', ...ellipticCurve, '-days', '3650', '-subj', '/CN=Tests', ...out('ca'));
  await openssl('req', ...ellipticCurve, '-subj', '/CN=localhost', ...out('server', 'csr'));
  writeFileSync(file('names.txt'), `subjectAltName=${names}\n`);
  const signed = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '3650'];
  const files = ['-in', file('server.csr'), '-extfile', file('names.txt'), '-out', file('server.pem')];
  await openssl('x509', '-req', ...files, ...signed);
  return { ca: file('ca.pem'), cert: file('server.pem'), key: file('server.key') };

  function out(name: string, kind = 'pem'): readonly string[] {
    return ['-keyout', file(`${name}.key`), '-out', file(`${name}.${kind}`)];
  }
}

function openssl(...args: readonly string[]) {
  return runProgram('openssl', args);
}
