import { Turns, type Clock } from '../../base/index.ts';
import type { Collector, CreateSources, ScheduledSource } from '../contract.ts';
import { baseFamilies, familiesOfManySeries } from './debusine/families.ts';
import { FamilyBuilder } from './debusine/family-builder.ts';
import type { DebusineFamily, FamilySettings } from './debusine/family.ts';
import { KnownProducts } from './debusine/known-products.ts';
import { optionalFamilies } from './debusine/optional-families.ts';
import { debusineOptions, type DebusineOptions } from './debusine/options.ts';
import { Session } from './debusine/session.ts';

/**
 * The sources of one Debusine database: one of the families that Debusine exposes itself, and one of each family that the
 * configuration switches on, `NAME:FAMILY`. They take turns on one connection.
 */
export const createSources: CreateSources<DebusineOptions> = (settings, { clock }) => {
  const session = new Session(settings.dsn);
  const optional = optionalFamilies.flatMap((family) => {
    const schedule = settings.families[family.name];
    return schedule === undefined ? [] : [{ family, schedule }];
  });
  const turns = new Turns({ runningMax: 1, waitingMax: optional.length });
  const { name, driver, labels, keepFor } = settings;
  const page = debusineOptions.page?.of(settings);
  const common = {
    driver,
    labels,
    turns,
    ...(keepFor !== undefined && { keepMs: keepFor }),
    ...(page !== undefined && { page }),
  };
  const base: ScheduledSource = {
    ...common,
    name,
    intervalMs: settings.interval,
    deadlineMs: settings.deadline,
    collector: collector({ session, clock, settings, families: baseFamilies, timeoutMs: settings.statementTimeout }),
  };
  const others = optional.map(({ family, schedule }): ScheduledSource => ({
    ...common,
    name: `${name}:${family.name}`,
    isExtra: true,
    intervalMs: schedule.interval,
    deadlineMs: schedule.timeout + settings.deadline,
    collector: collector({ session, clock, settings, families: [family], timeoutMs: schedule.timeout }),
  }));
  return [base, ...others];
};

interface CollectorOptions {
  readonly session: Session;
  readonly clock: Clock;
  readonly settings: FamilySettings;
  readonly families: readonly DebusineFamily[];
  readonly timeoutMs: number;
}

/** Reads some families in one transaction. */
function collector({ session, clock, settings, families, timeoutMs }: CollectorOptions): Collector {
  const first = familiesOfManySeries.filter((family) => families.includes(family));
  const queries = [...new Set([...first, ...families].flatMap((family) => family.queries))];
  const products = new KnownProducts();
  const newBuilder = () => new FamilyBuilder({ families, settings, products, clock });
  return {
    async collect(signal) {
      const now = new Date(clock.now()).toISOString();
      products.begin();
      let builder = newBuilder();
      await session.read({ queries, now, timeoutMs, signal, begin: () => (builder = newBuilder()) });
      return builder.families();
    },
    close: () => session.close(),
  };
}
