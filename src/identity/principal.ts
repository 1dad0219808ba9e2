/** Rights: pull images, read totals, send events, manage cache and configuration. */
export const rights = ['pull', 'query', 'ingest', 'admin'] as const;
export type Right = (typeof rights)[number];

/** An authenticated client. Never contains unverified claims of the client. */
export interface Principal {
  /** Stable name for logs and the dimension `user`, such as the name of a user or token. */
  readonly subject: string;
  readonly email?: string;
  /** Organisation in lower case. The principal may access only this organisation, unless it has `admin`. Absent: any. */
  readonly org?: string;
  /** Repositories that it may pull, as `upstream/repository` or `upstream/folder/*`. Absent: all. */
  readonly scope?: readonly string[];
  /**
   * The only Debusine scope whose series it may read. It opens the pages of Debusine sources and nothing else. Absent: not
   * confined to these pages.
   */
  readonly debusineScope?: string;
  /** The principal represents all clients of a network (`identity.addresses`), not credentials. */
  readonly isNetwork?: true;
  readonly rights: ReadonlySet<Right>;
}
