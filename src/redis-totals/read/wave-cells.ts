import { checkSize, formatDay, type Day, type Dimension, type UsageQuery } from '../../usage/index.ts';

/** The names in the index of a meter. */
export interface Names {
  readonly orgs: readonly string[];
  readonly archs: readonly string[];
}

/** Translates a query of one meter to fields of Wave's form, and their values to cells. */
export interface WaveCells {
  /** The number of fields per day, or of all time. */
  readonly size: number;
  /** The names of these fields, in the same order for each day. Without a day: those of all time. */
  fields(day?: Day): readonly string[];
  /** Calls `emit` for each cell. `values`: the values of these fields, in the same order. */
  cells(values: readonly bigint[], emit: (org: string | null, arch: string | null, value: bigint) => void): void;
}

/** Whether a query groups or filters by a dimension. */
function needs({ by, where }: Pick<UsageQuery, 'by' | 'where'>, name: Dimension): boolean {
  return by.includes(name) || where[name] !== undefined;
}

/** By which names to read the fields. All time has no field for the sum, so it is the sum of the organisations. */
function fieldNames(query: Pick<UsageQuery, 'by' | 'where'>, dated: boolean) {
  const oneArch = typeof query.where.arch === 'string';
  return { byOrg: needs(query, 'org') || (!dated && !oneArch), byArch: needs(query, 'arch') };
}

/** Which names `createWaveCells` needs from the index: not those that the query states itself. */
export function namesNeeded(
  query: Pick<UsageQuery, 'by' | 'where'>,
  dated: boolean,
): { readonly orgs: boolean; readonly archs: boolean } {
  const { byOrg, byArch } = fieldNames(query, dated);
  return { orgs: byOrg && typeof query.where.org !== 'string', archs: byArch && typeof query.where.arch !== 'string' };
}

/**
 * Finds the fields that answer a query by organisation and architecture. Wave counts an event under its day, its
 * architecture, its organisation and both (`waveFieldsOf`). So the count without a name is a sum minus its parts. It is
 * never below 0: Wave does not write its fields atomically, so a difference may be negative for a moment.
 *
 * Without a day (`dated` is false) there is no field for the sum. Events with neither name are then left out, and also
 * events without an organisation if the query does not need architectures.
 */
export function createWaveCells(
  meter: string,
  query: Pick<UsageQuery, 'by' | 'where'>,
  names: Names,
  dated: boolean,
): WaveCells {
  const oneOrg = typeof query.where.org === 'string';
  const oneArch = typeof query.where.arch === 'string';
  const { byOrg, byArch } = fieldNames(query, dated);
  const orgs = typeof query.where.org === 'string' ? [query.where.org] : byOrg ? names.orgs : [];
  const archs = typeof query.where.arch === 'string' ? [query.where.arch] : byArch ? names.archs : [];
  checkSize((orgs.length + 1) * (archs.length + 1), 'fields of a day');
  // Each section is present only if a cell needs it.
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
      /** Each sum minus its parts so far. */
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
