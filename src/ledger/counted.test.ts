import { expect, test } from 'vitest';
import { Counted } from './counted.ts';

const counts = (org: string, arch: string) => ({ meter: 'pulls', dimensions: { org, arch }, quantity: 1n });
const shown = (counted: Counted) => [...counted.points()].map(({ labels, value }) => `${labels.text} ${value}`);

test('beyond the cap organisations are summed, beyond twice the cap architectures too; nothing is lost', () => {
  const counted = new Counted({ orgs: true, accountsMax: 2 });
  counted.add([counts('a.org', 'amd64'), counts('b.org', 'amd64')]);
  counted.add([counts('c.org', 'amd64'), counts('d.org', 'amd64'), counts('c.org', 'arm64')]);
  counted.add(Array.from({ length: 5 }, (_, index) => counts('e.org', `arch${index}`)));
  counted.add([counts('a.org', 'amd64'), counts('f.org', 'arm64')]);
  expect(shown(counted)).toEqual([
    'meter="pulls",org="a.org",arch="amd64" 2',
    'meter="pulls",org="b.org",arch="amd64" 1',
    'meter="pulls",org="__other__",arch="amd64" 2',
    'meter="pulls",org="__other__",arch="arm64" 2',
    'meter="pulls",org="__other__",arch="__other__" 5',
  ]);
});
