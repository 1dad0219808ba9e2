import type { Day, Dimension, HeldValue, Increment, Series, UsageAnswer, UsageQuery } from '../usage/index.ts';

/** How identities of events become keys (`ledger/event-key.ts`). All keys of a ledger are made with one of these. */
export interface KeyHash {
  /** 1: SipHash, in ledgers that hold keys from before version 2. 2: SHA-256. */
  readonly version: 1 | 2;
  /** 32 random bytes that only this ledger knows, and the instances with which it shares its events. */
  readonly secret: Uint8Array;
}

/**
 * Events with an identity. They are packed because a hundred thousand of them a second are sent to another thread.
 * Event `i` has the key `keys[16i..16i+16)` and adds `quantities[i]` to `cells[cellOf[i]]`. If `cellOf[i]` is
 * `voidCell`, it takes back the event whose key is the next of `targets`.
 */
export interface KeyedEvents {
  /** 128 bits for each event (`ledger/event-key.ts`). */
  readonly keys: Uint8Array;
  readonly cells: readonly (Series & { readonly day: Day })[];
  readonly cellOf: Uint32Array;
  /** Whole numbers up to 2^53 - 1. */
  readonly quantities: Float64Array;
  /** 128 bits for each void, in the order of the voids. */
  readonly targets: Uint8Array;
  /** For each cell, 1 if the credentials of its events are not bound to its organisation. Absent: 0 for all cells. */
  readonly stated?: Uint8Array;
  /**
   * For each cell, the limit of its meter for its organisation on its day. Quantities that are `stated` have a separate
   * limit of the same size. An event beyond the limit gets `outcome.dayLimit`. Absent: no limit.
   */
  readonly dayMax?: Float64Array;
}

/** What one transaction writes. */
export interface Batch {
  /** 1, 2, 3... without a gap. The number is stored in the same transaction, which makes a retry harmless. */
  readonly number: number;
  /** When the batch was submitted, in milliseconds since the Unix epoch. The age of its keys starts here. */
  readonly at: number;
  /** Increments of events without identity. */
  readonly increments: readonly Increment[];
  readonly keyed?: KeyedEvents;
  /** The results of events that waited to be claimed. */
  readonly claims?: SettledClaims;
  /** The increments are history: totals include them, `accounts` does not. */
  readonly backfill?: true;
}

/**
 * A request to the store that several instances share. It claims events that are stored here and count nothing yet, because
 * another instance may have received them first. Claim `i` is for the event with key `keys[i]`, which is stored at `places[i]`. It
 * counts `quantities[i]` in `cells[cellOf[i]]`. If `cellOf[i]` is `voidCell`, it takes back the next of `targets`.
 */
export interface ClaimRequest {
  /** The runs of keys in this request. Each run is complete. */
  readonly runs: readonly number[];
  /** In hexadecimal. */
  readonly keys: readonly string[];
  /** Unique in this ledger. If a claim is sent again, the store recognises it by its place. */
  readonly places: readonly string[];
  readonly cellOf: readonly number[];
  readonly quantities: readonly number[];
  readonly cells: readonly (Series & { readonly day: Day })[];
  readonly targets: readonly ClaimTarget[];
}

/** The event that a void takes back. */
export interface ClaimTarget {
  /** In hexadecimal. */
  readonly key: string;
  /**
   * The event as this ledger counted it; absent if it did not. An event that the ledger counted before it shared its
   * events has no claim. `isVoided`: the ledger has already taken the event back.
   */
  readonly held?: {
    readonly place: string;
    readonly cell: number;
    readonly quantity: number;
    readonly isVoided: boolean;
  };
}

/** Where this ledger held an event when it claimed it, and the event's key in hexadecimal. */
export interface ClaimedPlace {
  readonly run: number;
  readonly position: number;
  readonly key: string;
}

