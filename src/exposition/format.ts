import type { EscapingScheme } from './escape-name.ts';

/** The syntaxes that an encoder knows. */
export type Syntax = 'openmetrics-1.0.0' | 'text-0.0.4' | 'text-1.0.0';

/** What a scrape is answered in: a syntax, how names are escaped, and the content type that says both. */
export interface Format {
  readonly syntax: Syntax;
  readonly escaping: EscapingScheme;
  readonly contentType: string;
}

const mediaTypes: Readonly<Record<Syntax, string>> = {
  'openmetrics-1.0.0': 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  'text-0.0.4': 'text/plain; version=0.0.4; charset=utf-8',
  'text-1.0.0': 'text/plain; version=1.0.0; charset=utf-8',
};

/**
 * A format. The content type names the escaping scheme where one was asked for: version 0.0.4 has no such parameter,
 * and a reader that asks for none takes names as if `underscores` had been said.
 */
export function formatOf(syntax: Syntax, escaping?: EscapingScheme): Format {
  const named = escaping !== undefined && syntax !== 'text-0.0.4';
  const contentType = named ? `${mediaTypes[syntax]}; escaping=${escaping}` : mediaTypes[syntax];
  return Object.freeze({ syntax, escaping: named ? escaping : 'underscores', contentType });
}

/** OpenMetrics text 1.0.0. */
export const openMetrics: Format = formatOf('openmetrics-1.0.0');

/** Prometheus text 0.0.4, which every reader takes. */
export const prometheusText: Format = formatOf('text-0.0.4');
