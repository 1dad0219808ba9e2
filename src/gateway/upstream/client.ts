import { limits, TonnageError, type Clock } from '../../base/index.ts';
import { manifestAccept, parseDigest, type Digest, type Reference } from '../../oci/index.ts';
import { withAuth } from './auth.ts';
import { withBackOff } from './back-off.ts';
import { connectionFailure, createSend, type Connections } from './connection.ts';
import { failureOf, UpstreamError } from './failure.ts';
import { HeadFirst } from './head-first.ts';
import { isEncoded, withDecoding } from './content-coding.ts';
import { withMeter, type UpstreamMeter } from './metering.ts';
import { verifiedManifest, type VerifiedManifest } from './manifest-body.ts';
import type { BasicCredentials } from './origin-auth.ts';
import { withRedirects } from './redirect.ts';
import { withRetry } from './retry.ts';
import {
  abandon,
  discard,
  headerOf,
  lengthOf,
  readBody,
  type Send,
  type UpstreamAnswer,
  type UpstreamBody,
} from './send.ts';
import { withUserAgent } from './user-agent.ts';

/** A blob, or a part of one, on its way. Its body must be read to the end or destroyed. */
export interface BlobAnswer {
  /** 200: the whole blob, 206: the range that was asked for, 416: the blob has no such range. */
  readonly status: 200 | 206 | 416;
  /** Length of the body; null when the upstream does not say. */
  readonly length: number | null;
  /** `Content-Range` of a 206 or 416. */
  readonly contentRange: string | undefined;
  readonly body: UpstreamBody;
}

interface TagPage {
  readonly body: Uint8Array;
  /** The `Link` header, as it came. */
  readonly link: string | undefined;
}

/**
 * What the gateway asks an upstream for. Repositories are the upstream's full names. Everything rejects with
 * `UpstreamError` when the upstream does not give what was asked for.
 */
export interface UpstreamClient {
  /**
   * The manifest that a reference means now, unless it still has the digest `known`: then null. HEAD can confirm a digest,
   * but only GET changes it. Each request may take `msMax`.
   */
  changedManifest(
    repository: string,
    reference: Reference,
    known: Digest,
    msMax: number,
  ): Promise<VerifiedManifest | null>;
  /** A manifest whose digest is right; at most `limits.manifestBytesMax`. */
  getManifest(repository: string, reference: Reference, signal?: AbortSignal): Promise<VerifiedManifest>;
  /** The size of a blob, by HEAD, or by GET where HEAD is refused or states none; null when the upstream does not say. */
  headBlob(repository: string, digest: Digest, signal?: AbortSignal): Promise<number | null>;
  /** A blob that is not verified yet. `range` is a value of the `Range` header, `size` what a manifest says. */
  getBlob(
    repository: string,
    digest: Digest,
    options?: { readonly range?: string; readonly size?: number | null; readonly signal?: AbortSignal },
  ): Promise<BlobAnswer>;
  /** One page of the tag list. `query` is passed on as it is. At most `limits.tagListBytesMax`. */
  listTags(repository: string, query: string): Promise<TagPage>;
}

export interface UpstreamClientOptions {
  /** Where the upstream's `/v2/` is, by https or http. */
  readonly url: string;
  readonly credentials?: BasicCredentials;
  /** Origins of token endpoints on other domains that may see the credentials. */
  readonly realms?: readonly string[];
  /** Value of the `User-Agent` header. */
  readonly userAgent: string;
  readonly connections: Connections;
  readonly clock: Clock;
  /** Told of what passes. */
  readonly meter: UpstreamMeter;
}

