import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { rights, type Principal, type TokenFacts } from '../../identity/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { problemSchema } from '../schemas.ts';

const time = z.iso.datetime();
const scope = z
  .array(z.string())
  .meta({ description: 'Repositories that it may pull: docker.io/library/alpine, docker.io/library/*. Absent: all.' });

const facts = z.object({
  id: z.string().meta({ description: 'Names the token, and opens nothing.' }),
  kind: z.enum(['api', 'path']),
  name: z.string().optional(),
  email: z.string().optional(),
  org: z.string().optional().meta({ description: 'Organisation that it is bound to.' }),
  scope: scope.optional(),
  rights: z.array(z.enum(rights)),
  createdAt: time,
  expiresAt: time.optional().meta({ description: 'Absent: never.' }),
  expired: z.boolean(),
  usedAt: time.optional().meta({ description: 'When it was used last, exact to an hour. Absent: never.' }),
});

const wish = z.strictObject({
  kind: z
    .enum(['api', 'path'])
    .default('api')
    .meta({ description: 'api: Bearer, or password of Basic. path: /v2/wt/<token>/<image>, for pulling only.' }),
  name: z.string().optional(),
  email: z.string().optional(),
  org: z.string().optional().meta({ description: 'Default: the organisation of the e-mail. Neither: bound to none.' }),
  scope: scope.optional(),
  rights: z.array(z.string()).optional().meta({ description: 'Default: pull, query; of a path token: pull.' }),
  platformToken: z.string().optional().meta({
    description: 'Of a path token: access token of the Seqera Platform, which says whose this one is; it is not kept.',
  }),
  expiresAt: z.iso.datetime({ offset: true }).optional().meta({ description: 'RFC 3339. Absent: never.' }),
});

const refusals = {
  400: problemSchema,
  401: problemSchema,
  403: problemSchema,
  429: problemSchema,
  503: problemSchema,
};
const bodyRefusals = { 413: problemSchema, 415: problemSchema };

/** `GET` and `POST /api/v1/tokens`, `DELETE /api/v1/tokens/{id}`: for whoever has the right `admin`. */
export function tokenRoutes(app: App, options: Pick<ApiOptions, 'tokens' | 'authorise' | 'clock' | 'log'>): void {
  const { tokens, authorise, clock, log } = options;
  const told = (token: TokenFacts) => factsAsJson(token, clock.now());
  const admins = new WeakMap<FastifyRequest, Principal>();
  /** Before the body is read: it is nobody else's business to have us keep one. */
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    admins.set(request, await authorise(request, 'admin'));
  };
  const by = (request: FastifyRequest): string | undefined => admins.get(request)?.subject;

  app.get(
    '/api/v1/tokens',
    { onRequest, schema: { summary: 'Tokens', response: { 200: z.object({ tokens: z.array(facts) }), ...refusals } } },
    async (_request, reply) => {
      reply.header('cache-control', 'no-store');
      return { tokens: (await tokens.list()).map(told) };
    },
  );

  const created = facts.extend({
    token: z.string().meta({ description: 'The token itself: told here, and never again.' }),
  });
  app.post(
    '/api/v1/tokens',
    {
      onRequest,
      schema: { summary: 'Make a token', body: wish, response: { 201: created, ...refusals, ...bodyRefusals } },
    },
    async (request, reply) => {
      const { expiresAt, ...asked } = request.body;
      const made = await tokens.create({
        ...asked,
        ...(expiresAt !== undefined && { expiresAt: Date.parse(expiresAt) }),
      });
      log.info({ requestId: request.id, tokenId: made.id, kind: made.kind, by: by(request) }, 'a token was made');
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...told(made), token: made.token });
    },
  );

  app.delete(
    '/api/v1/tokens/:id',
    {
      onRequest,
      schema: {
        summary: 'Revoke a token',
        params: z.object({ id: z.string() }),
        // A body has no meaning here, and is looked at nevertheless.
        response: { 204: z.null(), ...refusals, ...bodyRefusals, 404: problemSchema },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await tokens.revoke(id);
      log.info({ requestId: request.id, tokenId: id, by: by(request) }, 'a token was revoked');
      return reply.code(204).send(null);
    },
  );
}

function factsAsJson(token: TokenFacts, now: number) {
  const { id, kind, name, email, org, scope: repositories, createdAt, expiresAt, usedAt } = token;
  return {
    id,
    kind,
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    ...(org !== undefined && { org }),
    ...(repositories !== undefined && { scope: [...repositories] }),
    rights: [...token.rights],
    createdAt: isoTime(createdAt),
    ...(expiresAt !== undefined && { expiresAt: isoTime(expiresAt) }),
    expired: expiresAt !== undefined && expiresAt <= now,
    ...(usedAt !== undefined && { usedAt: isoTime(usedAt) }),
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
