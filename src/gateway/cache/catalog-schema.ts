/** SQLite `application_id` of the image catalog: `TnCa` in ASCII. */
export const catalogApplicationId = 0x546e4361;

/**
 * The schema of the image catalog. Content is stored once per digest. Claims about it (media type, platform, belonging
 * to a repository) are stored per repository, because each upstream makes its own. Script n migrates version n to the
 * next: append, never change.
 */
export const catalogMigrations: readonly string[] = [
  `
  create table body (
    digest text primary key,
    bytes blob not null
  ) strict;

  create table manifest (
    upstream text not null,
    repository text not null,
    digest text not null,
    media_type text not null,
    facts text not null check (facts in ('none', 'index', 'image')),
    architecture text,
    entrypoint text,
    primary key (upstream, repository, digest)
  ) strict, without rowid;

  create table link (
    upstream text not null,
    repository text not null,
    digest text not null,
    size integer,
    architecture text,
    primary key (upstream, repository, digest)
  ) strict, without rowid;

  create table tag (
    upstream text not null,
    repository text not null,
    tag text not null,
    digest text not null,
    checked_ms integer not null,
    authenticated integer not null,
    primary key (upstream, repository, tag)
  ) strict, without rowid;

  create table blob (
    digest text primary key,
    size integer not null
  ) strict, without rowid;
  `,
  // An index of the sizes, so that the sum does not read the bodies.
  'create index body_size on body (length(bytes));',
  // Images whose config has an unusual type used to count as artifacts. Search their facts again.
  "update manifest set facts = 'none', entrypoint = null where facts = 'image' and architecture is null;",
  // A link states what a manifest names or HEAD claims, which proves nothing. Links used to give access to the bytes,
  // so none becomes a proof: cached blobs are fetched again from each upstream.
  `
  create table delivered (
    upstream text not null,
    digest text not null,
    primary key (upstream, digest)
  ) strict, without rowid;

  create table belonging (
    upstream text not null,
    repository text not null,
    digest text not null,
    primary key (upstream, repository, digest)
  ) strict, without rowid;
  `,
  // Several bodies can have the digest of a signed manifest, which does not cover the signatures. They used to be stored as
  // one, so a repository could get another repository's body. Delete the affected manifests, so that they are fetched again.
  `
  delete from body where digest in (select digest from manifest where media_type like '%+prettyjws');
  delete from manifest where media_type like '%+prettyjws';
  alter table manifest add column body text;
  `,
];
