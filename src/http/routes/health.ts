import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ApiOptions, App } from '../contract.ts';

const readiness = z.object({ ready: z.boolean(), checks: z.record(z.string(), z.string()) });

/**
 * `/healthz`: the process is alive. `/readyz`: it can save events and is not stopping. Each failed check has a public
 * code. Its detail may name hosts and files, so it needs the right `query`. A probe with wrong credentials gets the code.
 */
export function healthRoutes(app: App, options: Pick<ApiOptions, 'readiness' | 'authorise'>): void {
  const alive = { summary: 'Check that the process is alive', response: { 200: z.object({ alive: z.literal(true) }) } };
  app.get('/healthz', { schema: alive }, async () => ({ alive: true }) as const);

  const ready = { summary: 'Check that the server can take requests', response: { 200: readiness, 503: readiness } };
  app.get('/readyz', { schema: ready }, async (request, reply) => {
    const state = options.readiness();
    const allOk = Object.values(state.checks).every((check) => check === 'ok');
    const shown = allOk || !(await mayQuery(options, request)) ? 'code' : 'detail';
    const checks = Object.entries(state.checks).map(([name, check]): [string, string] => [
      name,
      check === 'ok' ? check : check[shown],
    ]);
    return reply
      .code(state.ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready: state.ready, checks: Object.fromEntries(checks) });
  });
}

function mayQuery({ authorise }: Pick<ApiOptions, 'authorise'>, request: FastifyRequest): Promise<boolean> {
  return authorise(request, 'query').then(
    () => true,
    () => false,
  );
}
