import type { Day, Dimension, HeldValue, Increment, Series, UsageAnswer, UsageQuery } from '../usage/index.ts';

/** How identities of events become keys (`ledger/event-key.ts`). All keys that a ledger holds are made with one of these. */
export interface KeyHash {
  /** 1: SipHash, in ledgers that hold keys from before version 2. 2: SHA-256. */
  readonly version: 1 | 2;
  /** 32 random bytes that only this ledger has, and the instances with which it shares its events. */
  readonly secret: Uint8Array;
}

/**
 * Events with an identity, packed, since a hundred thousand of them a second cross to another thread. Event `i` is
 * `keys[16i..16i+16)`, adds `quantities[i]` to `cells[cellOf[i]]`, or takes back the event whose key is the next of
 * `targets` where `cellOf[i]` is `voidCell`.
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
  /** By cell, 1 where its events came with credentials that are not bound to its organisation. Absent: no cell's did. */
  readonly stated?: Uint8Array;
  /**
   * By cell, how much its organisation may have of its meter on its day; what others state has the same limit apart. An
   * event beyond it gets `outcome.dayLimit`. Absent: there is no limit.
   */
  readonly dayMax?: Float64Array;
}

/** What one transaction writes. */
export interface Batch {
  /** 1, 2, 3... without a gap. The number is stored in the same transaction, which is what makes a retry harmless. */
  readonly number: number;
  /** When it was handed in, in milliseconds since the Unix epoch: what the age of its keys is counted from. */
  readonly at: number;
  /** Increments of events without identity. */
  readonly increments: readonly Increment[];
  readonly keyed?: KeyedEvents;
  /** What became of events that waited to be claimed. */
  readonly claims?: SettledClaims;
  /** The increments come from history, not from what happens now: totals have them, `accounts` does not. */
  readonly backfill?: true;
}

/**
 * Events that are stored here and count nothing yet, since another instance may have had them first: what is asked of the
 * store that the instances share. Claim `i` is that of `keys[i]`, which was stored at `places[i]`; it counts
 * `quantities[i]` in `cells[cellOf[i]]`, or takes back the next of `targets` where `cellOf[i]` is `voidCell`.
 */
