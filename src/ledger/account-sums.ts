import { limits } from '../base/index.ts';
import { labelSet, type CounterPoint, type LabelSet } from '../metric/index.ts';
import { foldedValue, knownArchitectures, type Increment, type Series } from '../usage/index.ts';

/** Architectures that always have their own series: there are few of them. The empty one means no architecture. */
const alwaysShown: ReadonlySet<string> = new Set(['', foldedValue, ...knownArchitectures]);

interface Counter extends CounterPoint {
  readonly labels: LabelSet;
  value: bigint;
}

export interface AccountSumsOptions {
  /** Whether each organisation has its own series. Their names are a list of customers, which may be confidential. */
  readonly orgs: boolean;
  /** Maximum number of accounts with their own series. Default: `limits.usageSeriesMax`. */
  readonly accountsMax?: number;
}

/**
 * Sums by account (meter, organisation, architecture), updated in memory with each commit, so that a scrape never queries the
 * store. Sums never fall. Accounts beyond the cap share the organisation `__other__`; beyond twice the cap they share the
 * architecture `__other__` as well, since senders of events choose the architecture too. To keep one organisation from using
 * up the cap, its architectures beyond a share become `__other__`, except for known architectures.
 */
export class AccountSums {
  readonly #options: AccountSumsOptions;
  /** By meter, architecture and organisation, in this order, since there are few meters and architectures. */
  readonly #counters = new Map<string, Map<string, Map<string, Counter>>>();
  #count = 0;
  /** By organisation, the number of its accounts with an unknown architecture. */
  readonly #unknownArchs = new Map<string, number>();

  constructor(options: AccountSumsOptions) {
    this.#options = options;
  }

  /** Adds to the accounts of these increments. */
  add(increments: readonly Pick<Increment, keyof Series | 'quantity'>[]): void {
    for (const { meter, dimensions, quantity } of increments) {
      const org = this.#options.orgs ? (dimensions.org ?? '') : '';
      this.#counter(meter, dimensions.arch ?? '', org).value += quantity;
    }
  }

  /** Raises each sum to the given one if it is lower: after a commit whose outcome is not fully known. */
  raise(accounts: readonly Pick<Increment, keyof Series | 'quantity'>[]): void {
    const fresh = new AccountSums(this.#options);
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
      const unknownArchs = this.#unknownArchs.get(org) ?? 0;
      const share = Math.ceil(accountsMax / limits.organisationShareDivisor);
      if (unknownArchs >= share || this.#count >= 2 * accountsMax) return this.#counter(meter, foldedValue, org);
      this.#unknownArchs.set(org, unknownArchs + 1);
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
