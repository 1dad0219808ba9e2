/** What a principal may do: pull images, read totals, send events, manage cache and configuration. */
export const rights = ['pull', 'query', 'ingest', 'admin'] as const;
export type Right = (typeof rights)[number];

/** Who is asking, as an authenticator has found out. Never what the client merely says of itself. */
export interface Principal {
  /** Stable name for logs and the `user` dimension: a user name, a token's name. */
  readonly subject: string;
  readonly email?: string;
  /** Lower-cased organisation. A principal that has one sees and writes only this one, unless it has `admin`. */
  readonly org?: string;
  /** Repositories that it may pull, as `upstream/repository` or `upstream/folder/*`. Absent: all. */
  readonly scope?: readonly string[];
  /** It stands for all clients of a network (`identity.addresses`), not for credentials. */
  readonly isNetwork?: true;
  readonly rights: ReadonlySet<Right>;
}
