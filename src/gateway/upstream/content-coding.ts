import { once } from 'node:events';
import { PassThrough, pipeline, type Readable, type Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';

import { limits, messageOf } from '../../base/index.ts';
import { connectionFailure } from './connection.ts';
import { UpstreamError } from './failure.ts';
import { headerOf, lengthOf, type Send, type UpstreamAnswer } from './send.ts';

/** Decoders by content coding (RFC 9110, section 8.4.1). Each holds a window of at most 16 MiB. */
const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  // RFC 9659 allows windows of 8 MiB at most.
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } }),
};

/**
 * Returns the content codings of a response, in the order of their application. Empty if any is unknown: upstreams send
 * names such as `aws-chunked` or `utf-8` by mistake, with unencoded bytes.
 */
function codingsOf(answer: Pick<UpstreamAnswer, 'headers'>): readonly string[] {
  const named = (headerOf(answer, 'content-encoding') ?? '').split(',').map((name) => name.trim().toLowerCase());
  const codings = named.filter((name) => name !== '' && name !== 'identity');
  return codings.every((name) => Object.hasOwn(decoders, name)) ? codings : [];
}

/**
 * Whether a response is encoded. It is not if it has exactly the size in the manifest (`contentSize`): some servers
 * label layers as `gzip` because the layers themselves are compressed files.
 */
export function isEncoded(answer: UpstreamAnswer, contentSize: number | undefined): boolean {
  if (codingsOf(answer).length === 0) return false;
  const total = /\/(\d{1,15})$/.exec(headerOf(answer, 'content-range') ?? '')?.[1];
  return contentSize === undefined || contentSize !== (total === undefined ? lengthOf(answer) : Number(total));
}

/** Creates the decoder of a body. Some servers send raw deflate data instead of the zlib format. */
async function decoderOf(coding: string, body: Readable): Promise<Transform | undefined> {
  if (coding !== 'deflate') return decoders[coding]?.();
  await once(body, 'readable').catch((thrown: unknown) => {
    throw connectionFailure(thrown);
  });
  const head: unknown = body.read();
  if (!Buffer.isBuffer(head)) return createInflate();
  body.unshift(head);
  const isWrapped = head.byteLength < 2 || (((head[0] ?? 0) & 0x0f) === 8 && head.readUInt16BE() % 31 === 0);
  return isWrapped ? createInflate() : createInflateRaw();
}

/** Decodes a body. The result emits an `UpstreamError` if the body does not have the stated codings. */
async function decoded(body: Readable, codings: readonly string[]): Promise<Readable> {
  if (codings.length > limits.upstreamCodingsMax) {
    const found = `expected at most ${limits.upstreamCodingsMax} content codings, got ${codings.length}`;
    throw new UpstreamError('invalid', `sent a response with too many codings: ${found}`);
  }
  const name = codings.join(', ');
  const first = await decoderOf(codings.at(-1) ?? '', body);
  const others = codings.slice(0, -1).toReversed();
  const steps = [first, ...others.map((coding) => decoders[coding]?.())].filter((step) => step !== undefined);
  const plain = new PassThrough({
    destroy(error, done) {
      const isOurs = error !== null && body.errored === null && error.name !== 'AbortError';
      const cause = isOurs ? new Error(messageOf(error)) : undefined;
      done(isOurs ? new UpstreamError('invalid', `sent a body that is not ${name} as stated`, { cause }) : error);
    },
  });
  // The reader of `plain` gets every error.
  pipeline([body, ...steps, plain], () => {});
  return plain;
}

/**
 * Layer that requests unencoded content and decodes a response that is encoded anyway: digests and sizes refer to the
 * content. A decoded response has no length, and neither has its HEAD. A 206 stays encoded, because a part alone cannot
 * be decoded.
 */
export function withDecoding(next: Send): Send {
  return async (request) => {
    const answer = await next({ ...request, headers: { ...request.headers, 'accept-encoding': 'identity' } });
    if (answer.status === 206 || !isEncoded(answer, request.contentSize)) return answer;
    const { 'content-encoding': _coding, 'content-length': length, ...headers } = answer.headers;
    if (request.method === 'HEAD' || length === '0') return { ...answer, headers };
    return { ...answer, headers, body: await decoded(answer.body, codingsOf(answer)) };
  };
}
