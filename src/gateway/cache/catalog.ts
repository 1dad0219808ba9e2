import { messageOf, type Log } from '../../base/index.ts';
import { parseDigest, type Digest, type ImageFacts } from '../../oci/index.ts';
import { openDatabase, type Database, type SqlValue, type Statement } from '../../sqlite/index.ts';
import type { Amount } from '../amount.ts';
import type { Repository } from '../names.ts';
import { catalogApplicationId, catalogMigrations } from './catalog-schema.ts';

/** The facts of an image, from its config or schema 1 manifest, or only the architecture from an index. */
export type StoredFacts =
  | { readonly source: 'image'; readonly image: ImageFacts }
  | { readonly source: 'index'; readonly architecture: string };

export interface StoredManifest {
  readonly mediaType: string;
  readonly body: Buffer;
  /** Null if they have not been found yet. */
  readonly facts: StoredFacts | null;
}

/** What a repository's manifests state about a digest. */
export interface Link {
  readonly size: number | null;
  readonly architecture: string | null;
}

/** What is proven about a digest for one repository. */
export interface Proof {
  /** The upstream has sent the complete, verified content, for any of its repositories. */
  readonly delivered: boolean;
  /** The upstream has sent or confirmed the content for this repository. */
  readonly belongs: boolean;
}

export interface StoredTag {
  readonly digest: Digest;
  /** When the upstream last confirmed it, in milliseconds since the epoch. */
  readonly checkedMs: number;
  /** Whether that request had credentials. */
  readonly authenticated: boolean;
}

type Row = readonly SqlValue[];

const manifestQuery = `select m.media_type, b.bytes, m.facts, m.architecture, m.entrypoint
  from manifest m join body b on b.digest = coalesce(m.body, m.digest) where m.upstream = ? and m.repository = ? and m.digest = ?`;
const linkQuery = 'select size, architecture from link where upstream = ? and repository = ? and digest = ?';
const proofQuery = `select
  exists (select 1 from delivered where upstream = ?1 and digest = ?3),
  exists (select 1 from belonging where upstream = ?1 and repository = ?2 and digest = ?3)`;
const tagQuery = 'select digest, checked_ms, authenticated from tag where upstream = ? and repository = ? and tag = ?';

// A later manifest never removes what another one stated: an index may state more than an image does.
const linkInsert = `insert into link (upstream, repository, digest, size, architecture) values (?, ?, ?, ?, ?)
  on conflict do update set size = coalesce(excluded.size, size), architecture = coalesce(excluded.architecture, architecture)
  where size is not coalesce(excluded.size, size) or architecture is not coalesce(excluded.architecture, architecture)`;

const belongingInsert = 'insert into belonging (upstream, repository, digest) values (?, ?, ?) on conflict do nothing';

