import type { UsageRow } from './query.ts';

/** What Wave's `arch` parameter takes, and the architecture that each asks for (its own list, in its order). */
const waveArchitectures: ReadonlyMap<string, string> = new Map([
  ['amd64', 'amd64'],
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['arm64', 'arm64'],
  ['aarch64', 'arm64'],
  ['arm', 'arm64'],
]);

/** The end of Wave's paths, and the meter that each shows. */
export const waveMetrics: ReadonlyMap<string, string> = new Map([
  ['builds', 'builds'],
  ['pulls', 'pulls'],
  ['fusion/pulls', 'fusion'],
  ['mirrors', 'mirrors'],
  ['scans', 'scans'],
]);

export type WaveVersion = 'v1alpha2' | 'v1alpha3';

/** Wave's parameters as they came; an empty one counts as absent. */
export interface WaveParameters {
  readonly date?: string | undefined;
  readonly org?: string | undefined;
  readonly arch?: string | undefined;
}

/** A question in Wave's terms, checked. */
export interface WaveQuestion {
  readonly metric: string;
  /** `YYYY-MM-DD` by shape; the calendar is not asked, as in Wave: 2024-99-99 is a day on which nothing happened. */
  readonly date?: string;
  readonly org?: string;
  readonly arch?: string;
}

/**
 * Checks the parameters as Wave's filter does: the date's shape first, then the architecture, which v1alpha2 checks as
 * well and then ignores. Answers the question, or the message of a 400 answer, to the letter.
 */
export function parseWaveParameters(
  version: WaveVersion,
  metric: string,
  parameters: WaveParameters,
): WaveQuestion | { readonly refusal: string } {
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

/** Wave's answer. `arch` only when asked for, `orgs` only when there is one: Wave leaves null and empty members out. */
export interface WaveAnswer {
  readonly metric: string;
  readonly arch?: string;
  readonly count: bigint;
  readonly orgs?: ReadonlyMap<string, bigint>;
}

/**
 * Wave's answer from totals by organisation (`null`: anonymous), which must match the question's other parameters.
 * Without any parameter Wave sums the organisations only; with one it counts anonymous events too. A question for
 * one organisation names it even with 0.
 */
export function waveAnswer(question: WaveQuestion, byOrganisation: readonly UsageRow[]): WaveAnswer {
  const { metric, date, org, arch } = question;
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