/** Reads an upstream's address; rejects one that is no plain https or http address with `config_invalid`. */
export function upstreamUrl(text: string): URL {
  const url = URL.parse(text);
  const web = url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
  if (!web || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TonnageError(
      'config_invalid',
      'an upstream url must be https://host or http://host, with nothing but a path',
    );
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** The digest that an upstream says of a manifest; null when it does not. */
function digestSaid(answer: UpstreamAnswer): Digest | null {
  return parseDigest(headerOf(answer, 'docker-content-digest') ?? '');
}

type Ask = (
  method: 'GET' | 'HEAD',
  repository: string,
  rest: string,
  more?: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
    readonly contentSize?: number | undefined;
  },
) => Promise<UpstreamAnswer>;

/** Builds what sends requests out of its layers: the outermost is listed last. Whatever is no success is a failure. */
function createAsk(options: UpstreamClientOptions): Ask {
  const { clock, connections, credentials, meter, realms = [], url: base, userAgent } = options;
  const origin = upstreamUrl(base);
  let send: Send = createSend(connections);
  send = withDecoding(send);
  send = withMeter(send, meter, { origin: origin.origin, clock });
  send = withUserAgent(send, userAgent);
  send = withAuth(send, { origin, credentials, realms, sendForTokens: withRedirects(send), clock });
  send = withRedirects(send);
  send = withRetry(send);
  send = withBackOff(send, origin.origin, clock);
  return async (method, repository, rest, { headers = {}, signal, contentSize } = {}) => {
    const url = new URL(`v2/${repository}/${rest}`, origin);
    const request = { method, url, headers, repository };
    const answer = await send({
      ...request,
      ...(signal === undefined ? {} : { signal }),
      ...(contentSize === undefined ? {} : { contentSize }),
    });
    const ranged = headers.range !== undefined && (answer.status === 206 || answer.status === 416);
    if (answer.status !== 200 && !ranged) throw await failureOf(answer, clock.now());
    return answer;
  };
}

/** A whole body of at most `bytesMax`, `what` naming it where it is longer. */
async function bodyOf(answer: UpstreamAnswer, bytesMax: number, what: string): Promise<Buffer> {
  const body = await readBody(answer, bytesMax).catch((thrown: unknown) => {
    throw connectionFailure(thrown);
  });
  if (body === null) throw new UpstreamError('invalid', `sent a ${what} of more than ${bytesMax} bytes`);
  return body;
}

function manifestsOf(ask: Ask, heads: HeadFirst): Pick<UpstreamClient, 'getManifest' | 'changedManifest'> {
  const askFor = (
    method: 'GET' | 'HEAD',
    repository: string,
    reference: Reference,
    signal: AbortSignal | undefined,
  ): Promise<UpstreamAnswer> => {
    const text = reference.kind === 'tag' ? reference.tag : reference.digest.text;
    return ask(method, repository, `manifests/${text}`, { headers: { accept: manifestAccept }, signal });
  };

  async function getManifest(
    repository: string,
    reference: Reference,
    signal?: AbortSignal,
  ): Promise<VerifiedManifest> {
    const answer = await askFor('GET', repository, reference, signal);
    const body = await bodyOf(answer, limits.manifestBytesMax, 'manifest');
    const expected = reference.kind === 'digest' ? reference.digest : digestSaid(answer);
    return verifiedManifest(headerOf(answer, 'content-type'), body, expected);
  }

  return {
    getManifest,
    async changedManifest(repository, reference, known, msMax) {
      const get = (): Promise<VerifiedManifest> => getManifest(repository, reference, AbortSignal.timeout(msMax));
      const found = await heads.ask(async () => {
        const answer = await askFor('HEAD', repository, reference, AbortSignal.timeout(msMax));
        await discard(answer);
        return { digest: digestSaid(answer) };
      }, get);
      if (found.digest?.text === known.text) return null;
      const manifest = 'body' in found ? found : await get();
      // Some upstreams name one platform's image to HEAD, whatever the tag means.
      if (found.digest !== null && found.digest.text !== manifest.digest.text) heads.contradicted();
      return manifest.digest.text === known.text ? null : manifest;
    },
  };
}

function blobsOf(ask: Ask, heads: HeadFirst): Pick<UpstreamClient, 'headBlob' | 'getBlob'> {
  return {
    headBlob(repository, digest, signal) {
      const askLength = async (method: 'GET' | 'HEAD'): Promise<number | null> => {
        const answer = await ask(method, repository, `blobs/${digest.text}`, { signal });
        await discard(answer);
        return lengthOf(answer);
      };
      // Some upstreams answer HEAD with 200 and no length, or with 0, whatever the blob.
      return heads.ask(
        async () => (await askLength('HEAD')) || askLength('GET'),
        () => askLength('GET'),
      );
    },
    async getBlob(repository, digest, { range, size, signal } = {}) {
      const path = `blobs/${digest.text}`;
      const more = { signal, contentSize: size ?? undefined };
      let answer = await ask('GET', repository, path, { ...more, headers: range === undefined ? {} : { range } });
      if (answer.status === 206 && isEncoded(answer, more.contentSize)) {
        // A part of what is encoded is no part of the blob: the whole is, once it is decoded.
        abandon(answer.body);
        answer = await ask('GET', repository, path, more);
      }
      const contentRange = headerOf(answer, 'content-range');
      const status = answer.status === 206 || answer.status === 416 ? answer.status : 200;
      return { status, length: lengthOf(answer), contentRange, body: answer.body };
    },
  };
}

/** A client of one upstream. Throws `config_invalid` for an address that cannot be an upstream's. */
export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const ask = createAsk(options);
  return {
    ...manifestsOf(ask, new HeadFirst(options.clock)),
    ...blobsOf(ask, new HeadFirst(options.clock)),
    async listTags(repository, query) {
      const headers = { accept: 'application/json' };
      const answer = await ask('GET', repository, `tags/list${query === '' ? '' : `?${query}`}`, { headers });
      return { link: headerOf(answer, 'link'), body: await bodyOf(answer, limits.tagListBytesMax, 'tag list') };
    },
  };
}