function textOrNull(value: SqlValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOrNull(value: SqlValue | undefined): number | null {
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : null;
}

function entrypointOf(text: string | null): readonly string[] {
  const words: unknown = JSON.parse(text ?? '[]');
  return Array.isArray(words) ? words.filter((word) => typeof word === 'string') : [];
}

function factsOf([, , source, architecture, entrypoint]: Row): StoredFacts | null {
  const name = textOrNull(architecture);
  if (source === 'image') {
    return { source, image: { architecture: name, entrypoint: entrypointOf(textOrNull(entrypoint)) } };
  }
  return source === 'index' && name !== null ? { source, architecture: name } : null;
}

/** The columns that identify a repository. */
const columns = (repository: Repository): readonly [string, string] => [repository.upstream.name, repository.name];

/**
 * The persistent state of cached images. Writes are not awaited, because everything can be fetched again from the
 * upstream: a failed write is logged and costs another request later.
 */
export class Catalog {
  readonly #database: Database;
  readonly #log: Log;
  readonly #pending = new Set<Promise<void>>();

  private constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** Opens or creates the file. Rejects with `data_invalid` or `data_version` if it is no catalog of this version. */
  static async open(file: string, log: Log): Promise<Catalog> {
    const database = await openDatabase({
      file,
      remedy: 'stop the server and remove the file with its -wal and -shm files; images are then fetched again',
      applicationId: catalogApplicationId,
      migrations: catalogMigrations,
      synchronous: 'normal',
    });
    return new Catalog(database, log);
  }

  async manifest(repository: Repository, digest: Digest): Promise<StoredManifest | null> {
    const row = await this.#row(manifestQuery, [...columns(repository), digest.text]);
    if (row === undefined) return null;
    const [mediaType, body] = row;
    if (typeof mediaType !== 'string' || !(body instanceof Uint8Array)) return null;
    return { mediaType, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), facts: factsOf(row) };
  }

  async link(repository: Repository, digest: Digest): Promise<Link | null> {
    const row = await this.#row(linkQuery, [...columns(repository), digest.text]);
    return row === undefined ? null : { size: numberOrNull(row[0]), architecture: textOrNull(row[1]) };
  }

  /** Returns the proof of a digest. Nothing is proven if the file cannot be read. */
  async proof(repository: Repository, digest: Digest): Promise<Proof> {
    const row = await this.#row(proofQuery, [...columns(repository), digest.text]);
    return { delivered: numberOrNull(row?.[0]) === 1, belongs: numberOrNull(row?.[1]) === 1 };
  }

  async tag(repository: Repository, tag: string): Promise<StoredTag | null> {
    const row = await this.#row(tagQuery, [...columns(repository), tag]);
    const digest = parseDigest(textOrNull(row?.[0]) ?? '');
    if (row === undefined || digest === null) return null;
    return { digest, checkedMs: numberOrNull(row[1]) ?? 0, authenticated: numberOrNull(row[2]) === 1 };
  }

  /** Returns the size of every blob in the catalog, by digest. */
  async blobs(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#database.read('select digest, size from blob');
    return new Map(rows.map(([digest, size]) => [textOrNull(digest) ?? '', numberOrNull(size) ?? 0]));
  }

  /** Counts the distinct manifest bodies and their bytes. Rejects if the file cannot be read. */
  async bodies(): Promise<Amount> {
    await Promise.all(this.#pending);
    const [row] = await this.#database.read('select count(*), coalesce(sum(length(bytes)), 0) from body');
    return { count: numberOrNull(row?.[0]) ?? 0, bytes: numberOrNull(row?.[1]) ?? 0 };
  }

  /** `bodyDigest` covers the complete body, unlike the digest of a signed schema 1 manifest. */
  putManifest(repository: Repository, digest: Digest, manifest: StoredManifest, bodyDigest: Digest): void {
    const at = columns(repository);
    const other = bodyDigest.text === digest.text ? null : bodyDigest.text;
    this.#write([
      {
        sql: 'insert into body (digest, bytes) values (?, ?) on conflict do nothing',
        rows: [[bodyDigest.text, manifest.body]],
      },
      {
        sql: `insert into manifest (upstream, repository, digest, media_type, facts, body) values (?, ?, ?, ?, 'none', ?)
          on conflict do update set media_type = excluded.media_type, body = excluded.body`,
        rows: [[...at, digest.text, manifest.mediaType, other]],
      },
      ...this.#factsStatements(repository, digest, manifest.facts),
    ]);
  }

  putLinks(repository: Repository, links: ReadonlyMap<string, Link>): void {
    const at = columns(repository);
    this.#write([
      { sql: linkInsert, rows: [...links].map(([text, link]) => [...at, text, link.size, link.architecture]) },
    ]);
  }

  putFacts(repository: Repository, digest: Digest, facts: StoredFacts): void {
    this.#write(this.#factsStatements(repository, digest, facts));
  }

  putConfirmed(repository: Repository, digest: Digest): void {
    this.#write([{ sql: belongingInsert, rows: [[...columns(repository), digest.text]] }]);
  }

  putDelivered(repository: Repository, digest: Digest): void {
    const [upstream, name] = columns(repository);
    this.#write([
      { sql: belongingInsert, rows: [[upstream, name, digest.text]] },
      {
        sql: 'insert into delivered (upstream, digest) values (?, ?) on conflict do nothing',
        rows: [[upstream, digest.text]],
      },
    ]);
  }

  putTag(repository: Repository, tag: string, stored: StoredTag): void {
    const sql = `insert into tag (upstream, repository, tag, digest, checked_ms, authenticated) values (?, ?, ?, ?, ?, ?)
      on conflict do update set digest = excluded.digest, checked_ms = excluded.checked_ms, authenticated = excluded.authenticated`;
    const { digest, checkedMs, authenticated } = stored;
    this.#write([{ sql, rows: [[...columns(repository), tag, digest.text, checkedMs, authenticated ? 1 : 0]] }]);
  }

  deleteTag(repository: Repository, tag: string): void {
    const sql = 'delete from tag where upstream = ? and repository = ? and tag = ?';
    this.#write([{ sql, rows: [[...columns(repository), tag]] }]);
  }

  putBlobs(blobs: ReadonlyMap<string, number>): void {
    const sql = 'insert into blob (digest, size) values (?, ?) on conflict do update set size = excluded.size';
    this.#write([{ sql, rows: [...blobs] }]);
  }

  deleteBlobs(digests: readonly string[]): void {
    this.#write([{ sql: 'delete from blob where digest = ?', rows: digests.map((digest) => [digest]) }]);
  }

  /** Waits for pending writes, then closes the file. */
  async close(): Promise<void> {
    await Promise.all(this.#pending);
    await this.#database.close();
  }

  #factsStatements(repository: Repository, digest: Digest, facts: StoredFacts | null): readonly Statement[] {
    if (facts === null) return [];
    const architecture = facts.source === 'image' ? facts.image.architecture : facts.architecture;
    const entrypoint = facts.source === 'image' ? JSON.stringify(facts.image.entrypoint) : null;
    const sql = `update manifest set facts = ?, architecture = ?, entrypoint = ?
      where upstream = ? and repository = ? and digest = ?`;
    return [{ sql, rows: [[facts.source, architecture, entrypoint, ...columns(repository), digest.text]] }];
  }

  /** Returns one row. A read error counts as a cache miss. */
  async #row(sql: string, parameters: Row): Promise<Row | undefined> {
    try {
      return (await this.#database.read(sql, parameters))[0];
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'cannot read the image catalog');
      return undefined;
    }
  }

  #write(statements: readonly Statement[]): void {
    const used = statements.filter(({ rows }) => rows.length > 0);
    if (used.length === 0) return;
    const written = this.#database.transact(used).then(
      () => undefined,
      (error: unknown) => this.#log.warn({ error: messageOf(error) }, 'cannot write the image catalog'),
    );
    this.#pending.add(written);
    void written.finally(() => this.#pending.delete(written));
  }
}
