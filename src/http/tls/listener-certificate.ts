import { readFile, stat } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';
import { fileErrorReason, limits, messageOf, TonnageError, type Clock, type Log } from '../../base/index.ts';
import { assertUsable, contextOf, validityOf, type CertificatePair } from './certificate.ts';

/** A text that the configuration states, or that is in a file. */
interface StatedText {
  readonly text: string;
  /** Absolute path of the file. Absent: the text never changes. */
  readonly file?: string | undefined;
}

export interface ListenerCertificateOptions {
  readonly cert: StatedText;
  readonly key: StatedText;
  /** How often the files are read, in ms. Default: `limits.certificateCheckMs`. */
  readonly checkMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The certificate of a TLS listener. Reads the files again at intervals, because a watch on a file does not see a change
 * of the symbolic links on the way to it, which is how certbot and Kubernetes replace certificates. A pair that cannot
 * be used is logged once, and the previous pair stays in use.
 */
export class ListenerCertificate {
  readonly #options: ListenerCertificateOptions;
  readonly #names: CertificatePair;
  readonly #users: ((context: SecureContextOptions) => void)[] = [];
  #pair: CertificatePair;
  /** What was wrong at the last check, with which pair (absent: it could not be read), and whether the log says so. */
  #failure:
    { readonly message: string; readonly pair: CertificatePair | undefined; readonly logged: boolean } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Throws `config_invalid` for a pair that a TLS server cannot use. */
  constructor(options: ListenerCertificateOptions) {
    const { cert, key } = options;
    this.#options = options;
    this.#names = { cert: cert.file ?? 'metrics.tls.cert', key: key.file ?? 'metrics.tls.key' };
    this.#pair = { cert: cert.text, key: key.text };
    assertUsable(this.#pair, this.#names);
    this.#warnOfValidity();
    if (cert.file !== undefined || key.file !== undefined) this.#schedule();
  }

  /** The options of a TLS server with the current pair. */
  get context(): SecureContextOptions {
    return contextOf(this.#pair);
  }

  /** When the first certificate of the chain expires, in seconds since the epoch. */
  get expiresSeconds(): number {
    return validityOf(this.#pair).until / 1000;
  }

  /** Calls `use` with the options for each later pair. */
  onReplaced(use: (context: SecureContextOptions) => void): void {
    this.#users.push(use);
  }

  /** Stops reading the files. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { checkMs = limits.certificateCheckMs } = this.#options;
    this.#timer = setTimeout(() => void this.#check().finally(() => this.#schedule()), checkMs).unref();
  }

  async #check(): Promise<void> {
    let pair: CertificatePair | undefined;
    try {
      pair = { cert: await read(this.#options.cert), key: await read(this.#options.key) };
      if (pair.cert !== this.#pair.cert || pair.key !== this.#pair.key) this.#replace(pair);
      this.#failure = undefined;
    } catch (error) {
      this.#fail(messageOf(error), pair);
    }
  }

  #replace(pair: CertificatePair): void {
    assertUsable(pair, this.#names);
    this.#pair = pair;
    for (const use of this.#users) use(this.context);
    const { until } = validityOf(pair);
    const fields = { certificate: this.#names.cert, expires: dateOf(until) };
    this.#options.log.info(fields, 'the metrics listener has a new certificate');
    this.#warnOfValidity();
  }

  /** A program that replaces one file after the other leaves a pair that does not match for a moment: that is no failure. */
  #fail(message: string, pair: CertificatePair | undefined): void {
    const before = this.#failure;
    const isLasting = before?.message === message && before.pair?.cert === pair?.cert && before.pair?.key === pair?.key;
    if (isLasting && !before.logged) {
      this.#options.log.warn(
        { error: message },
        'the new certificate of the metrics listener cannot be used; the listener keeps the previous one',
      );
    }
    this.#failure = { message, pair, logged: isLasting };
  }

  #warnOfValidity(): void {
    const { clock, log } = this.#options;
    const { from, until } = validityOf(this.#pair);
    const now = clock.now();
    const certificate = this.#names.cert;
    if (until <= now) {
      log.warn({ certificate, expired: dateOf(until) }, 'the certificate of the metrics listener has expired');
    } else if (from > now) {
      log.warn({ certificate, from: dateOf(from) }, 'the certificate of the metrics listener is not valid yet');
    }
  }
}

/** The text, without a final newline, as the configuration reads it. Rejects with what is wrong with the file. */
async function read({ text, file }: StatedText): Promise<string> {
  if (file === undefined) return text;
  try {
    const { size } = await stat(file).then((stats) => (stats.isFile() ? stats : { size: Infinity }));
    if (size > limits.secretFileBytesMax) {
      throw new Error(`expected a file of at most ${limits.secretFileBytesMax} bytes`);
    }
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new TonnageError('config_invalid', `${file}: cannot be read: ${fileErrorReason(cause)}`, { cause });
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
