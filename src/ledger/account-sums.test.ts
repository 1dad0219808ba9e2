import { expect, test } from 'vitest';
import { AccountSums } from './account-sums.ts';

const counts = (org: string, arch: string) => ({ meter: 'pulls', dimensions: { org, arch }, quantity: 1n });
const shown = (counted: AccountSums) => [...counted.points()].map(({ labels, value }) => `${labels.text} ${value}`);

test('beyond the cap organisations share a series, beyond twice the cap architectures do too; nothing is lost', () => {
  const counted = new AccountSums({ orgs: true, accountsMax: 2 });
  counted.add([counts('a.org', 'amd64'), counts('b.org', 'amd64')]);
  counted.add([counts('c.org', 'amd64'), counts('d.org', 'amd64'), counts('c.org', 'arm64')]);
  counted.add(Array.from({ length: 5 }, (_, index) => counts('e.org', `made${index}`)));
  counted.add([counts('a.org', 'amd64'), counts('f.org', 'arm64')]);
  expect(shown(counted)).toEqual([
    'meter="pulls",org="a.org",arch="amd64" 2',
    'meter="pulls",org="b.org",arch="amd64" 1',
    'meter="pulls",org="__other__",arch="amd64" 2',
    'meter="pulls",org="__other__",arch="arm64" 2',
    'meter="pulls",org="__other__",arch="__other__" 5',
  ]);
});

test('one organisation uses up only its own share, and known architectures always have their series', () => {
  const counted = new AccountSums({ orgs: true, accountsMax: 100 });
  counted.add(Array.from({ length: 300 }, (_, index) => counts('flood.org', `made${index}`)));
  counted.add([counts('a.org', 'amd64'), counts('a.org', 'own'), counts('flood.org', 'arm64')]);
  expect(shown(counted)).toEqual([
    'meter="pulls",org="flood.org",arch="made0" 1',
    'meter="pulls",org="flood.org",arch="made1" 1',
    'meter="pulls",org="flood.org",arch="__other__" 298',
    'meter="pulls",org="a.org",arch="amd64" 1',
    'meter="pulls",org="a.org",arch="own" 1',
    'meter="pulls",org="flood.org",arch="arm64" 1',
  ]);
});