/** The results of all claims of a request. */
export interface SettledClaims {
  readonly runs: readonly number[];
  /** For each claim, in order, one of `outcome`. Those that are `accepted` count. */
  readonly verdicts: Uint8Array;
  /** What voids took back (negative quantities), in whichever ledger it was counted. */
  readonly takenBack: readonly (Increment & { readonly place?: ClaimedPlace })[];
}

/** Events that wait to be claimed. */
export interface PendingEvents {
  readonly events: number;
  /** A request for the oldest events: at most `max`, or one run. `undefined` if no event waits. */
  read(max: number): Promise<ClaimRequest | undefined>;
}

/** The hash of a ledger's keys, as stored in its file. */
export interface StoredKeyHash {
  readonly current: KeyHash;
  /** Whether all instances use that hash. */
  readonly isShared: boolean;
  /**
   * Switches permanently to the hash of all instances. Rejects with `store_invalid` if this ledger holds keys that were
   * made with another hash.
   */
  share(keyHash: KeyHash): Promise<void>;
}

/**
 * Decides which of several instances received an event first. All functions reject with `redis_unavailable` while the
 * store is unreachable, and with `store_evicts` while it could evict claims.
 */
export interface SharedClaims {
  /** The hash that all instances use; `undefined` until this ledger has agreed on it once. */
  readonly keyHash: KeyHash | undefined;
  /**
   * Agrees on the hash, and stores it in the ledger. Rejects with `store_invalid` if this ledger holds keys of events
   * that were made with another hash than that of the other instances.
   */
  agree(): Promise<KeyHash>;
  /** Claims events. The same request always gets the same answer. */
  claim(request: ClaimRequest): Promise<SettledClaims>;
  /** Drops expired claims. */
  forget(): Promise<void>;
  /**
   * Adds to the values that all instances together have seen for one dimension and organisation on one day. Values and
   * organisation are hashes. Resolves with all values if they are `cap` or more, else with `undefined`.
   */
  shareValues(of: SharedValuesOf, values: readonly string[], cap: number): Promise<readonly string[] | undefined>;
}

/** Which values instances share: those of one dimension on one day, of the organisation with this hash. */
export interface SharedValuesOf {
  readonly day: Day;
  readonly dimension: Dimension;
  readonly owner: string;
}

/** The result of a batch. */
export interface Committed {
  /** An earlier try, which seemed to fail, had stored the batch. The outcomes of its events are no longer known. */
  readonly known?: true;
  /** One of `outcome` for each keyed event; absent if `known`. */
  readonly outcomes?: Uint8Array;
  /** What keyed events added, and what voids took back (negative quantities). */
  readonly added: readonly Increment[];
  readonly takenBack: readonly Increment[];
  /** The number of increments that were not added, because their sum would overflow 64 bits. */
  readonly rejected: number;
  /**
   * What accounts did not receive, because their sums stop at the largest 64-bit integer. The batch's increments,
   * `added` and `takenBack` include it nevertheless.
   */
  readonly rejectedOf: readonly AccountTotal[];
}

/** What one account (meter, organisation, architecture) has ever received here, and what voids took back of it. */
export interface AccountTotal {
  readonly account: Series;
  readonly counted: bigint;
  readonly voided: bigint;
}

/** A change of one cell for a remote store. */
export interface OutboxIncrement extends Increment {
  /**
   * If a void takes this back: the batch in which its event counted, because the store may have rejected that. Absent
   * if it is not known.
   */
  readonly countedIn?: number;
}

/**
 * One batch of one history. A number alone cannot distinguish two histories: a ledger that was set back gives the same
 * numbers again. So each batch gets a random token as well. Empty: number 0 (no batch), or a batch that was committed
 * before batches had tokens.
 */
export interface BatchId {
  readonly number: number;
  readonly token: string;
}

/** What a ledger knows of the batch with a number. */
export interface BatchRecord {
  /** The batch's token; `undefined` if there is no such batch, or the ledger no longer knows its token. */
  readonly token: string | undefined;
  /** Number of the first batch that the outbox holds; one above `last` when it holds none. */
  readonly first: number;
  /** Number of the last batch that is committed. */
  readonly last: number;
}

