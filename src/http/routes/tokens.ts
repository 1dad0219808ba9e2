import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { rights, type Principal, type TokenInfo } from '../../identity/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { optional, problemResponses, problemSchema } from '../schemas.ts';

const time = z.iso.datetime();
const scope = z
  .array(z.string())
  .meta({ description: 'Repositories it may pull, such as docker.io/library/alpine or lab/*. Absent: all.' });
const debusineScope = z.string().meta({
  description:
    'Scope of a Debusine server. The token then opens only the pages of Debusine sources, and reads this scope.',
});

const facts = z.object({
  id: z.string().meta({ description: 'Identifies the token in lists and for revocation.' }),
  kind: z.enum(['api', 'path']),
  name: z.string().optional(),
  email: z.string().optional(),
  org: optional(z.string(), 'Organisation the token is bound to.'),
  scope: scope.optional(),
  debusineScope: debusineScope.optional(),
  rights: z.array(z.enum(rights)),
  createdAt: time,
  expiresAt: optional(time, 'Absent: never.'),
  expired: z.boolean(),
  usedAt: optional(time, 'Last use, accurate to an hour. Absent: never.'),
});

const newToken = z.strictObject({
  kind: z
    .enum(['api', 'path'])
    .default('api')
    .meta({ description: 'api: as Bearer token or Basic password. path: /v2/wt/<token>/<image>, for pulling only.' }),
  name: z.string().optional(),
  email: z.string().optional(),
  org: optional(z.string(), 'Default: the domain of the e-mail address. Without both: no organisation.'),
  scope: scope.optional(),
  debusineScope: debusineScope.optional(),
  rights: optional(
    z.array(z.string()),
    'Default: pull, query; for a path token: pull; for a token with debusineScope: query.',
  ),
  platformToken: optional(
    z.string(),
    'For a path token: a Seqera Platform access token of the user. It is checked and not stored.',
  ),
  expiresAt: optional(z.iso.datetime({ offset: true }), 'RFC 3339. Absent: never.'),
});

const bodyProblems = { ...problemResponses, 413: problemSchema, 415: problemSchema };

/** `GET` and `POST /api/v1/tokens`, `DELETE /api/v1/tokens/{id}`. All need the right `admin`. */
export function tokenRoutes(app: App, options: Pick<ApiOptions, 'tokens' | 'authorise' | 'clock' | 'log'>): void {
  const { tokens, authorise, clock, log } = options;
  const toJson = (token: TokenInfo) => factsAsJson(token, clock.now());
  const admins = new WeakMap<FastifyRequest, Principal>();
  /** Authorises before the body is read, so that other clients cannot fill the memory. */
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    admins.set(request, await authorise(request, 'admin'));
  };
  const by = (request: FastifyRequest): string | undefined => admins.get(request)?.subject;

  app.get(
    '/api/v1/tokens',
    {
      onRequest,
      schema: { summary: 'List tokens', response: { 200: z.object({ tokens: z.array(facts) }), ...problemResponses } },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'no-store');
      return { tokens: (await tokens.list()).map(toJson) };
    },
  );

  const created = facts.extend({
    token: z.string().meta({ description: 'The token itself. It cannot be retrieved again.' }),
  });
  app.post(
    '/api/v1/tokens',
    {
      onRequest,
      schema: { summary: 'Create a token', body: newToken, response: { 201: created, ...bodyProblems } },
    },
    async (request, reply) => {
      const { expiresAt, ...options } = request.body;
      const token = await tokens.create({
        ...options,
        ...(expiresAt !== undefined && { expiresAt: Date.parse(expiresAt) }),
      });
      log.info({ requestId: request.id, tokenId: token.id, kind: token.kind, by: by(request) }, 'token created');
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...toJson(token), token: token.token });
    },
  );

  app.delete(
    '/api/v1/tokens/:id',
    {
      onRequest,
      schema: {
        summary: 'Revoke a token',
        params: z.object({ id: z.string() }),
        // Fastify checks the body of a DELETE too.
        response: { 204: z.null(), ...bodyProblems, 404: problemSchema },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await tokens.revoke(id);
      log.info({ requestId: request.id, tokenId: id, by: by(request) }, 'token revoked');
      return reply.code(204).send(null);
    },
  );
}

function factsAsJson(token: TokenInfo, now: number) {
  const { createdAt, expiresAt, usedAt } = token;
  return {
    ...token,
    scope: token.scope && [...token.scope],
    rights: [...token.rights],
    createdAt: isoTime(createdAt),
    expiresAt: expiresAt === undefined ? undefined : isoTime(expiresAt),
    expired: expiresAt !== undefined && expiresAt <= now,
    usedAt: usedAt === undefined ? undefined : isoTime(usedAt),
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
