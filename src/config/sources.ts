import { z } from 'zod';
import { limits } from '../base/index.ts';
import { day, duration, hour, list, map, text } from './fields.ts';
import type { Findings, PartFindings } from './findings.ts';
import { reportConflicts } from './source-conflicts.ts';
import type { SourceConfig, SourceDrivers } from './source-driver.ts';
import type { Path } from './tree.ts';
import { formatDuration } from './units.ts';

/** The source of the process itself, which no configuration states. */
const ownSource = 'runtime';
const nameForm = `the name of a source (1 to 63 letters, digits, "_", "." and "-"; not "${ownSource}")`;

function parseName(stated: string): string | undefined {
  return /^[A-Za-z0-9_.-]{1,63}$/.test(stated) && stated !== ownSource ? stated : undefined;
}

const labelForm =
  'the name of a label (letters, digits and "_", no digit first; not "source", "le" or "quantile", and not with "__" in front)';

function parseLabel(stated: string): string | undefined {
  const isValid = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/.test(stated);
  return isValid && !['source', 'le', 'quantile'].includes(stated) ? stated : undefined;
}

const labelValueForm = `the value of a label (a string of 1 to ${limits.sourceStaticLabelCharactersMax} characters)`;

function parseLabelValue(stated: string): string | undefined {
  return stated !== '' && stated.length <= limits.sourceStaticLabelCharactersMax ? stated : undefined;
}

function commonKeys(driver: string, interval: string) {
  return {
    name: text(nameForm, parseName).describe('Name of the source, which no other source has. It is the label source.'),
    driver: z.literal(driver).describe('What kind of source it is. It decides which other keys there are.'),
    interval: duration(day, 1_000)
      .prefault(interval)
      .describe('Time from the start of one read to the start of the next.'),
    deadline: duration(hour, 100)
      .prefault(formatDuration(limits.sourceReadMsMax))
      .describe(
        `How long one read may take. At most the interval. Default: ${formatDuration(limits.sourceReadMsMax)}, or the interval if that is shorter.`,
      ),
    keepFor: duration(365 * day)
      .exactOptional()
      .describe(
        'How long after a read its figures are still served if no later read succeeds. At least the interval. Default: for ever.',
      ),
    labels: z
      .record(text(labelForm, parseLabel), text(labelValueForm, parseLabelValue))
      .prefault({})
      .describe('Labels of all series of this source, by name. They tell apart sources that have the same series.'),
  };
}

/** The key `sources` of a program with these drivers. */
export function sourcesOf(drivers: SourceDrivers) {
  return list(itemOf(drivers))
    .prefault([])
    .describe('Systems that are read at intervals. Their figures are served as metrics.');
}

function itemOf(drivers: SourceDrivers): z.ZodType<SourceConfig> {
  const forms = Object.entries(drivers).map(([name, { keys, interval }]) => {
    return map({ ...commonKeys(name, interval), ...keys }).describe(`A source of the driver ${name}.`);
  });
  const [first, ...others] = forms;
  if (first === undefined) return z.never();
  return z.discriminatedUnion('driver', [first, ...others]).meta({ discriminator: { propertyName: 'driver' } });
}

/** Fills in the defaults of sources that depend on other keys, and checks the sources against each other. */
export function completeSourcesOf(
  stated: readonly SourceConfig[],
  drivers: SourceDrivers,
  findings: Findings,
): readonly SourceConfig[] {
  if (stated.length > limits.sourcesMax) {
    findings.report(['sources'], `expected at most ${limits.sourcesMax} sources, but came ${stated.length}`);
  }
  reportNames(stated, findings);
  const sources = stated.map((source, index) => {
    const own = findings.within(['sources', index]);
    reportLabels(source, own);
    reportKeepFor(source, own);
    const complete = withDeadline(source, own);
    return drivers[source.driver]?.complete?.(complete, own) ?? complete;
  });
  reportConflicts(sources, drivers, findings);
  return sources;
}

function reportNames(sources: readonly SourceConfig[], findings: Findings): void {
  const names = sources.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue;
    const path: Path = ['sources', index, 'name'];
    findings.report(path, `expected a name that no other source has, but ${findings.shown(path, name)} came before`);
  }
}

function reportLabels({ labels }: SourceConfig, findings: PartFindings): void {
  const count = Object.keys(labels).length;
  if (count <= limits.sourceLabelsMax) return;
  findings.report(['labels'], `expected at most ${limits.sourceLabelsMax} labels, but came ${count}`);
}

/** If figures expired before the next read, they would be absent most of the time. */
function reportKeepFor({ interval, keepFor = Infinity }: SourceConfig, findings: PartFindings): void {
  if (keepFor >= interval) return;
  const least = findings.shown(['interval'], formatDuration(interval));
  const came = findings.shown(['keepFor'], formatDuration(keepFor));
  findings.report(['keepFor'], `expected at least the ${least} of interval, but came ${came}`);
}

/** Reads of a source do not overlap, so a read that takes longer than the interval would delay the next one. */
function withDeadline(source: SourceConfig, findings: PartFindings): SourceConfig {
  const { interval, deadline } = source;
  if (deadline <= interval) return source;
  if (findings.isStated(['deadline'])) {
    const most = findings.shown(['interval'], formatDuration(interval));
    const came = findings.shown(['deadline'], formatDuration(deadline));
    findings.report(['deadline'], `expected at most the ${most} of interval, but came ${came}`);
  }
  return { ...source, deadline: interval };
}
