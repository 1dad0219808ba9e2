import { z } from 'zod';
import { formatListen, listenForm, overlap, parseListen, type ListenAddress } from './address.ts';
import * as pem from './certificates.ts';
import { codec, map, secret } from './fields.ts';
import type { Findings } from './findings.ts';
import { Secret } from './secret.ts';

/** The range is for editors. The error for a port beyond it is that of an address. */
const port = z.int().meta({ minimum: 0, maximum: 65_535 });

const addressOrFalseForm = `false, ${listenForm}`;

const address = codec(
  listenForm,
  z.union([z.string(), port], { error: `expected ${listenForm}` }),
  parseListen,
  formatListen,
);

export const listen = address
  .prefault('0.0.0.0:8080')
  .describe('Address of the main listener. Without HOST: all addresses, IPv4 and IPv6.');

const addressOrFalse = codec(
  addressOrFalseForm,
  z.union([z.literal(false), z.string(), port], { error: `expected ${addressOrFalseForm}` }),
  (stated): ListenAddress | false | undefined => (stated === false ? false : parseListen(stated)),
  (address) => (address === false ? false : formatListen(address)),
).describe('Address of the metrics listener. Without HOST: all addresses, IPv4 and IPv6. false: no listener.');

const tls = map({
  cert: secret(pem.certificatesForm, pem.parseCertificates).describe(
    'Certificate of the listener, followed by its intermediate certificates. A certFile is read again when it changes.',
  ),
  key: secret(pem.privateKeyForm, pem.parsePrivateKey).describe(
    'Private key of cert. A keyFile is read again when it changes.',
  ),
});

const keys = {
  tls: tls.exactOptional().describe('TLS on the metrics listener, from version 1.2. Default: plain http.'),
  access: z
    .enum(['public', 'required'])
    .prefault('public')
    .describe('Whether /metrics is public, or requires credentials with the right query.'),
  orgs: z
    .boolean()
    .exactOptional()
    .describe(
      'Whether metrics name organisations. Default: only if the listener has a loopback address, and only to clients on this machine.',
    ),
  compat: z
    .enum(['ociregistry'])
    .exactOptional()
    .describe('Also show the metrics of this program, under its names. The format is then text 0.0.4.'),
};

/** Each layer may state only a part of it, so only the whole configuration must have `listen`. */
export const metrics = map({ listen: addressOrFalse.exactOptional(), ...keys })
  .prefault({ listen: false })
  .meta({ description: 'Listener of /metrics: an address, false, or a map. Default: off.', shorthand: 'listen' });

export const completeMetrics = z.union([z.literal(false), map({ listen: address, ...keys })]);

type MetricsConfig = z.output<typeof completeMetrics>;

/** The metrics listener, or false. Checks it against the main listener, whose address is `main`. */
export function completeMetricsOf(
  { listen, tls, ...rest }: z.output<typeof metrics>,
  main: ListenAddress,
  findings: Findings,
): MetricsConfig {
  if (listen === undefined) {
    findings.reportKey(['metrics'], 'expected listen, an address or false, but it is missing');
    return false;
  }
  if (listen === false) return false;
  if (findings.isValid(['listen']) && overlap(main, listen)) {
    const path = ['metrics', 'listen'];
    const came = findings.shown(path, formatListen(listen));
    findings.report(path, `expected another port than that of the main listener (listen), but came ${came}`);
  }
  return { listen, ...(tls && { tls: completeTlsOf(tls, findings) }), ...rest };
}

/** The certificate and its key, with the files that they are from. */
function completeTlsOf({ cert, key }: z.output<typeof tls>, findings: Findings): z.output<typeof tls> {
  const path = ['metrics', 'tls'];
  if (!pem.isKeyOf(key.reveal(), cert.reveal())) findings.report([...path, 'key'], pem.otherKey);
  return {
    cert: new Secret(cert.reveal(), findings.fileOf([...path, 'cert'])),
    key: new Secret(key.reveal(), findings.fileOf([...path, 'key'])),
  };
}
