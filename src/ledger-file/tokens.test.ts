import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TokenRow } from '../store/index.ts';
import { ledgerApplicationId, ledgerMigrations } from './schema.ts';
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

/** Names of Debusine scopes that a careless quotation or encoding would change. */
const oddScopes = ['we"ird\\scope', '日本 ☃ é{x="y",}', "it's; drop table token", '𝔘'.repeat(255)];

test('a token keeps its Debusine scope, whatever its characters', async () => {
  const bound = oddScopes.map((debusineScope, at): TokenRow => {
    return { ...plain, id: `bound-${at}`, hash: new Uint8Array(32).fill(10 + at), rights: ['query'], debusineScope };
  });
  await withTokenTable(file, async (table) => {
    for (const token of bound) await table.add(token);
  });
  expect(await withTokenTable(file, (table) => table.all())).toEqual(bound);
});

test('tokens of an earlier schema have no Debusine scope, and ones that have it can be added', async () => {
  const earlier = 12;
  const old = new DatabaseSync(file);
  old.exec(ledgerMigrations.slice(0, earlier).join(';'));
  old.exec(`
    pragma application_id = ${ledgerApplicationId}; pragma user_version = ${earlier};
    insert into token values
      ('one', 'api', x'${'01'.repeat(32)}', null, null, null, null, '["pull"]', 1000, null, null),
      ('two', 'path', x'${'02'.repeat(32)}', 'ci', 'ci@a.org', 'a.org', '["lab/a","lab/b/*"]', '["pull","query"]',
        2000, 3000, 2500);`);
  old.close();
  const bound: TokenRow = {
    ...plain,
    id: 'three',
    hash: new Uint8Array(32),
    debusineScope: 'debian',
    createdAt: 3_000,
  };
  const all = await withTokenTable(file, async (table) => {
    await table.add(bound);
    return table.all();
  });
  expect(all).toEqual([plain, full, bound]);
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
