import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf, TonnageError } from '../../base/index.ts';
import { pem } from '../../config/index.ts';

/** A certificate with its intermediate certificates, and its private key, both in PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** When a chain of certificates is valid: all of its certificates are. In milliseconds since the epoch. */
interface Validity {
  readonly from: number;
  readonly until: number;
}

/** The options of a TLS server with this pair. */
export function contextOf({ cert, key }: CertificatePair): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' };
}

export function validityOf({ cert }: CertificatePair): Validity {
  const chain = pem.certificatesOf(cert);
  return {
    from: Math.max(...chain.map(({ validFromDate }) => validFromDate.getTime())),
    until: Math.min(...chain.map(({ validToDate }) => validToDate.getTime())),
  };
}

/**
 * Throws `config_invalid` for a pair that a TLS server cannot use. `names`: what the error calls the certificate and the
 * key.
 */
export function assertUsable({ cert, key }: CertificatePair, names: CertificatePair): void {
  if (pem.parseCertificates(cert) === undefined) throw unusable(names.cert, `expected ${pem.certificatesForm}`);
  if (pem.parsePrivateKey(key) === undefined) throw unusable(names.key, `expected ${pem.privateKeyForm}`);
  if (!pem.isKeyOf(key, cert)) throw unusable(names.key, `expected the private key of ${names.cert}`);
  try {
    createSecureContext(contextOf({ cert, key }));
  } catch (cause) {
    // OpenSSL also refuses what it can read, such as keys that are too short.
    const message = `${names.cert}: TLS cannot use this certificate: ${messageOf(cause)}`;
    throw new TonnageError('config_invalid', message, { cause });
  }
}

/** Neither a certificate nor a key is shown: the file may hold another secret. */
function unusable(name: string, expected: string): TonnageError {
  return new TonnageError('config_invalid', `${name}: ${expected}, but came something else (not shown)`);
}
