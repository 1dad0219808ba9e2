import type { EscapingScheme } from './escape-name.ts';

/** The syntaxes that `encode` supports. */
export type Syntax = 'openmetrics-1.0.0' | 'openmetrics-2.0.0' | 'text-0.0.4' | 'text-1.0.0' | 'protobuf';

/** The format of a response: its syntax, the escaping of names, and the content type that states both. */
export interface Format {
  readonly syntax: Syntax;
  readonly escaping: EscapingScheme;
  readonly contentType: string;
}

const mediaTypes: Readonly<Record<Syntax, string>> = {
  'openmetrics-1.0.0': 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  'openmetrics-2.0.0': 'application/openmetrics-text; version=2.0.0; charset=utf-8',
  'text-0.0.4': 'text/plain; version=0.0.4; charset=utf-8',
  'text-1.0.0': 'text/plain; version=1.0.0; charset=utf-8',
  protobuf: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
};

/**
 * A format. `escaping` defaults to `underscores`. The content type states the scheme if `escaping` is given, and always
 * for versions that define it. Text 0.0.4 supports legacy names only, so it ignores `escaping`.
 */
export function formatOf(syntax: Syntax, escaping?: EscapingScheme): Format {
  if (syntax === 'text-0.0.4')
    return Object.freeze({ syntax, escaping: 'underscores', contentType: mediaTypes[syntax] });
  const isStated = escaping !== undefined || syntax === 'text-1.0.0' || syntax === 'openmetrics-2.0.0';
  const scheme = escaping ?? 'underscores';
  const contentType = isStated ? `${mediaTypes[syntax]}; escaping=${scheme}` : mediaTypes[syntax];
  return Object.freeze({ syntax, escaping: scheme, contentType });
}

/** OpenMetrics text 1.0.0. */
export const openMetrics: Format = formatOf('openmetrics-1.0.0');

/** Prometheus text 0.0.4, which every reader accepts. */
export const prometheusText: Format = formatOf('text-0.0.4');
