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

/** The response to a blob request. Its body must be read to the end or destroyed. */
export interface BlobAnswer {
  /** 200: the whole blob. 206: the requested range. 416: the blob has no such range. */
  readonly status: 200 | 206 | 416;
  /** Length of the body; null if the upstream does not state it. */
  readonly length: number | null;
  /** `Content-Range` of a 206 or 416. */
  readonly contentRange: string | undefined;
  readonly body: UpstreamBody;
}

interface TagPage {
  readonly body: Uint8Array;
  /** The raw `Link` header. */
  readonly link: string | undefined;
}

/**
 * Client of one upstream's distribution API. `repository` is the full name at the upstream. Every method rejects with
 * `UpstreamError` if the upstream does not return the content.
 */
export interface UpstreamClient {
  /**
   * Returns the current manifest of a reference, or null if it still has the digest `known`. HEAD may confirm that
   * digest; any other digest is confirmed by GET. `msMax` limits each request.
   */
  changedManifest(
    repository: string,
    reference: Reference,
    known: Digest,
    msMax: number,
  ): Promise<VerifiedManifest | null>;
  /** Returns a verified manifest of at most `limits.manifestBytesMax`. */
  getManifest(repository: string, reference: Reference, signal?: AbortSignal): Promise<VerifiedManifest>;
  /** Returns the size of a blob by HEAD, or by GET if HEAD fails or states no size. Null if neither states it. */
  headBlob(repository: string, digest: Digest, signal?: AbortSignal): Promise<number | null>;
  /** Requests a blob, whose body is not verified. `range`: the `Range` header. `size`: the size in a manifest. */
  getBlob(
    repository: string,
    digest: Digest,
    options?: { readonly range?: string; readonly size?: number | null; readonly signal?: AbortSignal },
  ): Promise<BlobAnswer>;
  /** Returns one page of the tag list, at most `limits.tagListBytesMax`. `query` is passed on unchanged. */
  listTags(repository: string, query: string): Promise<TagPage>;
}

export interface UpstreamClientOptions {
  /** The URL below which the upstream's `/v2/` is, with https or http. */
  readonly url: string;
  readonly credentials?: BasicCredentials;
  /** Origins of token endpoints on other domains that may receive the credentials. */
  readonly realms?: readonly string[];
  /** Value of the `User-Agent` header. */
  readonly userAgent: string;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly meter: UpstreamMeter;
}

/** Parses an upstream's URL. Throws `config_invalid` unless it is an https or http URL of host and path only. */
export function upstreamUrl(text: string): URL {
  const url = URL.parse(text);
  const web = url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
  if (!web || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TonnageError(
      'config_invalid',
      'expected https://host or http://host, optionally with a path, as the url of an upstream',
    );
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** The manifest digest that the upstream states; null if it states none. */
function statedDigest(answer: UpstreamAnswer): Digest | null {
  return parseDigest(headerOf(answer, 'docker-content-digest') ?? '');
}

type SendRequest = (
  method: 'GET' | 'HEAD',
  repository: string,
  rest: string,
  more?: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
    readonly contentSize?: number | undefined;
  },
) => Promise<UpstreamAnswer>;

/** Stacks the layers; the last one is the outermost. The result rejects with `UpstreamError` unless the status is a success. */
function createSendRequest(options: UpstreamClientOptions): SendRequest {
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

/** Reads a body of at most `bytesMax`. `what` names it in the error if it is longer. */
async function bodyOf(answer: UpstreamAnswer, bytesMax: number, what: string): Promise<Buffer> {
  const body = await readBody(answer, bytesMax).catch((thrown: unknown) => {
    throw connectionFailure(thrown);
  });
  if (body === null) throw new UpstreamError('invalid', `sent a ${what} of more than ${bytesMax} bytes`);
  return body;
}

function manifestsOf(send: SendRequest, heads: HeadFirst): Pick<UpstreamClient, 'getManifest' | 'changedManifest'> {
  const request = (
    method: 'GET' | 'HEAD',
    repository: string,
    reference: Reference,
    signal: AbortSignal | undefined,
  ): Promise<UpstreamAnswer> => {
    const text = reference.kind === 'tag' ? reference.tag : reference.digest.text;
    return send(method, repository, `manifests/${text}`, { headers: { accept: manifestAccept }, signal });
  };

  async function getManifest(
    repository: string,
    reference: Reference,
    signal?: AbortSignal,
  ): Promise<VerifiedManifest> {
    const answer = await request('GET', repository, reference, signal);
    const body = await bodyOf(answer, limits.manifestBytesMax, 'manifest');
    const expected = reference.kind === 'digest' ? reference.digest : statedDigest(answer);
    return verifiedManifest(headerOf(answer, 'content-type'), body, expected);
  }

  return {
    getManifest,
    async changedManifest(repository, reference, known, msMax) {
      const get = (): Promise<VerifiedManifest> => getManifest(repository, reference, AbortSignal.timeout(msMax));
      const found = await heads.send(async () => {
        const answer = await request('HEAD', repository, reference, AbortSignal.timeout(msMax));
        await discard(answer);
        return { digest: statedDigest(answer) };
      }, get);
      if (found.digest?.text === known.text) return null;
      const manifest = 'body' in found ? found : await get();
      // Some upstreams answer HEAD with one platform's image, although the tag is an index.
      if (found.digest !== null && found.digest.text !== manifest.digest.text) heads.contradicted();
      return manifest.digest.text === known.text ? null : manifest;
    },
  };
}

function blobsOf(send: SendRequest, heads: HeadFirst): Pick<UpstreamClient, 'headBlob' | 'getBlob'> {
  return {
    headBlob(repository, digest, signal) {
      const lengthBy = async (method: 'GET' | 'HEAD'): Promise<number | null> => {
        const answer = await send(method, repository, `blobs/${digest.text}`, { signal });
        await discard(answer);
        return lengthOf(answer);
      };
      // Some upstreams answer every HEAD with 200 and no length, or with length 0.
      return heads.send(
        async () => (await lengthBy('HEAD')) || lengthBy('GET'),
        () => lengthBy('GET'),
      );
    },
    async getBlob(repository, digest, { range, size, signal } = {}) {
      const path = `blobs/${digest.text}`;
      const more = { signal, contentSize: size ?? undefined };
      let answer = await send('GET', repository, path, { ...more, headers: range === undefined ? {} : { range } });
      if (answer.status === 206 && isEncoded(answer, more.contentSize)) {
        // A range of encoded bytes is not a range of the blob. Only the whole can be decoded.
        abandon(answer.body);
        answer = await send('GET', repository, path, more);
      }
      const contentRange = headerOf(answer, 'content-range');
      const status = answer.status === 206 || answer.status === 416 ? answer.status : 200;
      return { status, length: lengthOf(answer), contentRange, body: answer.body };
    },
  };
}

/** Creates the client of one upstream. Throws `config_invalid` for an invalid URL. */
export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const send = createSendRequest(options);
  return {
    ...manifestsOf(send, new HeadFirst(options.clock)),
    ...blobsOf(send, new HeadFirst(options.clock)),
    async listTags(repository, query) {
      const headers = { accept: 'application/json' };
      const answer = await send('GET', repository, `tags/list${query === '' ? '' : `?${query}`}`, { headers });
      return { link: headerOf(answer, 'link'), body: await bodyOf(answer, limits.tagListBytesMax, 'tag list') };
    },
  };
}
