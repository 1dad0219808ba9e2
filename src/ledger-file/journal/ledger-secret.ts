import { timingSafeEqual } from 'node:crypto';
import { assert, TonnageError } from '../../base/index.ts';
import type { Database } from '../../sqlite/index.ts';

/** The secret that a ledger hashes identities with, as its file has it. */
export interface LedgerSecret {
  readonly current: Uint8Array;
  /** Whether that is what all instances hash with. */
  readonly isShared: boolean;
  /**
   * From now on, and for good, keys are hashed with the secret of all instances. Rejects with `store_invalid` when it is
   * not the one that keys held here were made with.
   */
  share(secret: Uint8Array): Promise<void>;
}

/** The secret of a ledger whose `ledger` row exists. */
export async function openLedgerSecret(database: Database): Promise<LedgerSecret> {
  const [row = []] = await database.read('select hash_key, shares_hash_key from ledger');
  const [stored, shares] = row;
  assert(stored instanceof Uint8Array, 'a ledger has a hash key once it is open');
  let current: Uint8Array = stored;
  let isShared = Number(shares) === 1;
  return {
    get current() {
      return current;
    },
    get isShared() {
      return isShared;
    },
    async share(secret) {
      const isSame = secret.length === current.length && timingSafeEqual(secret, current);
      if (isSame && isShared) return;
      if (!isSame) await assertNothingHashed(database, isShared);
      const sql = 'update ledger set hash_key = ?, shares_hash_key = 1';
      await database.transact([{ sql, rows: [[secret]], changes: 1 }]);
      current = secret;
      isShared = true;
    },
  };
}

async function assertNothingHashed(database: Database, isShared: boolean): Promise<void> {
  if (isShared) {
    throw new TonnageError(
      'store_invalid',
      'Redis holds another secret than the one that this ledger hashes identities with, as if it had been emptied and ' +
        'another instance had come first: stop all instances, delete {metrics/v1}:hash-key, and start this one first',
    );
  }
  const held = await database.read('select 1 from key_run limit 1');
  if (held.length === 0) return;
  throw new TonnageError(
    'store_invalid',
    'this ledger holds keys of events that were hashed with a secret of its own, and the other instances have another: ' +
      'send its events elsewhere for usage.dedupeDays, or give it an empty data directory (what it counted stays in Redis)',
  );
}
