import { DescribedAnswers, type Description } from '../../src/http/testing/described.ts';

/** The OpenAPI document of each server; `undefined` if it could not be fetched, for example from a server being killed. */
const descriptions = new Map<string, Promise<DescribedAnswers | undefined>>();
const originalFetch = globalThis.fetch;

/**
 * Checks every answer of this server that a test fetches from now on against the server's own description
 * (`/openapi.json`): a status, media type or body that is not described fails the fetch. Skips the `/v2` routes, whose
 * bodies are images.
 */
export function holdAgainstDescription(url: string): void {
  descriptions.delete(url);
  watched.add(url);
  globalThis.fetch = describedFetch;
}

const watched = new Set<string>();

const describedFetch: typeof fetch = async (input, init) => {
  const response = await originalFetch(input, init);
  const { origin, pathname, search } = new URL(input instanceof Request ? input.url : input);
  if (!watched.has(origin) || !/^\/(api|v1alpha\d|healthz|readyz)/.test(pathname)) return response;
  const body = await response
    .clone()
    .text()
    .catch(() => undefined);
  const description = await describe(origin);
  if (body === undefined || description === undefined) return response;
  const missing = description.missing({
    method: init?.method ?? (input instanceof Request ? input.method : 'GET'),
    target: `${pathname}${search}`,
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    body,
  });
  if (missing !== undefined) throw new Error(`/openapi.json does not describe this answer: ${missing}\n${body}`);
  return response;
};

async function describe(origin: string): Promise<DescribedAnswers | undefined> {
  let description = descriptions.get(origin);
  if (description === undefined) descriptions.set(origin, (description = ask(origin)));
  const answered = await description;
  if (answered === undefined) descriptions.delete(origin);
  return answered;
}

async function ask(origin: string): Promise<DescribedAnswers | undefined> {
  try {
    const response = await originalFetch(`${origin}/openapi.json`, { signal: AbortSignal.timeout(5_000) });
    return new DescribedAnswers((await response.json()) as Description);
  } catch {
    return undefined;
  }
}
