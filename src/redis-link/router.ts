import type { Redirect } from './failure.ts';
import type { RedisNode } from './node.ts';
import type { RedisStatus } from './types.ts';

/** Which node serves which slot: the part in which standalone, Sentinel and Cluster differ. */
export interface Router {
  /** The node that serves the slot; without a slot, any connected node. @throws {TonnageError} if none is known */
  nodeFor(slot: number | undefined): RedisNode;
  /** The node that a redirect names; undefined if the server is no Cluster. `from`: the host that sent the redirect. */
  redirected(redirect: Redirect, slot: number | undefined, from: string): RedisNode | undefined;
  /** A node sent a transient error reply that begins with `word`. It may no longer be the right node. */
  transientError(node: RedisNode, word: string): void;
  /** All primaries. @throws {TonnageError} if they are not known */
  primaries(): readonly RedisNode[];
  readonly status: RedisStatus;
  close(): Promise<void>;
}
