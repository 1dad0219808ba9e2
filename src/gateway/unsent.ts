import type { Socket } from 'node:net';

/** Told how many of the bytes that were written to a connection had not left when it was torn down. */
type Listener = (unsent: number) => void;

const listeners = new WeakMap<Socket, Set<Listener>>();

/**
 * Tells when a connection is torn down, by whomever: with the bytes that it had been given and that the operating
 * system had not taken. Nothing is told when the connection ends with nothing left to send, and afterwards nobody
 * could know any more: what waits is thrown away before `close`. Answers how to be told no longer.
 */
export function onDestroy(socket: Socket, listener: Listener): () => void {
  let told = listeners.get(socket);
  if (told === undefined) {
    told = new Set();
    listeners.set(socket, told);
    watch(socket, told);
  }
  const set = told;
  set.add(listener);
  return () => set.delete(listener);
}

/** `_destroy` is what a stream calls once, before it lets go of anything, whoever destroys it. */
function watch(socket: Socket, told: ReadonlySet<Listener>): void {
  const destroy = socket._destroy.bind(socket);
  socket._destroy = (error, callback) => {
    const unsent = unsentBytes(socket, error);
    for (const tell of told) tell(unsent);
    destroy(error, callback);
  };
}

/**
 * Bytes that were written to a connection and that the operating system has not taken; `error` is what it is torn down for.
 * The queue of the connection's handle says to the byte what the operating system has not taken yet. It is no part of
 * the documented interface: without it everything counts as unsent whose write has not ended.
 */
export function unsentBytes(socket: Socket, error: Error | null): number {
  // A write that failed is off the queue already, and nobody knows how much of it had left.
  if (error !== null && 'syscall' in error && error.syscall === 'write') return Number.POSITIVE_INFINITY;
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return socket.writableLength;
  const given: unknown = Reflect.get(handle, 'bytesWritten');
  const queued: unknown = Reflect.get(handle, 'writeQueueSize');
  if (typeof given !== 'number' || typeof queued !== 'number') return socket.writableLength;
  return socket.bytesWritten - given + queued;
}
