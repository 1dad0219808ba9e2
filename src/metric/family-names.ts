import type { MetricFamily } from './family.ts';
import { occupiedNames } from './sample-names.ts';

/** The names that the families of one exposition have taken, to find clashes before a reader does. */
export class FamilyNames {
  readonly #owners = new Map<string, string>();
  readonly #fixed: FamilyNames | undefined;

  /** `fixed`: names that are taken already, which stay as they are. */
  constructor(fixed?: FamilyNames) {
    this.#fixed = fixed;
  }

  /** The first clash of this family with one that is claimed, as a sentence; undefined when there is none. */
  clash(family: Pick<MetricFamily, 'name' | 'type'>): string | undefined {
    for (const name of occupiedNames(family)) {
      const owner = this.#owners.get(name);
      if (owner !== undefined) return `its sample name ${name} clashes with ${owner}`;
    }
    return this.#fixed?.clash(family);
  }

  /** Takes the names of a family that does not clash. */
  claim(family: Pick<MetricFamily, 'name' | 'type'>): void {
    for (const name of occupiedNames(family)) this.#owners.set(name, `${family.type} ${family.name}`);
  }
}
