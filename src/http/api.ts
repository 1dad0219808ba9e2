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
import { tokenRoutes } from './routes/tokens.ts';
import { usageRoutes } from './routes/usage.ts';
import { waveRoutes } from './routes/wave.ts';

/** All routes of the main listener but `/v2`. It listens to nothing: the main listener hands requests to `app.routing`. */
export async function createApi(options: ApiOptions): Promise<App> {
  const answerError = createAnswerError(options);
  const bare = fastify({
    bodyLimit: limits.requestBodyBytesMax,
    requestIdHeader: false,
    genReqId: (request) => requestIdOf(request),
    frameworkErrors: answerError,
    routerOptions: { maxParamLength: 255 },
  });
  const app: App = bare.withTypeProvider<ZodTypeProvider>();
  // A page of another site may send such text without asking; what we take is JSON.
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
    healthRoutes(scope, options);
    await dashboardRoutes(scope, options);
    scope.get('/openapi.json', { schema: { summary: 'This description' } }, () => app.swagger());
  });
  await app.ready();
  return app;
}

/** The main listener has given the request its id already, as a header of the answer to come. */
const requestIds = new WeakMap<object, string>();

export function noteRequestId(request: IncomingMessage, id: string): void {
  requestIds.set(request, id);
}

function requestIdOf(request: object): string {
  return requestIds.get(request) ?? '';
}
