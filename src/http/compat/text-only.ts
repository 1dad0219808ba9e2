import type { Handler } from '../listener.ts';

/**
 * Makes a metrics handler answer in the text format 0.0.4, whatever the scraper accepts. For metrics whose names no
 * other format allows: Prometheus would negotiate OpenMetrics.
 */
export function textOnly(handler: Handler): Handler {
  return (request, response) => {
    delete request.headers.accept;
    handler(request, response);
  };
}
