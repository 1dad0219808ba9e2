import type { Redirect } from './failure.ts';
import type { RedisNode } from './node.ts';
import type { RedisStatus } from './types.ts';

/** Which node serves what: what standalone, Sentinel and Cluster differ in. */
export interface Router {
  /** The node that serves the slot, or any that is connected. @throws {TonnageError} when none is known */
  nodeFor(slot: number | undefined): RedisNode;
  /** The node that a Cluster has sent us to; undefined where such a reply makes no sense. */
  redirected(redirect: Redirect, slot: number | undefined, from: string): RedisNode | undefined;
  /** Is told that a node has asked for patience, which may mean that it is the wrong one by now. */
  doubt(node: RedisNode, word: string): void;
  /** All nodes that are written to. @throws {TonnageError} when they are not known */
  primaries(): readonly RedisNode[];
  readonly status: RedisStatus;
  close(): Promise<void>;
}
