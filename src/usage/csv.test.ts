import { expect, test } from 'vitest';
import { parseUsageQuery, usageAsCsv } from './index.ts';

const answerOf = (user: string) => ({
  from: 0,
  to: 1,
  rows: [{ dimensions: { org: 'a.org', user }, value: 5n }],
  total: 5n,
});
const query = parseUsageQuery('builds', { by: 'org,user' });

test.each([
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-2+3', "'-2+3"],
  ['@sum(a1)', "'@sum(a1)"],
  ['\tx', "'\tx"],
  ['\r=x', `"'\r=x"`],
  ['=hyperlink("http://e","x")', `"'=hyperlink(""http://e"",""x"")"`],
  ["'=1", "'=1"],
  ['a=1', 'a=1'],
  ['', ''],
])('the field %j becomes %j in CSV, and is unchanged with raw', (user, field) => {
  expect(usageAsCsv(query, answerOf(user))).toBe(`org,user,value\r\na.org,${field},5\r\n`);
  const quoted = /[",\r\n]/.test(user) ? `"${user.replaceAll('"', '""')}"` : user;
  expect(usageAsCsv(query, answerOf(user), { raw: true })).toBe(`org,user,value\r\na.org,${quoted},5\r\n`);
});
