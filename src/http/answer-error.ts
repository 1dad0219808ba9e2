import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { limits, messageOf, TonnageError, type Clock, type ErrorCode, type Log } from '../base/index.ts';
import { LoginLimited } from '../identity/index.ts';
import type { App } from './contract.ts';
import { problem, problemType } from './problem.ts';
import { schemaRefusalText } from './schema-refusal.ts';
import { sendText } from './send-text.ts';

/** Answers whatever a route threw, as a problem. */
export type AnswerError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/**
 * Makes what answers errors. What nobody expected is logged whole, and told without its details. That something is away
 * for a while is logged in one line, and then no more for `limits.sameFailureQuietMs`, however often it is asked for.
 */
export function createAnswerError({ log, clock }: { readonly log: Log; readonly clock: Clock }): AnswerError {
  const loggedAt = new Map<ErrorCode, number>();
  const note = (error: unknown, requestId: string, { code, detail, status }: Described): void => {
    // Whoever asks those who could say logs when they begin to fail, and not for each request.
    if (status < 500 || code === 'identity_unavailable') return;
    if (!passes(error)) return log.error({ err: error, requestId, code }, 'a request failed');
    const now = clock.monotonic();
    if (now - (loggedAt.get(code) ?? -Infinity) < limits.sameFailureQuietMs) return;
    loggedAt.set(code, now);
    log.warn({ error: detail, requestId, code }, 'a request failed');
  };
  return (error, request, reply) => {
    const described = describe(error);
    note(error, request.id, described);
    answer(described, error, request, reply);
  };
}

/** Whether an error is a state that ends by itself or by somebody's help elsewhere, and no mistake in here. */
function passes(error: unknown): boolean {
  return error instanceof TonnageError && error.status === 503 && error.code !== 'sqlite_failed';
}

function answer(
  { code, detail, status }: Described,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (code === 'unauthorized') reply.header('www-authenticate', 'Basic realm="Tonnage", charset="UTF-8"');
  const wait = retryAfterSeconds(error, status);
  if (wait !== undefined) reply.header('retry-after', wait);
  reply.code(status);
  // What no route of Wave's API has answered itself: an unknown metric, or another method.
  if (wavePath.test(request.url)) sendText(reply, 'application/json', JSON.stringify({ message: detail }));
  else sendText(reply, problemType, JSON.stringify(problem(code, detail, status)));
}

const wavePath = /^\/v1alpha[23]\//;

/** When a client may come again: when its next login is taken, and soon when something is in the way here. */
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
    return { code: 'bad_request', detail: schemaRefusalText(error), status: 400 };
  const refusal = refusals.get(codeOf(error));
  if (refusal !== undefined) return refusal;
  const status = statusOf(error);
  if (status < 400 || status >= 500) {
    return { code: 'internal_error', detail: 'an error of the server; its log says more', status: 500 };
  }
  return { code: byStatus.get(status) ?? 'bad_request', detail: messageOf(error), status };
}

/** What the framework refuses, in our words where its own name nothing, or a URL, which may hold a secret. */
const refusals: ReadonlyMap<unknown, Described> = new Map<string, Described>([
  [
    'FST_ERR_BAD_URL',
    { code: 'bad_request', detail: 'the path is not valid: expected UTF-8 in its percent-encoding', status: 400 },
  ],
  ['FST_ERR_MAX_PARAM_LENGTH', { code: 'not_found', detail: 'there is no such path', status: 404 }],
  [
    'FST_ERR_CTP_INVALID_MEDIA_TYPE',
    { code: 'unsupported_media_type', detail: 'Content-Type: expected application/json, got another one', status: 415 },
  ],
]);

/** Codes for what else the framework itself refuses. */
const byStatus: ReadonlyMap<number, ErrorCode> = new Map([
  [404, 'not_found'],
  [405, 'method_not_allowed'],
  [413, 'request_too_large'],
  [415, 'unsupported_media_type'],
]);

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

function statusOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
}

/**
 * Answers 404 to paths that do not exist, and 405 with `Allow` to methods that a path does not have; both before a body is
 * read, which could be large, and of anybody.
 */
export function answerUnknown(app: App): void {
  const routes: { readonly methods: readonly string[]; readonly path: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    if (url.endsWith('*')) return;
    const path = new RegExp(`^${url.replaceAll('.', String.raw`\.`).replace(/:[a-zA-Z]+/g, '[^/]+')}$`);
    routes.push({ methods: [method].flat(), path });
  });
  const refuse = (request: FastifyRequest, reply: FastifyReply): never => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = new Set(routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods));
    // A path may have a route and still lead nowhere: a file of the dashboard that is not there.
    const leadsNowhere = methods.size === 0 || methods.has(request.method);
    if (leadsNowhere) throw new TonnageError('not_found', 'there is no such path');
    reply.header('allow', [...methods].join(', '));
    throw new TonnageError('method_not_allowed', `expected ${[...methods].join(' or ')}, got ${request.method}`);
  };
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) refuse(request, reply);
  });
  app.setNotFoundHandler(refuse);
}
