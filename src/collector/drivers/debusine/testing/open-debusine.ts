import { systemClock, type Clock, type Log } from '../../../../base/index.ts';
import { createConfigReader } from '../../../../config/index.ts';
import { sourceDriverEntry } from '../../../../wiring/index.ts';
import type { ScheduledSource } from '../../../contract.ts';
import { debusineOptions } from '../options.ts';

const none = () => undefined;
const noLog: Log = { debug: none, info: none, warn: none, error: none };

const driver = sourceDriverEntry(debusineOptions, () => import('../../debusine.ts'));
const reader = createConfigReader({ debusine: debusineOptions });

/** A clock whose wall-clock time does not move. */
export function clockAt(now: Date): Clock {
  return { now: () => now.getTime(), monotonic: () => systemClock.monotonic() };
}

/** The sources of a database with these keys of the configuration, as the program creates them. The caller closes them. */
export async function openSources(dsn: string, now: Date, keys: object = {}): Promise<readonly ScheduledSource[]> {
  const source = { name: 'farm', driver: 'debusine', dsn, interval: '5m', deadline: '60s', statementTimeout: '30s' };
  const text = JSON.stringify({ sources: [{ ...source, ...keys }] });
  const file = { name: 'tonnage.yaml', text, directory: '/' };
  const { sources } = reader.read({ file, environment: {}, workingDirectory: '/', readSecret: () => '' });
  const opened = await Promise.all(sources.map((each) => driver.open(each, { clock: clockAt(now), log: noLog })));
  return opened.flat();
}

/** The source of the families that Debusine itself exposes. */
export async function openBase(dsn: string, now: Date, keys: object = {}): Promise<ScheduledSource> {
  const [base] = await openSources(dsn, now, keys);
  if (base === undefined) throw new Error('expected a source');
  return base;
}
