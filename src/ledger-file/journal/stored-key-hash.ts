import { timingSafeEqual } from 'node:crypto';
import { assert, TonnageError } from '../../base/index.ts';
import type { Database } from '../../sqlite/index.ts';
import type { KeyHash, StoredKeyHash } from '../../store/index.ts';

/** Reads the key hash from the ledger's file. The table `ledger` must have its row. */
export async function openStoredKeyHash(database: Database): Promise<StoredKeyHash> {
  const [row = []] = await database.read('select hash_key, hash_version, shares_hash_key from ledger');
  const [secret, version, shares] = row;
  assert(secret instanceof Uint8Array, 'an open ledger has a hash key');
  let current: KeyHash = { version: Number(version) === 1 ? 1 : 2, secret };
  let isShared = Number(shares) === 1;
  return {
    get current() {
      return current;
    },
    get isShared() {
      return isShared;
    },
    async share(keyHash) {
      const isSame = isSameHash(keyHash, current);
      if (isSame && isShared) return;
      if (!isSame) await assertNothingHashed(database, isShared);
      const sql = 'update ledger set hash_key = ?, hash_version = ?, shares_hash_key = 1';
      await database.transact([{ sql, rows: [[keyHash.secret, keyHash.version]], changes: 1 }]);
      current = keyHash;
      isShared = true;
    },
  };
}

function isSameHash(one: KeyHash, other: KeyHash): boolean {
  if (one.version !== other.version || one.secret.length !== other.secret.length) return false;
  return timingSafeEqual(one.secret, other.secret);
}

async function assertNothingHashed(database: Database, isShared: boolean): Promise<void> {
  if (isShared) {
    throw new TonnageError(
      'store_invalid',
      'Redis and this ledger have different hash secrets or versions. This happens if Redis was emptied and another instance ' +
        'started first: stop all instances, delete {metrics/v1}:hash-key, and start this one first',
    );
  }
  const held = await database.read('select 1 from key_run limit 1');
  if (held.length === 0) return;
  throw new TonnageError(
    'store_invalid',
    'this ledger has keys of events from another hash secret or version than that of the other instances: send its events ' +
      'to another instance for usage.dedupeDays, or give it an empty data directory (its counts stay in Redis)',
  );
}
