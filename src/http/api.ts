import type { IncomingMessage } from 'node:http';
import fastifySwagger from '@fastify/swagger';
import { fastify } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { limits } from '../base/index.ts';
import { answerUnknown, createAnswerError } from './answer-error.ts';
import type { ApiOptions, App } from './contract.ts';
import { openApiOptions } from './openapi.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { dimensionRoutes } from './routes/dimensions.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { pageRoutes } from './routes/pages.ts';
import { sourceRoutes } from './routes/sources.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { usageRoutes } from './routes/usage.ts';
import { waveRoutes } from './routes/wave.ts';

/** Creates all routes of the main listener except `/v2`. It opens no port: the main listener calls `app.routing`. */
export async function createApi(options: ApiOptions): Promise<App> {
  const answerError = createAnswerError(options);
  const bare = fastify({
    bodyLimit: limits.requestBodyBytesMax,
    requestIdHeader: false,
    genReqId: (request) => requestIds.get(request) ?? '',
    frameworkErrors: answerError,
    routerOptions: { maxParamLength: 255 },
  });
  const app: App = bare.withTypeProvider<ZodTypeProvider>();
  // A page of another site may send `text/plain` without a CORS preflight, so the API accepts JSON only.
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerError);
  answerUnknown(app);
  await app.register(fastifySwagger, openApiOptions(options.version));
  await app.register(async (scope: App) => {
    usageRoutes(scope, options);
    dimensionRoutes(scope, options);
    waveRoutes(scope, options);
    await eventRoutes(scope, options);
    tokenRoutes(scope, options);
    sourceRoutes(scope, options);
    healthRoutes(scope, options);
    pageRoutes(scope, options);
    await dashboardRoutes(scope, options);
    scope.get('/openapi.json', { schema: { summary: 'OpenAPI description of this API' } }, () => app.swagger());
  });
  await app.ready();
  return app;
}

/** Ids that the main listener has assigned and put into the response headers. */
const requestIds = new WeakMap<object, string>();

/** Stores the id under which the API logs this request. */
export function setRequestId(request: IncomingMessage, id: string): void {
  requestIds.set(request, id);
}
