import { limits, type Clock, type Log } from '../../base/index.ts';
import type { Secret } from '../../config/index.ts';
import type { MetricSet } from '../../metric/index.ts';
import { tlsInstruments } from '../metrics.ts';
import { ListenerCertificate } from './listener-certificate.ts';
import type { HandshakeFailure, ListenerTls } from './server.ts';

interface Parts {
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Opens the TLS of the metrics listener; returns `undefined` for plain HTTP. Declares the families of TLS in both cases.
 * Throws `config_invalid` for a certificate that cannot be used. The caller closes the certificate.
 */
export function openListenerTls(
  stated: { readonly cert: Secret; readonly key: Secret } | undefined,
  { metrics, clock, log }: Parts,
): ListenerTls | undefined {
  const instruments = tlsInstruments(metrics);
  if (stated === undefined) return undefined;
  const certificate = new ListenerCertificate({ cert: textOf(stated.cert), key: textOf(stated.key), clock, log });
  const expiry = instruments.expirySeconds.labels({ listener: 'metrics' });
  expiry.set(certificate.expiresSeconds);
  certificate.onReplaced(() => expiry.set(certificate.expiresSeconds));
  const logFailure = quietLogOf(log, clock);
  return {
    certificate,
    onFailure: (failure, client, error) => {
      instruments.failedHandshakes.labels({ listener: 'metrics', reason: failure }).inc();
      logFailure(failure, client, error);
    },
  };
}

function textOf(secret: Secret): { readonly text: string; readonly file: string | undefined } {
  return { text: secret.reveal(), file: secret.file };
}

const explanations: Readonly<Record<HandshakeFailure, string | undefined>> = {
  plain_http: 'a client sent plain http to the metrics listener: expected https',
  timeout: 'a client did not finish its TLS handshake in time',
  limit: 'the metrics listener has too many connections and closed a new one',
  refused: 'a TLS handshake failed',
  // Load balancers check ports in this way.
  disconnected: undefined,
};

/** Logs failed handshakes of each kind, at most once in `limits.sameFailureQuietMs`, because any client can cause them. */
function quietLogOf(log: Log, clock: Clock): ListenerTls['onFailure'] {
  const loggedAt = new Map<HandshakeFailure, number>();
  return (failure, client = 'unknown', error) => {
    const message = explanations[failure];
    const now = clock.monotonic();
    if (message === undefined || now - (loggedAt.get(failure) ?? -Infinity) < limits.sameFailureQuietMs) return;
    loggedAt.set(failure, now);
    log.info({ client, ...(failure === 'refused' && { error: error?.message }) }, message);
  };
}
