import { DescribedAnswers, type Description } from '../../src/http/testing/described.ts';

/** What each server says of itself; `undefined` where it could not be asked, since it was about to be killed, say. */
const descriptions = new Map<string, Promise<DescribedAnswers | undefined>>();
const originalFetch = globalThis.fetch;

/**
 * From now on every answer of this server that a test fetches is held against the server's own description
 * (`/openapi.json`): a status, a media type or a body that it does not describe fails the fetch. The `/v2` routes are left
 * out, whose bodies are images.
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
