/** `application_id` of a ledger file: "TnLg". */
export const ledgerApplicationId = 0x546e4c67;

/**
 * The ledger's tables. Append scripts, never change one: a file records how many it has seen.
 *
 * - `series`: each combination of dimensions once, under its key; the others name it by its id.
 * - `detail_day`: the cells, one for each series and day.
 * - `account_day`, `account_month`: the same increments under (meter, org, arch) alone, by day and by month (its
 *   first day), so that a question about a year reads a few thousand rows instead of millions.
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
];
