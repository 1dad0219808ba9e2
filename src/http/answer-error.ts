import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { codeOf, limits, messageOf, TonnageError, type Clock, type ErrorCode, type Log } from '../base/index.ts';
import { LoginLimited } from '../identity/index.ts';
import type { App } from './contract.ts';
import { problem, problemType } from './problem.ts';
import { schemaProblemText } from './schema-problem.ts';
import { sendText } from './send-text.ts';

/** Sends the error that a route threw, as a problem (RFC 9457). */
export type AnswerError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/**
 * Creates the error handler. An unexpected error is logged in full, and its details are not sent. A temporary failure
 * is logged in one line, at most once per code in `limits.sameFailureQuietMs`.
 */
export function createAnswerError({ log, clock }: { readonly log: Log; readonly clock: Clock }): AnswerError {
  const loggedAt = new Map<ErrorCode, number>();
  const logFailure = (error: unknown, requestId: string, { code, detail, status }: Described): void => {
    // The authenticator logs `identity_unavailable` itself, once per outage.
    if (status < 500 || code === 'identity_unavailable') return;
    if (!isTemporary(error)) return log.error({ err: error, requestId, code }, 'request failed');
    const now = clock.monotonic();
    if (now - (loggedAt.get(code) ?? -Infinity) < limits.sameFailureQuietMs) return;
    loggedAt.set(code, now);
    log.warn({ error: detail, requestId, code }, 'request failed');
  };
  return (error, request, reply) => {
    const described = describe(error);
    logFailure(error, request.id, described);
    answer(described, error, request, reply);
  };
}

/** Whether the failure is an outage of something else, and not a bug. */
function isTemporary(error: unknown): boolean {
  return error instanceof TonnageError && error.status === 503 && error.code !== 'sqlite_failed';
}

function answer(
  { code, detail, status }: Described,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  reply.headers({ ...errorHeaders(error, code, status), ...reply.getHeaders() });
  reply.code(status);
  // Errors outside Wave's routes, such as an unknown metric or method, have Wave's form too.
  if (wavePath.test(request.url)) sendText(reply, 'application/json', JSON.stringify({ message: detail }));
  else sendText(reply, problemType, JSON.stringify(problem(code, detail, status)));
}

const wavePath = /^\/v1alpha[23]\//;

/** Headers of the answer for an error: the challenge, and when to retry. */
export function errorHeaders(error: unknown, code: ErrorCode, status: number): Readonly<Record<string, string>> {
  const seconds = retryAfterSeconds(error, status);
  return {
    ...(code === 'unauthorized' && { 'www-authenticate': 'Basic realm="Tonnage", charset="UTF-8"' }),
    ...(seconds !== undefined && { 'retry-after': String(seconds) }),
  };
}

function retryAfterSeconds(error: unknown, status: number): number | undefined {
  if (error instanceof LoginLimited) return error.retryAfterSeconds;
  return status === 503 ? 5 : undefined;
}

interface Described {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly status: number;
}

function describe(error: unknown): Described {
  if (error instanceof TonnageError) return { code: error.code, detail: error.message, status: error.status };
  if (hasZodFastifySchemaValidationErrors(error))
    return { code: 'bad_request', detail: schemaProblemText(error), status: 400 };
  const known = frameworkErrors.get(codeOf(error));
  if (known !== undefined) return known;
  const status = statusOf(error);
  if (status < 400 || status >= 500) {
    return { code: 'internal_error', detail: 'internal server error; see the server log', status: 500 };
  }
  return { code: byStatus.get(status) ?? 'bad_request', detail: messageOf(error), status };
}

/** Fastify's errors whose own message is unhelpful or contains the URL, which may contain a secret. */
const frameworkErrors: ReadonlyMap<unknown, Described> = new Map<string, Described>([
  [
    'FST_ERR_BAD_URL',
    { code: 'bad_request', detail: 'the path is not valid: expected UTF-8 in its percent-encoding', status: 400 },
  ],
  ['FST_ERR_MAX_PARAM_LENGTH', { code: 'not_found', detail: 'there is no such path', status: 404 }],
  [
    'FST_ERR_CTP_INVALID_MEDIA_TYPE',
    {
      code: 'unsupported_media_type',
      detail: 'Content-Type: expected application/json, got another type',
      status: 415,
    },
  ],
]);

/** Codes of Fastify's other errors. */
const byStatus: ReadonlyMap<number, ErrorCode> = new Map([
  [404, 'not_found'],
  [405, 'method_not_allowed'],
  [413, 'request_too_large'],
  [415, 'unsupported_media_type'],
]);

function statusOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
}

/**
 * Answers unknown paths with 404 and unsupported methods with 405 and `Allow`, before it reads the body: the body could
 * be large, and the client is not authenticated yet.
 */
export function answerUnknown(app: App): void {
  const routes: { readonly methods: readonly string[]; readonly path: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    if (url.endsWith('*')) return;
    const path = new RegExp(`^${url.replaceAll('.', String.raw`\.`).replace(/:[a-zA-Z]+/g, '[^/]+')}$`);
    routes.push({ methods: [method].flat(), path });
  });
  const reject = (request: FastifyRequest, reply: FastifyReply): never => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = new Set(routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods));
    // A path may have a route that supports the method and still not exist: a missing file of the dashboard.
    const isMissing = methods.size === 0 || methods.has(request.method);
    if (isMissing) throw new TonnageError('not_found', 'there is no such path');
    reply.header('allow', [...methods].join(', '));
    throw new TonnageError('method_not_allowed', `expected ${[...methods].join(' or ')}, got ${request.method}`);
  };
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) reject(request, reply);
  });
  app.setNotFoundHandler(reject);
}
