import type { Socket } from 'node:net';

/** Called with the number of bytes that were written to a connection but not sent when it was destroyed. */
type Listener = (unsent: number) => void;

const listeners = new WeakMap<Socket, Set<Listener>>();

/**
 * Calls `listener` when a connection is destroyed, with the bytes that the kernel has not accepted. At the `close`
 * event, it would be too late: Node has discarded them by then. Returns a function that removes the listener.
 */
export function onDestroy(socket: Socket, listener: Listener): () => void {
  const set = listeners.get(socket) ?? watch(socket);
  set.add(listener);
  return () => set.delete(listener);
}

/** A stream calls `_destroy` exactly once, before it discards anything. */
function watch(socket: Socket): Set<Listener> {
  const set = new Set<Listener>();
  listeners.set(socket, set);
  const destroy = socket._destroy.bind(socket);
  socket._destroy = (error, callback) => {
    const unsent = unsentBytes(socket, error);
    for (const listener of set) listener(unsent);
    destroy(error, callback);
  };
  return set;
}

/**
 * Returns the bytes that were written to a connection but not accepted by the kernel. `error` is the reason for which
 * the connection is destroyed, or null. The exact number comes from an undocumented property of the handle. Without it,
 * every write in progress counts as unsent.
 */
export function unsentBytes(socket: Socket, error: Error | null): number {
  // A failed write has left the queue, and it is unknown how much of it was sent.
  if (error !== null && 'syscall' in error && error.syscall === 'write') return Number.POSITIVE_INFINITY;
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return socket.writableLength;
  const given: unknown = Reflect.get(handle, 'bytesWritten');
  const queued: unknown = Reflect.get(handle, 'writeQueueSize');
  if (typeof given !== 'number' || typeof queued !== 'number') return socket.writableLength;
  return socket.bytesWritten - given + queued;
}
