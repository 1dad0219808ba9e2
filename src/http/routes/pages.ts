import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { messageOf, TonnageError } from '../../base/index.ts';
import type { SourcePage } from '../../collector/index.ts';
import { negotiate, openMetrics, prometheusText, type Format } from '../../exposition/index.ts';
import type { Principal } from '../../identity/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { freshnessHeaders, retryAfterSeconds } from '../pages/headers.ts';
import type { Page } from '../pages/page.ts';
import { PageResponder } from '../pages/responder.ts';
import { optional, problemResponses, problemSchema } from '../schemas.ts';

const root = '/api/1.0/open-metrics';

const text = (description: string) => z.string().meta({ description });
const params = z.object({ page: text('The `path` of a source.') });
const query = z.object({
  format: optional(z.string(), 'openmetrics or prometheus. Overrides the Accept header. Another one gets 404.'),
  scope: optional(
    z.string(),
    'Scope of the Debusine server. It needs a token for this scope, which shows it without this parameter too.',
  ),
});

const redirect = { 301: z.null().meta({ description: 'The same path with a trailing slash.' }), 404: problemSchema };
const responses = {
  ...problemResponses,
  200: {
    description: 'The metrics, in the format that the client prefers.',
    content: {
      'application/openmetrics-text': { schema: z.string() },
      'text/plain': { schema: z.string() },
    },
  },
  404: problemSchema,
};

type Request = FastifyRequest<{ Params: { page?: string | undefined } }>;
type PageRequest = FastifyRequest<{ Params: { page?: string | undefined }; Querystring: z.output<typeof query> }>;
type Options = Pick<ApiOptions, 'pages' | 'authorisePage' | 'metrics' | 'clock' | 'log'>;

/**
 * `/api/1.0/open-metrics/` and its sub-paths: the pages of sources, in OpenMetrics 1.0.0 or Prometheus text 0.0.4. They
 * behave as Debusine's own page, but honour the quality values of the Accept header, and never answer 406.
 */
export function pageRoutes(app: App, options: Options): void {
  const { pages } = options;
  const send = createSend(options);

  const redirectToSlash = (request: Request, reply: FastifyReply): void => {
    pageOf(pages, request);
    const [path = '', ...rest] = request.url.split('?');
    // The path begins with `root`, so it cannot lead to another host.
    void reply.redirect([`${path}/`, ...rest].join('?'), 301);
  };
  const toSlash = { summary: 'Redirect to the path with a trailing slash', response: redirect };
  app.get(root, { schema: toSlash }, redirectToSlash);
  app.get(`${root}/:page`, { schema: { ...toSlash, params } }, redirectToSlash);

  const page = { summary: 'Get the metrics of a Debusine server', querystring: query, response: responses };
  app.get(`${root}/`, { schema: page }, send);
  app.get(`${root}/:page/`, { schema: { ...page, params } }, send);

  for (const path of [root, `${root}/`, `${root}/:page`, `${root}/:page/`]) {
    app.options(path, { schema: { hide: true, params: params.partial() } }, (request, reply) => {
      pageOf(pages, request);
      void reply.header('allow', 'GET, HEAD, OPTIONS').send();
    });
  }
}

function createSend({ pages, authorisePage, metrics, clock, log }: Options) {
  const responder = new PageResponder({ clock, metrics });
  return async (request: PageRequest, reply: FastifyReply): Promise<void> => {
    const page = pageOf(pages, request);
    const principal = await authorisePage(request, page.access);
    const scope = scopeFor(principal, request.query.scope);
    const format = formatOf(request);
    const current = page.read();
    if (current.missing !== undefined) {
      reply.header('retry-after', retryAfterSeconds(current));
      throw new TonnageError('unavailable', reasonOf(current.missing, principal));
    }
    const headers = {
      vary: 'Accept, Accept-Encoding, Authorization',
      'x-content-type-options': 'nosniff',
      ...freshnessHeaders(current, { shared: page.access === 'public' && scope === undefined }),
    };
    const exchange = { request: request.raw, response: reply.raw, onBegin: () => void reply.hijack() };
    try {
      await responder.send({ path: page.path, page: current, format, scope, headers }, exchange);
    } catch (error) {
      if (!reply.raw.headersSent && !reply.raw.destroyed) throw error;
      reply.hijack();
      // The client must not take half a page for a complete one.
      reply.raw.destroy();
      log.info({ requestId: request.id, error: messageOf(error) }, 'sending a page was aborted');
    }
  };
}

/** The page that a request names. The only page is also at the path without a name. Throws `not_found`. */
function pageOf(pages: ApiOptions['pages'], { params: { page: name } }: Request): Page {
  const [only, ...others] = pages;
  const path = name === undefined ? `${root}/` : `${root}/${name}/`;
  const page =
    pages.find((each) => each.path === path) ?? (name === undefined && others.length === 0 ? only : undefined);
  if (page !== undefined) return page;
  throw new TonnageError(
    'not_found',
    only === undefined
      ? 'expected a source with the driver debusine in the configuration, got none'
      : 'no source has this path: expected the `path` of a source with the driver debusine',
  );
}

/** The scope to filter by; `undefined` for the whole page. Throws `unauthorized` or `forbidden` for a scope that the client may not read. */
function scopeFor(principal: Principal | undefined, wanted: string | undefined): string | undefined {
  const own = principal?.debusineScope;
  if (wanted === undefined || wanted === own) return own;
  if (own !== undefined) {
    throw new TonnageError('forbidden', `scope: expected ${JSON.stringify(own)}, the scope of this token`);
  }
  throw new TonnageError(
    'unauthorized',
    'scope: expected a token for this scope, as tonnage token create --debusine-scope creates it',
  );
}

const formats: ReadonlyMap<string, Format> = new Map([
  ['openmetrics', openMetrics],
  ['prometheus', prometheusText],
]);

function formatOf({ headers, query: { format: wanted = '' } }: PageRequest): Format {
  if (wanted === '') {
    // Without the escaping scheme that the client may state: all names are legacy names, so it changes nothing.
    const { syntax } = negotiate(headers.accept, [openMetrics.syntax, prometheusText.syntax]);
    return syntax === openMetrics.syntax ? openMetrics : prometheusText;
  }
  const format = formats.get(wanted);
  if (format !== undefined) return format;
  throw new TonnageError('not_found', `format: expected ${[...formats.keys()].join(' or ')}, got another one`);
}

/** Why a page has no data. Details of the failure may name hosts, so they need the right `query`. */
function reasonOf({ source, failure }: NonNullable<SourcePage['missing']>, principal: Principal | undefined): string {
  if (failure === undefined) return 'this page has no data yet: its source is being read for the first time';
  const reason = failureText[failure.class];
  const isPrivileged = principal?.rights.has('query') === true && principal.debusineScope === undefined;
  return `this page has no data yet: ${reason}${isPrivileged ? ` (source ${source}: ${failure.message})` : ''}`;
}

const failureText = {
  timeout: 'its source did not respond in time',
  unreachable: 'its source is unreachable',
  denied: 'its source denied access',
  invalid: 'its source gave data that are not valid',
  failed: 'reading its source failed',
} as const;
