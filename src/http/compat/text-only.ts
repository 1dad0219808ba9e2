import type { Handler } from '../listener.ts';

/**
 * A metrics handler that is asked for no format, and so answers in text 0.0.4, whatever a scraper would rather have. For
 * names that no other format can carry: a Prometheus left to itself would negotiate OpenMetrics.
 */
export function textOnly(handler: Handler): Handler {
  return (request, response) => {
    delete request.headers.accept;
    handler(request, response);
  };
}
