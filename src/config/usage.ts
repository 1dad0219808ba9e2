import { z } from 'zod';
import { limits } from '../base/index.ts';
import { byName, choicesOf, day, duration, hour, list, map, nonEmpty, secret, size, text, whole } from './fields.ts';
import type { Findings } from './findings.ts';
import * as meters from './meters.ts';
import * as names from './names.ts';
import { quote } from './problems.ts';
import { formatDuration, formatSize } from './units.ts';

/** Dimensions that the ledger can keep; the same words as in `usage/`. */
export const keptDimensions = ['org', 'arch', 'upstream', 'repository', 'tag', 'outcome', 'user', 'client'] as const;

const meter = map({
  eventType: text(meters.eventTypeForm, meters.parseEventType).describe(
    'CloudEvents type of the events of this meter. No other meter may have it.',
  ),
  quantity: text(meters.memberForm, meters.parseMember)
    .prefault('quantity')
    .describe("Member of an event's data that states the quantity."),
  unit: text(meters.unitForm, meters.parseUnit)
    .prefault('1')
    .describe('Unit in UCUM notation. If it is not 1, each event must state its quantity.'),
  description: nonEmpty('a text').exactOptional().describe('What the meter counts, for people.'),
}).describe('A meter of your own.');

const quantity = whole(1, Number.MAX_SAFE_INTEGER, 'units of the meter');

const quantityMax = z
  .object({
    '1': quantity
      .prefault(limits.eventQuantityMax)
      .describe('For meters that count events, and for all units without a limit of their own.'),
    By: size(1).prefault(formatSize(limits.eventQuantityBytesMax)).describe('For meters in bytes (unit By).'),
    s: duration(36_600 * day, 1_000, 's')
      .prefault(formatDuration(limits.eventQuantitySecondsMax * 1_000))
      .describe('For meters in seconds (unit s).'),
  })
  .catchall(quantity.describe('For meters with this unit.'))
  .readonly()
  .prefault({})
  .describe(
    `Largest quantity of one event, by unit. The ledger refuses a larger one. In one day an organisation may have ${limits.largestQuantitiesPerDayMax} times as much of each meter.`,
  );

export const usage = map({
  dimensions: choicesOf(keptDimensions, 'dimension')
    .prefault(['org', 'arch', 'upstream', 'repository'])
    .describe('Dimensions of an event that the ledger keeps. It stores user and client as keyed hashes.'),
  plain: list(z.enum(['user', 'client']))
    .prefault([])
    .describe('Those of user and client that the ledger stores as they are, without hashing.'),
  durability: z
    .enum(['strict', 'relaxed'])
    .prefault('strict')
    .describe('strict: the gateway answers a pull once it is counted on disk. relaxed: it does not wait.'),
  commitWait: duration(hour)
    .prefault(formatDuration(limits.commitWaitMsMax))
    .describe('How long the answer of a pull waits for its commit.'),
  dedupeDays: whole(1, 366, 'days')
    .prefault(limits.dedupeDays)
    .describe('Days for which the ledger recognises an event that is sent again. It refuses older events.'),
  detailDays: whole(1, 36_600, 'days')
    .prefault(limits.detailDays)
    .describe(
      'Days for which the ledger keeps all dimensions, at least dedupeDays. After that it keeps organisation and architecture only.',
    ),
  heldKeysMax: whole(1_000, 1_000_000_000, 'keys')
    .prefault(limits.heldKeysMax)
    .describe(
      'Largest number of event keys that the ledger holds for dedupeDays, in eleven bytes of memory each. If it is reached, the ledger refuses events with an identity until keys expire.',
    ),
  quantityMax,
  dedupe: z
    .enum(['instance', 'shared'])
    .prefault('instance')
    .describe(
      'instance: each source sends its events to one instance only. shared: it may send them to any instance on the same Redis. shared needs store.driver redis.',
    ),
  hashKey: secret(names.hashKeyForm, names.parseHashKey)
    .exactOptional()
    .describe(
      'Key for hashing user and client. Instances with the same key make the same hashes. Default: a random key, which the ledger keeps.',
    ),
  meters: byName(text(meters.meterNameForm, meters.parseMeterName), meter)
    .prefault({})
    .describe('Meters of your own, by name. Other systems send their events.'),
})
  .prefault({})
  .describe('What the ledger counts and keeps.');

type UsageConfig = z.output<typeof usage>;

/** Checks the keys of `usage` against each other and against the driver of the store. */
export function checkUsage(stated: UsageConfig, driver: 'sqlite' | 'redis', findings: Findings): void {
  checkDays(stated, findings);
  checkPlain(stated, findings);
  checkQuantityMax(stated, findings);
  checkEventTypes(stated, findings);
  if (stated.dedupe === 'shared' && driver !== 'redis' && findings.isValid(['store', 'driver'])) {
    const path = ['usage', 'dedupe'];
    const came = findings.shown(path, stated.dedupe);
    findings.report(path, `expected "instance", because store.driver is not "redis", but came ${came}`);
  }
}

/** A void takes an event back from its cell, so the cell must exist for as long as the event can be taken back. */
function checkDays({ dedupeDays, detailDays }: UsageConfig, findings: Findings): void {
  const path = ['usage', 'detailDays'];
  if (detailDays >= dedupeDays || !findings.isValid(['usage', 'dedupeDays'])) return;
  const known = findings.shown(['usage', 'dedupeDays'], dedupeDays);
  const came = findings.shown(path, detailDays);
  findings.report(path, `expected at least the ${known} days of usage.dedupeDays, but came ${came}`);
}

/** `plain` must be a subset of `dimensions`. */
function checkPlain({ plain, dimensions }: UsageConfig, findings: Findings): void {
  if (!findings.isValid(['usage', 'dimensions'])) return;
  for (const [index, dimension] of plain.entries()) {
    if (dimensions.includes(dimension)) continue;
    const path = ['usage', 'plain', index];
    const came = findings.shown(path, dimension);
    findings.report(path, `expected one of usage.dimensions (${dimensions.join(', ')}), but came ${came}`);
  }
}

/** A limit for a unit that no meter has would limit nothing. */
function checkQuantityMax({ quantityMax, meters }: UsageConfig, findings: Findings): void {
  if (!findings.isValid(['usage', 'meters'])) return;
  const units = new Set(['1', 'By', 's', ...meters.map(({ unit }) => unit)]);
  for (const unit of Object.keys(quantityMax)) {
    if (units.has(unit)) continue;
    const message = `expected the unit of a meter (${[...units].join(', ')}), but came ${quote(unit)}`;
    findings.reportKey(['usage', 'quantityMax', unit], message);
  }
}

/** An event type belongs to one meter. */
function checkEventTypes({ meters }: UsageConfig, findings: Findings): void {
  const owners = new Map<string, string>();
  for (const { name, eventType } of meters) {
    const path = ['usage', 'meters', name, 'eventType'];
    const owner = owners.get(eventType);
    if (owner === undefined) owners.set(eventType, name);
    else {
      const message = `expected an event type that no other meter has, but ${findings.shown(path, eventType)} is also that of ${quote(owner)}`;
      findings.report(path, message);
    }
  }
}
