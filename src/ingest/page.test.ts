import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ignoredReasons, refusalReasons } from './index.ts';
import { readEvent } from './testing/read-event.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/guides/events.md', import.meta.url)), 'utf8');

test('docs/guides/events.md lists exactly the reasons for refusing an event', () => {
  const [, table = ''] = page.split('| `code` in `results` |');
  expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)).toEqual(refusalReasons);
});

test('docs/guides/events.md lists exactly the reasons for ignoring a notification', () => {
  const [, table = ''] = page.split('| `code` of an ignored one |');
  const [rows = ''] = table.split('\n\n');
  expect([...rows.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)).toEqual(ignoredReasons);
});

test('every event of docs/guides/events.md is accepted', () => {
  const events = [...page.matchAll(/\{"specversion".*\}(?=['`\n])/g)].map(([text]) => text);
  const kinds = events.map((text) => {
    const read = readEvent(JSON.parse(text));
    return 'kind' in read ? read.kind : read;
  });
  expect(kinds).toEqual(['usage', 'usage', 'usage', 'usage', 'void']);
});
