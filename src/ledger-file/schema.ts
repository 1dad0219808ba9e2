/** `application_id` of a ledger file: "TnLg". */
export const ledgerApplicationId = 0x546e4c67;

/** Before all days: the ledger has never dropped details. */
const firstDay = -1_000_000;

/**
 * The ledger's tables. Append scripts, never change one: a file records how many it has seen.
 *
 * - `series`: each combination of dimensions once, under its key; the other tables use its id.
 * - `detail_day`: the cells, one for each series and day.
 * - `account_day`, `account_month`: the same increments by (meter, org, arch) only, for each day and each month (its
 *   first day), so that a query for a year reads a few thousand rows instead of millions. `stated` is the part of a day
 *   that was sent with credentials that are not bound to the organisation.
 *
 * - `account_total`: what each account has ever received here, and what voids took back. Never lowered.
 * - `key_run`: the keys of the events of one batch, with what each counted (`journal/run-codec.ts`). Append-only; the
 *   oldest runs expire.
 * - `voided_key`: which of the keys were taken back.
 * - `outbox`: batches for a remote store; `outbox_touch`: the last batch that touched the day of a meter.
 * - `rejected`: increments whose sum would have overflowed 64 bits, with the runs of their keys: a void must not take
 *   back what was never added.
 * - `moved_series`: where the events of an erased series count now.
 * - `pending_claim`: the runs whose events count nothing yet, because another instance may have received them first,
 *   with the number of their keys; `pending_void`: the targets of their voids, where this ledger holds them, and
 *   whether an earlier void took them back.
 * - `counted_run`: in which batch the events of a run counted, and the verdict of each if another instance received
 *   some first. Only in ledgers that deliver their batches.
 * - `ledger.last_token`, `outbox.token`, `outbox_touch.token`: the random token of the batch, which distinguishes it
 *   from the batch with the same number in another history (a ledger that was set back). `outbox.previous_token`: that
 *   of the previous batch. Null in batches of older releases.
 * - `ledger.gap`: the loss that the ledger knows of (`LedgerGap`), `gap_lasts`: only a rebuild ends it.
 * - `taken_history`: tokens of the stores whose counts this ledger has taken over, including those of others.
 * - `ledger.hash_key`, `hash_version`: how keys of events are made (`KeyHash`); `shares_hash_key`: as all instances do.
 * - `token`: hashes of issued tokens; `scope` and `rights` are lists in JSON (`tokens.ts`). `debusine_scope`: the only
 *   scope whose series the token shows, on pages of Debusine sources.
 *
 * Days are counted from 1970-01-01 in the ledger's zone (`usage/day.ts`).
 */
export const ledgerMigrations: readonly string[] = [
  `
  create table ledger (
    id integer primary key check (id = 1),
    ledger_id text not null,
    time_zone text not null,
    last_batch integer not null,
    created_at integer not null
  ) strict;

  create table series (
    id integer primary key,
    key text not null unique,
    meter text not null,
    org text, arch text, upstream text, repository text, tag text, outcome text, user text, client text
  ) strict;

  create table detail_day (
    day integer not null,
    series integer not null references series (id),
    value integer not null,
    primary key (day, series)
  ) strict, without rowid;

  create table account_day (
    day integer not null,
    series integer not null references series (id),
    value integer not null,
    primary key (day, series)
  ) strict, without rowid;

  create table account_month (
    month integer not null,
    series integer not null references series (id),
    value integer not null,
    primary key (month, series)
  ) strict, without rowid;
  `,
  'alter table ledger add column hash_key blob',
  `
  alter table ledger add column details_from integer not null default ${firstDay};
  alter table ledger add column delivered integer not null default 0;

  create table account_total (
    series integer primary key references series (id),
    counted integer not null,
    voided integer not null
  ) strict;
  insert into account_total (series, counted, voided) select series, sum(value), 0 from account_month group by series;

  create table key_run (
    run integer primary key,
    received integer not null,
    entries blob not null
  ) strict;

  create table voided_key (
    run integer not null,
    position integer not null,
    primary key (run, position)
  ) strict, without rowid;

  create table outbox (
    number integer primary key,
    at integer not null,
    bytes integer not null,
    increments text not null,
    touched text not null
  ) strict;

  create table outbox_touch (
    meter text not null,
    day integer not null,
    number integer not null,
    primary key (meter, day)
  ) strict, without rowid;

  create table rejected (
    id integer primary key,
    at integer not null,
    batch integer not null,
    series integer not null references series (id),
    day integer not null,
    quantity text not null
  ) strict;

  create table moved_series (
    old integer primary key,
    series integer not null references series (id)
  ) strict;
  `,
  `
  create table taken_history (
    token text primary key,
    at integer not null
  ) strict;
  `,
  `
  alter table ledger add column shares_hash_key integer not null default 0;

  create table pending_claim (
    run integer primary key,
    events integer not null
  ) strict;

  create table pending_void (
    run integer not null,
    position integer not null,
    target blob not null,
    primary key (run, position)
  ) strict, without rowid;
  `,
  `
  create table token (
    id text primary key,
    kind text not null,
    hash blob not null unique,
    name text, email text, org text,
    scope text,
    rights text not null,
    created_at integer not null,
    expires_at integer,
    used_at integer
  ) strict;
  `,
  'create index key_run_received on key_run (received)',
  `
  alter table rejected add column first_run integer;
  alter table rejected add column last_run integer;
  create index rejected_series on rejected (series, day);
  `,
  'alter table account_day add column stated integer not null default 0',
  `
  create table counted_run (
    run integer primary key,
    batch integer not null,
    verdicts blob
  ) strict;

  alter table pending_void add column target_run integer;
  alter table pending_void add column target_position integer;
  alter table pending_void add column target_voided integer not null default 0;
  `,
  `
  alter table ledger add column last_token text;
  alter table ledger add column gap text;
  alter table ledger add column gap_lasts integer not null default 0;
  alter table outbox add column token text;
  alter table outbox add column previous_token text;
  alter table outbox_touch add column token text;
  `,
  'alter table ledger add column hash_version integer not null default 1',
  'alter table token add column debusine_scope text',
];
