import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TokenRow } from '../store/index.ts';
import { withTokenTable } from './tokens.ts';

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'tonnage-tokens-')), 'ledger.sqlite');
});
afterEach(() => rmSync(join(file, '..'), { recursive: true }));

const plain: TokenRow = {
  id: 'one',
  kind: 'api',
  hash: new Uint8Array(32).fill(1),
  rights: ['pull'],
  createdAt: 1_000,
};
const full: TokenRow = {
  id: 'two',
  kind: 'path',
  hash: new Uint8Array(32).fill(2),
  name: 'ci',
  email: 'ci@a.org',
  org: 'a.org',
  scope: ['lab/a', 'lab/b/*'],
  rights: ['pull', 'query'],
  createdAt: 2_000,
  expiresAt: 3_000,
  usedAt: 2_500,
};

test('tokens are there again after opening again, oldest first', async () => {
  await withTokenTable(file, async (table) => {
    await table.add(full);
    await table.add(plain);
  });
  expect(await withTokenTable(file, (table) => table.all())).toEqual([plain, full]);
});

test('tokens are removed, and when they were used is noted; one that is gone is no error', async () => {
  const rest = await withTokenTable(file, async (table) => {
    await table.add(plain);
    await table.add(full);
    await table.remove(full.id);
    await table.remove(full.id);
    await table.used([
      { id: plain.id, at: 5_000 },
      { id: full.id, at: 5_000 },
    ]);
    return table.all();
  });
  expect(rest).toEqual([{ ...plain, usedAt: 5_000 }]);
});

test('no two tokens have one id or one hash', async () => {
  await withTokenTable(file, async (table) => {
    await table.add(plain);
    await expect(table.add({ ...full, id: plain.id })).rejects.toThrow('UNIQUE constraint failed: token.id');
    await expect(table.add({ ...full, hash: plain.hash })).rejects.toThrow('UNIQUE constraint failed: token.hash');
  });
});