/** The batches of a ledger, back to the first one in its outbox. */
export interface BatchHistory {
  lookUp(number: number): Promise<BatchRecord>;
  /** The days of meters from `day` on, each with the last batch up to `number` that touched it. */
  touchedAsOf(day: Day, number: number): Promise<readonly TouchedDay[]>;
}

/** One meter on one day. */
export interface MeterDay {
  readonly meter: string;
  readonly day: Day;
}

export interface TouchedDay extends MeterDay {
  readonly batch: BatchId;
}

/** A loss that the ledger knows of: the store misses data that the ledger cannot deliver again. */
export interface LedgerGap {
  /** What is missing, why, and what to do. */
  readonly reason: string;
  /** Only a rebuild ends the gap. Otherwise it also ends when the store has the missing data again. */
  readonly isLasting: boolean;
}

/** One stored batch for a remote store. */
export interface OutboxBatch extends BatchId {
  /** Token of the batch before this one. */
  readonly previousToken: string;
  /** When it was committed, in milliseconds since the Unix epoch. */
  readonly at: number;
  /** One entry for each cell that it adds to, and a negative one for what voids take from one cell of one batch. */
  readonly increments: readonly OutboxIncrement[];
  /** For each meter and day that it touches, the previous batch that touched the same; number 0: none. */
  readonly touched: readonly (MeterDay & { readonly previous: BatchId })[];
}

/** Batches that are kept for delivery, and for some time after it, because a failover can lose them. */
export interface Outbox extends BatchHistory {
  /** The loss that the ledger knows of; it survives restarts. */
  readonly gap: LedgerGap | undefined;
  /** Records a loss, or that it has ended. */
  noteGap(gap: LedgerGap | undefined): Promise<void>;
  /** Batches in order, from the first one whose number is above `after`, at most `max`; fewer where they are large. */
  read(after: number, max: number): Promise<readonly OutboxBatch[]>;
  /**
   * Notes what is delivered, and forgets delivered batches: those committed before `before`, and, while all that is
   * kept is larger than `bytesMax`, those up to `confirmed`. Never one above `delivered`.
   */
  trim(rule: { delivered: number; confirmed: number; before: number; bytesMax: number }): Promise<void>;
  /** At most `max` days of meters before `day` that batches have touched, without those passed to `untouch`. */
  touchedBefore(day: Day, max: number): Promise<readonly MeterDay[]>;
  /** Forgets that these days were touched: their details have been dropped. */
  untouch(days: readonly MeterDay[]): Promise<void>;
  status(): OutboxStatus;
}

export interface OutboxStatus {
  /** Bytes of all batches that are kept. */
  readonly bytes: number;
  /** Number of the first batch that is kept; absent when none is. */
  readonly first?: number;
  /** Number of the last batch that was known to be delivered at the last `trim`. */
  readonly delivered: number;
}

/** Where the ledger writes numbered batches: each atomically, and each once. Always a SQLite file. */
export interface Journal {
  /** Identity of this ledger, created with its data directory. */
  readonly ledgerId: string;
  /** Number of the last batch that is stored; 0 in a new ledger. */
  readonly lastBatch: number;
  /** Keys of events that are held, as of the last commit. */
  readonly heldKeys: number;
  /** Present if the journal was opened with one. */
  readonly outbox?: Outbox;
  /** Present if events are claimed among several instances before they count. */
  readonly pending?: PendingEvents;
  /**
   * Resolves once the batch is durable; at once if it was stored before, so that the caller may retry a batch whose outcome it does
   * not know. Rejects with `ledger_gap` if a previous batch is missing, with `ledger_full` if the outbox, the keys or the pending
   * events have reached their limit, and otherwise with the store's error. It has then written nothing, or the whole batch.
   */
  commit(batch: Batch): Promise<Committed>;
  /** Deletes some of the expired keys and details, for a few milliseconds. Resolves with whether there are more. */
  tidy(before: { readonly keys: number; readonly details: Day }): Promise<boolean>;
  /** All accounts with their sums. The counters on `/metrics` start with them. */
  accounts(): Promise<readonly AccountTotal[]>;
  /** The values of a dimension on one day, once for each organisation: at most `max`, of the oldest series. */
  valuesOn(day: Day, dimension: Dimension, max: number): Promise<readonly HeldValue[]>;
}

