import type { MetricFamily } from './family.ts';
import { occupiedNames } from './sample-names.ts';

/** The names that the families of one exposition use. Detects families whose sample names clash. */
export class FamilyNames {
  readonly #owners = new Map<string, string>();
  readonly #fixed: FamilyNames | undefined;

  /** `fixed`: names that are already in use; this object does not change them. */
  constructor(fixed?: FamilyNames) {
    this.#fixed = fixed;
  }

  /** The first clash of this family with a claimed one, as a sentence; `undefined` if there is none. */
  clash(family: Pick<MetricFamily, 'name' | 'type'>): string | undefined {
    for (const name of occupiedNames(family)) {
      const owner = this.#owners.get(name);
      if (owner !== undefined) return `its sample name ${name} clashes with ${owner}`;
    }
    return this.#fixed?.clash(family);
  }

  /** Claims the names of a family that does not clash. */
  claim(family: Pick<MetricFamily, 'name' | 'type'>): void {
    for (const name of occupiedNames(family)) this.#owners.set(name, `${family.type} ${family.name}`);
  }
}
