import { createPrivateKey, X509Certificate } from 'node:crypto';

/** Certificates, as errors and docs describe them. */
export const certificatesForm = 'one or more certificates in PEM ("-----BEGIN CERTIFICATE-----")';

/** The text itself if it contains certificates and all of them are readable, otherwise `undefined`. */
export function parseCertificates(text: string): string | undefined {
  return certificatesOf(text).length > 0 ? text : undefined;
}

/** A private key, as errors and docs describe it. */
export const privateKeyForm = 'a private key in PEM ("-----BEGIN PRIVATE KEY-----"), not encrypted';

/** The text itself if it is a private key without a passphrase, otherwise `undefined`. */
export function parsePrivateKey(text: string): string | undefined {
  try {
    createPrivateKey(text);
    return text;
  } catch {
    return undefined;
  }
}

/** The error for a private key that does not belong to its certificate. */
export const otherKey = 'expected the private key of cert, but came another one (not shown, since it is a secret)';

/** Whether the private key belongs to the first certificate, which is the owner's own. Both texts must be valid. */
export function isKeyOf(key: string, certificates: string): boolean {
  return certificatesOf(certificates)[0]?.checkPrivateKey(createPrivateKey(key)) === true;
}

/** All certificates in a text in PEM; none if one of them is unreadable. */
export function certificatesOf(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}
