/** SQLite `application_id` of the image catalog: `TnCa` in ASCII. */
export const catalogApplicationId = 0x546e4361;

/**
 * What is known of cached images. Content is kept by digest alone, once; everything that somebody merely claims about it
 * (its media type, its platform, that it belongs to a repository) is kept for the repository where it was claimed.
 * Script n brings version n to n + 1: append, never change.
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
  // The sizes alone, so that adding them up does not read the bodies.
  'create index body_size on body (length(bytes));',
  // Images whose config has an unusual type were taken for artifacts: their facts are looked for again.
  "update manifest set facts = 'none', entrypoint = null where facts = 'image' and architecture is null;",
  // A link says what manifests name and what HEAD claims. It used to open the bytes too, so none of it becomes a proof:
  // blobs that are cached already are fetched once more by each upstream before they are served again.
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
  // The digest of a signed manifest leaves a part of its body out, so that several bodies have it. They were kept as one:
  // a repository could get the body that another one had brought. What that can have happened to is fetched again.
  `
  delete from body where digest in (select digest from manifest where media_type like '%+prettyjws');
  delete from manifest where media_type like '%+prettyjws';
  alter table manifest add column body text;
  `,
];
