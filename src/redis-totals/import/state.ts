import { limits } from '../../base/index.ts';
import { importKey } from '../layout.ts';
import type { RedisCommand, RedisLink } from '../../redis-link/index.ts';
import { listOf, textOf } from '../reply.ts';

/** The progress of an import. Redis keeps it, so that another import can resume. */
export interface ImportState {
  /** Where the next slice begins. Valid in one Redis process only, because each process hashes in its own way. */
  readonly cursor: string;
  readonly server: string;
  /** When the import began, in milliseconds since the Unix epoch. */
  readonly started: number;
  /** The number of scanned fields. */
  readonly scanned: number;
  /** The number of scanned fields that could not be parsed. `skippedNames` has the first few of them. */
  readonly skipped: number;
  readonly skippedNames: readonly string[];
  readonly done: boolean;
}

/** The state of an import before its first slice. */
export function newState(server: string, started: number): ImportState {
  return { cursor: '0', server, started, scanned: 0, skipped: 0, skippedNames: [], done: false };
}

/** The state after one more slice. */
export function advance(state: ImportState, cursor: string, fields: number, skipped: readonly string[]): ImportState {
  return {
    ...state,
    cursor,
    scanned: state.scanned + fields,
    skipped: state.skipped + skipped.length,
    skippedNames: [...new Set([...state.skippedNames, ...skipped])].slice(0, limits.waveSkippedNamedMax),
  };
}

/** Reads the state of the last import; undefined if there was none. */
export async function readState(link: Pick<RedisLink, 'send'>): Promise<ImportState | undefined> {
  const pairs = listOf(await link.send({ key: importKey, args: ['HGETALL', importKey] })).map(textOf);
  const fields = new Map<string, string>();
  for (let at = 0; at < pairs.length; at += 2) fields.set(pairs[at] ?? '', pairs[at + 1] ?? '');
  const cursor = fields.get('cursor');
  if (cursor === undefined) return undefined;
  const skippedNames: unknown = JSON.parse(fields.get('skippedNames') ?? '[]');
  return {
    cursor,
    server: fields.get('server') ?? '',
    started: Number(fields.get('started')),
    scanned: Number(fields.get('scanned')),
    skipped: Number(fields.get('skipped')),
    skippedNames: Array.isArray(skippedNames) ? skippedNames.map(String) : [],
    done: fields.get('done') === '1',
  };
}

/** The command that writes the state, and `indexedAt` if the import is complete. */
export function writeStateCommand(state: ImportState): RedisCommand {
  const { cursor, server, started, scanned, skipped, skippedNames, done } = state;
  const fields = {
    cursor,
    server,
    started: String(started),
    scanned: String(scanned),
    skipped: String(skipped),
    skippedNames: JSON.stringify(skippedNames),
    done: done ? '1' : '0',
    ...(done && { indexedAt: String(started) }),
  };
  return { key: importKey, args: ['HSET', importKey, ...Object.entries(fields).flat()] };
}
