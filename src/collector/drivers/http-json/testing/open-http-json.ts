import { systemClock, type Log } from '../../../../base/index.ts';
import { createConfigReader } from '../../../../config/index.ts';
import { sourceDriverEntry } from '../../../../wiring/index.ts';
import type { ScheduledSource } from '../../../contract.ts';
import { httpJsonOptions } from '../options.ts';

const driver = sourceDriverEntry(httpJsonOptions, () => import('../../http-json.ts'));
const reader = createConfigReader({ 'http-json': httpJsonOptions });
const none = () => undefined;

/** The source with these keys, as the program creates it. The caller closes it. */
export async function openHttpJson(keys: object, warn: Log['warn'] = none): Promise<ScheduledSource> {
  const text = JSON.stringify({ sources: [{ name: 'status', driver: 'http-json', ...keys }] });
  const file = { name: 'tonnage.yaml', text, directory: '/' };
  const { sources } = reader.read({ file, environment: {}, workingDirectory: '/', readSecret: () => '' });
  const log: Log = { debug: none, info: none, warn, error: none };
  const opened = await Promise.all(sources.map((each) => driver.open(each, { clock: systemClock, log })));
  const [first] = opened.flat();
  if (first === undefined) throw new Error('expected a source');
  return first;
}
