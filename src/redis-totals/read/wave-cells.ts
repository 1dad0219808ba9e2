import { checkSize } from '../../usage/index.ts';
import { formatDay, type Day, type Dimension, type UsageQuery } from '../../usage/index.ts';

/** The names under which a meter has been counted. */
export interface Names {
  readonly orgs: readonly string[];
  readonly archs: readonly string[];
}

/** A reader of the fields of one meter, for one question. Fields of Wave's form, in one order for all days. */
export interface WaveCells {
  /** How many fields tell about one day (or about all time). */
  readonly size: number;
  /** The names of those fields. Absent day: all time. */
  fields(day?: Day): readonly string[];
  /** What the values of those fields say, cell by cell. */
  cells(values: readonly bigint[], emit: (org: string | null, arch: string | null, value: bigint) => void): void;
}

/** Whether a question tells organisations or architectures apart, as a row or as a filter. */
function asks({ by, where }: Pick<UsageQuery, 'by' | 'where'>, name: Dimension): boolean {
  return by.includes(name) || where[name] !== undefined;
}

/** What the fields of a question are told apart by. Without a day, only those of organisations have it all. */
function toldApart(query: Pick<UsageQuery, 'by' | 'where'>, dated: boolean) {
  const oneArch = typeof query.where.arch === 'string';
  return { byOrg: asks(query, 'org') || (!dated && !oneArch), byArch: asks(query, 'arch') };
}

/** Which names must be looked up for `createWaveCells`: none that the question gives itself. */
export function namesNeeded(
  query: Pick<UsageQuery, 'by' | 'where'>,
  dated: boolean,
): { readonly orgs: boolean; readonly archs: boolean } {
  const { byOrg, byArch } = toldApart(query, dated);
  return { orgs: byOrg && typeof query.where.org !== 'string', archs: byArch && typeof query.where.arch !== 'string' };
}

/**
 * Works out which fields answer a question by organisation and architecture, and what they say. Wave counts an event
 * under its day, its architecture, its organisation and both (`waveFieldsOf`), so what lacks one of these is the
 * difference between a sum and its parts: never below 0, since Wave does not write its fields at one moment.
 *
 * Without a day there is no field for everything together: then what lacks both is left out, and all that lacks an
 * organisation where the question does not tell architectures apart.
 */
export function createWaveCells(
  meter: string,
  query: Pick<UsageQuery, 'by' | 'where'>,
  names: Names,
  dated: boolean,
): WaveCells {
  const oneOrg = typeof query.where.org === 'string';
  const oneArch = typeof query.where.arch === 'string';
  const { byOrg, byArch } = toldApart(query, dated);
  const orgs = typeof query.where.org === 'string' ? [query.where.org] : byOrg ? names.orgs : [];
  const archs = typeof query.where.arch === 'string' ? [query.where.arch] : byArch ? names.archs : [];
  checkSize((orgs.length + 1) * (archs.length + 1), 'fields of a day');
  // Each section is there only when a cell needs it.
  const grand = dated && !oneOrg && !oneArch ? [''] : [];
  const ofArchs = byArch && !oneOrg ? archs.map((arch) => `/a/${arch}`) : [];
  const ofOrgs = byOrg && !oneArch ? orgs.map((org) => `/o/${org}`) : [];
  const ofBoth = byOrg && byArch ? orgs.flatMap((org) => archs.map((arch) => `/o/${org}/a/${arch}`)) : [];
  const stems = [...grand, ...ofArchs, ...ofOrgs, ...ofBoth].map((stem) => `${meter}${stem}`);

  return {
    size: stems.length,
    fields(day) {
      if (day === undefined) return stems;
      const date = `/d/${formatDay(day)}`;
      return stems.map((stem) => stem + date);
    },
    cells(values, emit) {
      const archAt = grand.length;
      const orgAt = archAt + ofArchs.length;
      const bothAt = orgAt + ofOrgs.length;
      const at = (index: number): bigint => values[index] ?? 0n;
      /** What the parts of each sum leave of it. */
      const rest = { grand: at(0), archs: ofArchs.map((_, index) => at(archAt + index)) };

      for (const [index, org] of (byOrg ? orgs : []).entries()) {
        let restOfOrg = ofOrgs.length > 0 ? at(orgAt + index) : 0n;
        rest.grand -= restOfOrg;
        for (const [position, arch] of (byArch ? archs : []).entries()) {
          const value = at(bothAt + index * archs.length + position);
          restOfOrg -= value;
          if (ofArchs.length > 0) rest.archs[position] = (rest.archs[position] ?? 0n) - value;
          emit(org, arch, value);
        }
        if (ofOrgs.length > 0) emit(org, null, positive(restOfOrg));
      }
      for (const [position, value] of rest.archs.entries()) {
        rest.grand -= positive(value);
        emit(null, archs[position] ?? null, positive(value));
      }
      if (grand.length > 0) emit(null, null, positive(rest.grand));
    },
  };
}

function positive(value: bigint): bigint {
  return value > 0n ? value : 0n;
}
