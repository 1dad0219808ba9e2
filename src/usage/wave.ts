import type { UsageRow } from './query.ts';

/** The values of Wave's `arch` parameter, in Wave's order, and their architectures. */
const waveArchitectures: ReadonlyMap<string, string> = new Map([
  ['amd64', 'amd64'],
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['arm64', 'arm64'],
  ['aarch64', 'arm64'],
  ['arm', 'arm64'],
]);

/** The ends of Wave's paths, and their meters. */
export const waveMetrics: ReadonlyMap<string, string> = new Map([
  ['builds', 'builds'],
  ['pulls', 'pulls'],
  ['fusion/pulls', 'fusion'],
  ['mirrors', 'mirrors'],
  ['scans', 'scans'],
]);

export type WaveVersion = 'v1alpha2' | 'v1alpha3';

/** Wave's parameters as received. An empty parameter is ignored. */
export interface WaveParameters {
  readonly date?: string | undefined;
  readonly org?: string | undefined;
  readonly arch?: string | undefined;
}

/** A valid query of Wave's API. */
export interface WaveQuery {
  readonly metric: string;
  /** `YYYY-MM-DD`. As in Wave only the format is checked: 2024-99-99 is a day without events. */
  readonly date?: string;
  readonly org?: string;
  readonly arch?: string;
}

/**
 * Checks the parameters as Wave's filter does: first the date's format, then the architecture, which v1alpha2 checks
 * but ignores. Returns the query, or Wave's exact message for a 400 response.
 */
export function parseWaveParameters(
  version: WaveVersion,
  metric: string,
  parameters: WaveParameters,
): WaveQuery | { readonly refusal: string } {
  const { date, org, arch } = parameters;
  if (date && !/^\d{4}-\d{2}-\d{2}$/.test(date)) return { refusal: 'date format should be yyyy-MM-dd' };
  const canonical = arch ? waveArchitectures.get(arch) : undefined;
  if (arch && !canonical) return { refusal: `arch should be one of [${[...waveArchitectures.keys()].join(', ')}]` };
  return {
    metric,
    ...(date && { date }),
    ...(org && { org }),
    ...(canonical && version === 'v1alpha3' && { arch: canonical }),
  };
}

/** Wave's response. Wave omits null and empty members: `arch` without that parameter, `orgs` without organisations. */
interface WaveAnswer {
  readonly metric: string;
  readonly arch?: string;
  readonly count: bigint;
  readonly orgs?: ReadonlyMap<string, bigint>;
}

/**
 * Wave's response from totals by organisation (`null`: anonymous) that match the query's other parameters. Without
 * parameters Wave sums the organisations only; with a date or architecture it includes anonymous events. A query for
 * one organisation returns it even if its count is 0.
 */
export function waveAnswer(query: WaveQuery, byOrganisation: readonly UsageRow[]): WaveAnswer {
  const { metric, date, org, arch } = query;
  const known = new Map<string, bigint>();
  let anonymous = 0n;
  for (const { dimensions, value } of byOrganisation) {
    if (dimensions.org) known.set(dimensions.org, value);
    else anonymous += value;
  }
  const ofOrganisations = [...known.values()].reduce((sum, value) => sum + value, 0n);
  const common = { metric, ...(arch !== undefined && { arch }) };
  if (org !== undefined) {
    const count = known.get(org) ?? 0n;
    return { ...common, count, orgs: new Map([[org, count]]) };
  }
  const count = date === undefined && arch === undefined ? ofOrganisations : ofOrganisations + anonymous;
  return { ...common, count, ...(known.size > 0 && { orgs: known }) };
}
