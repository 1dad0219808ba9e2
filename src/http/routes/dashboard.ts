import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { z } from 'zod';
import { TonnageError } from '../../base/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { problemSchema } from '../schemas.ts';

/** The page may load from this server only, run only its own files, and not be framed by another site. */
const pageHeaders = {
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const assetName = /^[\w-][\w.-]*$/;

const page = { summary: 'Get the dashboard' };

/** `/` and `/assets/*`: the built dashboard. Its files are public; its data comes from the API, which checks access. */
export async function dashboardRoutes(app: App, { dashboard }: Pick<ApiOptions, 'dashboard'>): Promise<void> {
  if (dashboard === undefined || !existsSync(join(dashboard, 'index.html'))) {
    app.get('/', { schema: { ...page, response: { 404: problemSchema } } }, () => {
      throw new TonnageError('not_found', 'the dashboard has not been built: `npm start` builds it');
    });
    return;
  }
  await app.register(fastifyStatic, {
    root: dashboard,
    serve: false,
    setHeaders(reply) {
      for (const [name, value] of Object.entries(pageHeaders)) reply.setHeader(name, value);
    },
  });
  app.get('/', { schema: page }, (_request, reply) => reply.sendFile('index.html', { maxAge: 0 }));
  // The names of assets contain a hash of their content, so clients may cache them for ever.
  const asset = {
    summary: 'Get a file of the dashboard',
    params: z.object({ file: z.string() }),
    response: {
      200: { description: 'The file.', content: { '*/*': { schema: z.unknown() } } },
      404: problemSchema,
    },
  };
  app.get('/assets/:file', { schema: asset }, async (request, reply) => {
    const { file } = request.params;
    // Only a plain file name: not the folder itself, and no path out of it.
    if (!assetName.test(file)) throw new TonnageError('not_found', 'there is no such path');
    reply.sendFile(`assets/${file}`, { maxAge: '1y', immutable: true });
    return reply;
  });
}
