import { limits } from '../base/index.ts';
import { labelSet, type CounterPoint, type LabelSet } from '../metric/index.ts';
import { foldedValue, knownArchitectures, type Increment, type Series } from '../usage/index.ts';

/** Architectures that keep their own series: there are few of them. Absent ones are empty. */
const alwaysShown: ReadonlySet<string> = new Set(['', foldedValue, ...knownArchitectures]);

interface Counter extends CounterPoint {
  readonly labels: LabelSet;
  value: bigint;
}

export interface CountedOptions {
  /** Whether organisations are told apart: their names are a list of customers, which not everybody may read. */
  readonly orgs: boolean;
  /** Accounts that are told apart at most. Default: `limits.usageSeriesMax`. */
  readonly accountsMax?: number;
}

/**
 * Sums by account (meter, organisation, architecture), mirrored in memory as they are committed, so that a scrape never
 * asks the store. Never lowered. Accounts beyond the cap are summed under the organisation `__other__`, and beyond twice
 * the cap under the architecture `__other__` as well, since senders of events choose that too. So that one organisation
 * cannot use up the cap, its architectures beyond a share are summed under `__other__`. Known architectures never are.
 */
export class Counted {
  readonly #options: CountedOptions;
  /** By meter, architecture and organisation, in that order, since there are few of the first two. */
  readonly #counters = new Map<string, Map<string, Map<string, Counter>>>();
  #count = 0;
  /** How many accounts of architectures that are not known each organisation has. */
  readonly #madeUp = new Map<string, number>();

  constructor(options: CountedOptions) {
    this.#options = options;
  }

  /** Adds to the accounts of these increments. */
  add(increments: readonly Pick<Increment, keyof Series | 'quantity'>[]): void {
    for (const { meter, dimensions, quantity } of increments) {
      const org = this.#options.orgs ? (dimensions.org ?? '') : '';
      this.#counter(meter, dimensions.arch ?? '', org).value += quantity;
    }
  }

  /** Raises accounts to what is known of them, where they are lower: after a commit of which not all is known. */
  raise(accounts: readonly Pick<Increment, keyof Series | 'quantity'>[]): void {
    const fresh = new Counted(this.#options);
    fresh.add(accounts);
    for (const [meter, archs] of fresh.#counters) {
      for (const [arch, orgs] of archs) {
        for (const [org, { value }] of orgs) {
          const counter = this.#counter(meter, arch, org);
          if (counter.value < value) counter.value = value;
        }
      }
    }
  }

  *points(): Iterable<CounterPoint> {
    for (const archs of this.#counters.values()) for (const orgs of archs.values()) yield* orgs.values();
  }

  #counter(meter: string, arch: string, org: string): Counter {
    const known = this.#counters.get(meter)?.get(arch)?.get(org);
    if (known) return known;
    const accountsMax = this.#options.accountsMax ?? limits.usageSeriesMax;
    if (this.#count >= accountsMax && org !== foldedValue) return this.#counter(meter, arch, foldedValue);
    if (!alwaysShown.has(arch)) {
      const madeUp = this.#madeUp.get(org) ?? 0;
      const share = Math.ceil(accountsMax / limits.organisationShareDivisor);
      if (madeUp >= share || this.#count >= 2 * accountsMax) return this.#counter(meter, foldedValue, org);
      this.#madeUp.set(org, madeUp + 1);
    }
    const counter = { labels: labelSet({ meter, org, arch }), value: 0n };
    let archs = this.#counters.get(meter);
    if (!archs) this.#counters.set(meter, (archs = new Map<string, Map<string, Counter>>()));
    let orgs = archs.get(arch);
    if (!orgs) archs.set(arch, (orgs = new Map<string, Counter>()));
    orgs.set(org, counter);
    this.#count++;
    return counter;
  }
}
