import { escapingSchemes, type EscapingScheme } from './escape-name.ts';
import { formatOf, prometheusText, type Format, type Syntax } from './format.ts';

/** One entry of an Accept header: a media range, its parameters in lower case, its quality. */
interface Accepted {
  readonly mediaRange: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/**
 * The format to answer a scrape in, from its Accept header: of what we can write, what the reader likes best; among
 * equals what stands first. Without a usable entry it is Prometheus text 0.0.4, which every reader takes, and never a
 * refusal (Prometheus documentation, "Content negotiation"). Entries that make no sense are passed over.
 */
export function negotiate(accept: string | undefined): Format {
  let best: Format | undefined;
  let quality = 0;
  for (const entry of parseAccept(accept ?? '')) {
    if (entry.quality <= quality) continue;
    const format = formatFor(entry);
    if (format === undefined) continue;
    best = format;
    quality = entry.quality;
  }
  return best ?? prometheusText;
}

function parseAccept(header: string): Accepted[] {
  return header.split(',').map((entry) => {
    const [mediaRange = '', ...rest] = entry.split(';').map((part) => part.trim().toLowerCase());
    const parameters = new Map(rest.map(parameter));
    const quality = Number.parseFloat(parameters.get('q') ?? '1');
    return { mediaRange, parameters, quality: Number.isNaN(quality) ? 0 : quality };
  });
}

function parameter(text: string): [name: string, value: string] {
  const [name = '', value = ''] = text.split('=');
  return [name.trim(), value.trim().replace(/^"(.*)"$/, '$1')];
}

function formatFor({ mediaRange, parameters }: Accepted): Format | undefined {
  const escaping = escapingSchemes.find((scheme) => scheme === parameters.get('escaping'));
  const version = parameters.get('version');
  switch (mediaRange) {
    case 'application/openmetrics-text':
      return version === undefined || version === '1.0.0' ? formatOf('openmetrics-1.0.0', escaping) : undefined;
    case 'text/plain':
      return textFor(version, escaping);
    case 'text/*':
    case '*/*':
      return prometheusText;
    default:
      return undefined;
  }
}

function textFor(version: string | undefined, escaping: EscapingScheme | undefined): Format | undefined {
  const syntaxes: Readonly<Record<string, Syntax>> = { '0.0.4': 'text-0.0.4', '1.0.0': 'text-1.0.0' };
  const syntax = syntaxes[version ?? '0.0.4'];
  return syntax === undefined ? undefined : formatOf(syntax, escaping);
}