export interface ClaimRequest {
  /** The runs of keys that these are, whole. */
  readonly runs: readonly number[];
  /** In hexadecimal. */
  readonly keys: readonly string[];
  /** Of each its own, and never that of another one of this ledger: who claims the same again is known by it. */
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
   * The event as this ledger counted it, if it did. The event has no claim if the ledger counted it before it shared its
   * events. `isVoided`: the ledger has taken the event back already.
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

/** What became of all claims of a request. */
export interface SettledClaims {
  readonly runs: readonly number[];
  /** Of each claim, in order, one of `outcome`; `accepted` ones count. */
  readonly verdicts: Uint8Array;
  /** What voids took back (negative quantities), wherever it was counted. */
  readonly takenBack: readonly (Increment & { readonly place?: ClaimedPlace })[];
}

/** Events that wait to be claimed. */
export interface PendingEvents {
  readonly events: number;
  /** The oldest, of which a request holds at most `max` or what came in one run; `undefined` when none waits. */
  read(max: number): Promise<ClaimRequest | undefined>;
}

/** The hash of a ledger's keys, as stored in its file. */
export interface StoredKeyHash {
  readonly current: KeyHash;
  /** Whether all instances use that hash. */
  readonly isShared: boolean;
  /**
   * Switches permanently to the hash of all instances. Rejects with `store_invalid` if this ledger holds keys that were made
   * with another hash.
   */
  share(keyHash: KeyHash): Promise<void>;
}

/**
 * Where several instances agree on who had an event first. All of these reject with `redis_unavailable` while the store is
 * away, with `store_evicts` while it would throw claims away.
 */
export interface SharedClaims {
  /** The hash that all instances use, as far as this ledger has ever learned it. */
  readonly keyHash: KeyHash | undefined;
  /**
   * Agrees on the hash, and stores it in the ledger. Rejects with `store_invalid` if this ledger holds keys of events that were
   * made with another hash than that of the other instances.
   */
  agree(): Promise<KeyHash>;
  /** Claims events, each once however often it is asked for: the same request gets the same answer. */
  claim(request: ClaimRequest): Promise<SettledClaims>;
  /** Drops claims that no event can ask for any more. */
  forget(): Promise<void>;
  /**
   * Adds to the values that a dimension has on a day for one organisation, at all instances; values and organisation as
   * hashes. Answers all of them once they are `cap` or more, `undefined` before.
   */
  shareValues(of: SharedValuesOf, values: readonly string[], cap: number): Promise<readonly string[] | undefined>;
}

/** Whose values instances share: those of one dimension on one day, of the organisation with this hash. */
export interface SharedValuesOf {
  readonly day: Day;
  readonly dimension: Dimension;
  readonly owner: string;
}

/** What became of a batch. */
export interface Committed {
  /** The batch had been stored before, by a try that seemed to fail: what became of its events is not known any more. */
  readonly known?: true;
  /** Of each keyed event one of `outcome`; absent for such a batch. */
  readonly outcomes?: Uint8Array;
  /** What keyed events that count have added, and what voids took back (negative quantities). */
  readonly added: readonly Increment[];
  readonly takenBack: readonly Increment[];
  /** Increments that could not be added, because their sum would leave the range of 64-bit integers. */
  readonly rejected: number;
  /**
   * What accounts did not get, since their sums stop at the largest 64-bit integer: it is among the batch's increments,
   * `added` and `takenBack` all the same.
   */
  readonly rejectedOf: readonly AccountTotal[];
}

/** What one account (meter, organisation, architecture) was ever given here, and what voids took back of it. */
export interface AccountTotal {
  readonly account: Series;
  readonly counted: bigint;
  readonly voided: bigint;
}

/** A change of one cell on its way to a store elsewhere. */
export interface OutboxIncrement extends Increment {
  /**
   * Of what a void takes back: the batch in which its event counted, since the store may have rejected that. Absent where
   * that is not known here.
   */
  readonly countedIn?: number;
}

/**
 * One batch of one history. A number alone cannot distinguish two histories: a ledger that was set back gives the same
 * numbers again. So each batch gets a random token as well. Empty: number 0 (no batch), or a batch that was committed before
 * batches had tokens.
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

/** The batches of a ledger, as far back as its outbox reaches. */
export interface BatchHistory {
  lookUp(number: number): Promise<BatchRecord>;
  /** Meters' days from `day` on, each with the last batch that touched it, up to batch `number`. */
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
  /** What is missing, why, and what helps. */
  readonly reason: string;
  /** Only a rebuild ends the gap. Otherwise it also ends when the store has the missing data again. */
  readonly isLasting: boolean;
}

/** One stored batch on its way to a store elsewhere. */
export interface OutboxBatch extends BatchId {
  /** Token of the batch before this one. */
  readonly previousToken: string;
  /** When it was committed, in milliseconds since the Unix epoch. */
  readonly at: number;
  /** All that it changes: an entry for each cell, and one, negative, for what voids take back of one cell of one batch. */
  readonly increments: readonly OutboxIncrement[];
  /** Of each meter and day that it touches, the batch before it that touched the same; number 0: none did. */
  readonly touched: readonly (MeterDay & { readonly previous: BatchId })[];
}

/** Batches that are kept for delivery: until they have been delivered, and a while longer, since a failover can lose them. */
export interface Outbox extends BatchHistory {
  /** The loss that the ledger knows of; it survives restarts. */
  readonly gap: LedgerGap | undefined;
  /** Records a loss, or that it has ended. */
  noteGap(gap: LedgerGap | undefined): Promise<void>;
  /** Batches in order, from the first one whose number is above `after`, at most `max`; fewer where they are large. */
  read(after: number, max: number): Promise<readonly OutboxBatch[]>;
  /**
   * Notes what is delivered, and forgets delivered batches: those committed before `before`, and, while all that is kept is larger than `bytesMax`,
   * those up to `confirmed`. Never one above `delivered`.
   */
  trim(rule: { delivered: number; confirmed: number; before: number; bytesMax: number }): Promise<void>;
  /** Meters' days before `day` that batches have touched and whose details were not said to be dropped; at most `max`. */
  touchedBefore(day: Day, max: number): Promise<readonly MeterDay[]>;
  /** Forgets that these were touched: their details have been dropped. */
  untouch(days: readonly MeterDay[]): Promise<void>;
  status(): OutboxStatus;
}

export interface OutboxStatus {
  /** Bytes of all batches that are kept. */
  readonly bytes: number;
  /** Number of the first batch that is kept; absent when none is. */
  readonly first?: number;
  /** Number of the last batch that was known to be delivered when something was last forgotten. */
  readonly delivered: number;
}

/** Where the ledger writes: numbered batches, each whole or not at all, each once. Always a SQLite file of its own. */
export interface Journal {
  /** Identity of this ledger, made when its data directory was. */
  readonly ledgerId: string;
  /** Number of the last batch that is stored; 0 in a new ledger. */
  readonly lastBatch: number;
  /** Keys of events that are held, as of the last commit. */
  readonly heldKeys: number;
  /** Present when the journal was opened with one. */
  readonly outbox?: Outbox;
  /** Present when events are claimed among several instances before they count. */
  readonly pending?: PendingEvents;
  /**
   * Resolves once the batch is stored for good; at once when it was stored before (the outcome of a try may be unknown
   * to the caller, who then asks again with the same batch). Rejects with `ledger_gap` when a batch before it is
   * missing, with `ledger_full` when the outbox, the table of keys or what is pending is, else with the store's error, and has then
   * written nothing or the whole batch.
   */
  commit(batch: Batch): Promise<Committed>;
  /**
   * Does one slice of the work that is due behind the writer (a few milliseconds): forgets keys and details whose time is
   * over. Answers whether there is more.
   */
  tidy(before: { readonly keys: number; readonly details: Day }): Promise<boolean>;
  /** Every account with its sums. For the counters on `/metrics`, which are filled from it once, at start. */
  accounts(): Promise<readonly AccountTotal[]>;
  /**
   * Values that a dimension has on one day, once for each organisation that has them, at most `max`: those whose series are
   * the oldest.
   */
  valuesOn(day: Day, dimension: Dimension, max: number): Promise<readonly HeldValue[]>;
}

/** Where totals are read. */
export interface Totals {
  /** Answers one question. `today` is the current day in the ledger's zone, the end of an open range. */
  query(query: UsageQuery, today: Day): Promise<UsageAnswer>;
}

/** What became of a delivery. */
export type Delivered =
  | {
      /** The remote store has all of it. */
      readonly kind: 'delivered';
      /** For each amount that the remote store rejected, the field that could not take it. */
      readonly rejected: readonly string[];
    }
  /** The remote store misses some of what came after batch `to`, and the outbox holds all that it misses. */
  | { readonly kind: 'rewind'; readonly to: number };

/** Totals that are kept elsewhere, and are told of each batch. */
export interface RemoteTotals extends Totals {
  /**
   * Number of the last batch of this ledger that is there. Rejects while the store is away, and with `ledger_gap` while it
   * misses data that the outbox no longer holds, or has batches of another history (`ForkedHistory`).
   */
  position(): Promise<number>;
  /**
   * Applies batches (in order, without a gap), each once however often it is delivered. Rejects with `redis_unavailable`
   * while the store is away (some of it may have been applied; deliver it again), with `store_evicts` while the store
   * would throw data away, with `ledger_gap` as `position` does.
   */
  deliver(batches: readonly OutboxBatch[]): Promise<Delivered>;
  /** Number of the last delivered batch that enough replicas have, or a larger one where none is waited for. */
  readonly confirmed: number;
  /** Why the store cannot be reached, where that is known without asking it; absent while it can. */
  readonly failure?: string | undefined;
  /** Drops details of days before `day`, a few at a time; answers whether there may be more. */
  forgetDetails(day: Day): Promise<boolean>;
  close(): Promise<void>;
}

/** A token as it is kept: only its hash. Times in milliseconds since the Unix epoch. */
export interface TokenRow {
  readonly id: string;
  readonly kind: string;
  readonly hash: Uint8Array;
  readonly name?: string;
  readonly email?: string;
  readonly org?: string;
  readonly scope?: readonly string[];
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
  /** Notes when tokens were used last. */
  used(times: readonly { readonly id: string; readonly at: number }[]): Promise<void>;
}

/** Both halves over one place, and its end. */
export interface Store {
  /** IANA name of the zone in which this ledger counts its days. */
  readonly timeZone: string;
  /** How this ledger hashes identities of events. Its secret is the key of pseudonyms as well. */
  readonly keyHash: KeyHash;
  readonly journal: Journal;
  readonly totals: Totals;
  /** The same as `totals` where these are kept elsewhere: the ledger delivers to them. */
  readonly remote?: RemoteTotals;
  /** Present together with `journal.pending`. */
  readonly shared?: SharedClaims;
  /** Tokens that were given out in this data directory. */
  readonly tokens: TokenTable;
  close(): Promise<void>;
}

/** Totals for reading alone, with what has to be known to ask for them. */
export interface ReadTotals extends Totals, Pick<Store, 'timeZone' | 'close'> {
  /** What the pseudonyms of people are made with; absent where there is no ledger that has one. */
  readonly hashKey?: Uint8Array;
  /** Why the totals are incomplete; absent while the ledger knows of no loss. */
  readonly gap?: string;
}
