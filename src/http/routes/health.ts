import { z } from 'zod';
import type { ApiOptions, App } from '../contract.ts';

const readiness = z.object({ ready: z.boolean(), checks: z.record(z.string(), z.string()) });

/** `/healthz`: the process answers. `/readyz`: it can also save what it counts, and is not stopping. */
export function healthRoutes(app: App, options: Pick<ApiOptions, 'readiness'>): void {
  const alive = { summary: 'Alive', response: { 200: z.object({ alive: z.literal(true) }) } };
  app.get('/healthz', { schema: alive }, async () => ({ alive: true }) as const);

  const ready = { summary: 'Ready', response: { 200: readiness, 503: readiness } };
  app.get('/readyz', { schema: ready }, async (_request, reply) => {
    const state = options.readiness();
    return reply
      .code(state.ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready: state.ready, checks: { ...state.checks } });
  });
}
