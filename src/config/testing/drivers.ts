import { z } from 'zod';
import { duration, map, nonEmpty, parseNonEmpty, secret, whole } from '../fields.ts';
import { createConfigReader } from '../reader.ts';
import { sourceDriver } from '../source-driver.ts';
import { formatDuration } from '../units.ts';

/** A driver with a required secret, pages, and a default that depends on another key. */
const barn = sourceDriver({
  keys: {
    token: secret('a text', parseNonEmpty).describe('Token of the barn.'),
    page: nonEmpty('the name of a page').exactOptional().describe('Page of the barn. Default: none.'),
    door: z.enum(['open', 'closed']).prefault('open').describe('Whether the page is public.'),
    wait: duration(60_000, 1).prefault('5s').describe('How long a cow may take. Default: 5s, or half the deadline.'),
    extras: map({
      milk: map({ litres: whole(1, 9, 'litres').prefault(1).describe('Litres of milk.') }, 'true or a map of settings')
        .exactOptional()
        .meta({ description: 'Milk. Default: off.', orTrue: true }),
    })
      .prefault({})
      .describe('Families that are off by default.'),
  },
  interval: '30s',
  families: ({ extras }) => [
    { name: 'cows', labels: ['colour', 'horn_*'] },
    { name: 'calves', labels: [] },
    ...(extras.milk ? [{ name: 'milk', labels: [] }] : []),
  ],
  page: { of: ({ page }) => `/barn/${page ?? ''}`, access: () => 'public', key: 'page', shared: ['door'] },
  complete(source, findings) {
    const { wait, deadline } = source;
    if (wait < deadline) return source;
    if (findings.isStated(['wait'])) {
      findings.report(['wait'], `expected less than the deadline, but came ${findings.shown(['wait'], wait)}`);
    }
    return { ...source, wait: Math.floor(deadline / 2) };
  },
});

/** A driver that has a key of another kind under the same name. */
const files = sourceDriver({
  keys: {
    token: nonEmpty('the name of a file').exactOptional().describe('File with the token. Default: none.'),
    files: nonEmpty('the name of a file').describe('Names of the files.'),
  },
  interval: formatDuration(300_000),
  families: () => [{ name: 'files', labels: ['name'] }],
});

export const exampleDrivers = { barn, files };
export const exampleReader = createConfigReader(exampleDrivers);