/** Totals, for reading. */
export interface Totals {
  /** Answers one query. `today`: the current day in the ledger's zone, which ends an open range. */
  query(query: UsageQuery, today: Day): Promise<UsageAnswer>;
}

/** The result of a delivery. */
export type Delivered =
  | {
      /** The remote store has all of it. */
      readonly kind: 'delivered';
      /** For each amount that the remote store rejected, the field that could not take it. */
      readonly rejected: readonly string[];
    }
  /** The remote store misses some of what came after batch `to`, and the outbox holds all that it misses. */
  | { readonly kind: 'rewind'; readonly to: number };

/** Totals in a remote store, which receives every batch. */
export interface RemoteTotals extends Totals {
  /**
   * Number of the last batch of this ledger in the store. Rejects while the store is unreachable, and with `ledger_gap`
   * while it misses data that the outbox no longer holds, or has batches of another history (`ForkedHistory`).
   */
  position(): Promise<number>;
  /**
   * Applies batches (in order, without a gap). A batch that is delivered again has no effect. Rejects with
   * `redis_unavailable` while the store is unreachable (some of it may have been applied; deliver it again), with
   * `store_evicts` while the store could evict data, and with `ledger_gap` as `position` does.
   */
  deliver(batches: readonly OutboxBatch[]): Promise<Delivered>;
  /** Number of the last delivered batch that enough replicas have; larger if no replica is required. */
  readonly confirmed: number;
  /** Why the store is unreachable, as far as is known without a request; absent while it is reachable. */
  readonly failure?: string | undefined;
  /** Drops the details of a few days before `day`. Resolves with whether there may be more. */
  forgetDetails(day: Day): Promise<boolean>;
  close(): Promise<void>;
}

/** A token as stored: only its hash. Times in milliseconds since the Unix epoch. */
export interface TokenRow {
  readonly id: string;
  readonly kind: string;
  readonly hash: Uint8Array;
  readonly name?: string;
  readonly email?: string;
  readonly org?: string;
  readonly scope?: readonly string[];
  readonly debusineScope?: string;
  readonly rights: readonly string[];
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly usedAt?: number;
}

/** The tokens of a data directory. Each change is durable when its promise resolves. */
export interface TokenTable {
  all(): Promise<readonly TokenRow[]>;
  add(token: TokenRow): Promise<void>;
  remove(id: string): Promise<void>;
  /** Records when tokens were last used. */
  used(times: readonly { readonly id: string; readonly at: number }[]): Promise<void>;
}

/** The journal and the totals of one data directory. */
export interface Store {
  /** IANA name of the zone in which this ledger counts its days. */
  readonly timeZone: string;
  /** How this ledger hashes identities of events. Its secret is the key of pseudonyms as well. */
  readonly keyHash: KeyHash;
  readonly journal: Journal;
  readonly totals: Totals;
  /** The same as `totals` if a remote store keeps them: the ledger delivers to it. */
  readonly remote?: RemoteTotals;
  /** Present together with `journal.pending`. */
  readonly shared?: SharedClaims;
  /** The tokens of this data directory. */
  readonly tokens: TokenTable;
  close(): Promise<void>;
}

/** Totals for reading only, with what a query needs. */
export interface ReadTotals extends Totals, Pick<Store, 'timeZone' | 'close'> {
  /** The key of pseudonyms; absent if there is no ledger yet. */
  readonly hashKey?: Uint8Array;
  /** Why the totals are incomplete; absent while the ledger knows of no loss. */
  readonly gap?: string;
}
