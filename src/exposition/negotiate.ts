import { parseAccept, type Accepted } from './accept.ts';
import { escapingSchemes } from './escape-name.ts';
import { formatOf, prometheusText, type Format, type Syntax } from './format.ts';

/** Offered by default: all except OpenMetrics 2.0.0, a release candidate. */
const stable: readonly Syntax[] = ['openmetrics-1.0.0', 'text-0.0.4', 'text-1.0.0', 'protobuf'];

/** The syntax of each media type and version. A client that states no version gets the oldest supported one. */
const syntaxes: Readonly<Record<string, Syntax>> = {
  'application/openmetrics-text': 'openmetrics-1.0.0',
  'application/openmetrics-text 1.0.0': 'openmetrics-1.0.0',
  'application/openmetrics-text 2.0.0': 'openmetrics-2.0.0',
  'text/plain': 'text-0.0.4',
  'text/plain 0.0.4': 'text-0.0.4',
  'text/plain 1.0.0': 'text-1.0.0',
  'text/*': 'text-0.0.4',
  '*/*': 'text-0.0.4',
};

/**
 * The format for a scrape: the format among `offered` that the Accept header prefers. Ignores invalid entries and those
 * that are not offered. If none is left, this is Prometheus text 0.0.4, which every client accepts, never an error
 * (Prometheus documentation, "Scrape protocol content negotiation").
 */
export function negotiate(accept: string | undefined, offered: readonly Syntax[] = stable): Format {
  for (const entry of parseAccept(accept ?? '')) {
    const syntax = entry.quality === 0 ? undefined : syntaxOf(entry);
    if (syntax === undefined || !offered.includes(syntax)) continue;
    const escaping = escapingSchemes.find((scheme) => scheme === entry.parameters.get('escaping'));
    return formatOf(syntax, escaping);
  }
  return prometheusText;
}

function syntaxOf({ mediaRange, parameters }: Accepted): Syntax | undefined {
  if (mediaRange === 'application/vnd.google.protobuf') {
    const delimited = parameters.get('encoding') === 'delimited';
    return delimited && parameters.get('proto') === 'io.prometheus.client.metricfamily' ? 'protobuf' : undefined;
  }
  const version = parameters.get('version');
  const key = version === undefined ? mediaRange : `${mediaRange} ${version}`;
  return Object.hasOwn(syntaxes, key) ? syntaxes[key] : undefined;
}
