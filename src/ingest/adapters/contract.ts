import type { JsonObject } from '../../oci/index.ts';
import type { HeaderLines } from '../binary-mode.ts';
import type { ContentMode } from '../body.ts';
import type { Refusal } from '../refusal.ts';
import type { Ignored } from './ignored.ts';

/** Systems whose own notifications are taken; the last segment of each one's route. */
export const adapterNames = ['distribution', 'harbor', 'zot'] as const;
export type AdapterName = (typeof adapterNames)[number];

/** What the configuration says of one of them. */
export interface AdapterSettings {
  /** What its upstream is called in totals, in lower case. Absent: the host that its notifications name. */
  readonly upstream?: string;
  /** Hosts or names, in lower case, that count through the gateway already: their notifications are ignored. */
  readonly ignoreUpstreams: readonly string[];
  /** Organisations by the first segments of a repository's name; `*` is for all others. */
  readonly orgs: ReadonlyMap<string, string>;
}

/** A CloudEvent in the JSON event format, for the reader of events, or why it is none. */
export type Mapped = JsonObject | Refusal | Ignored;

export interface MapOptions {
  readonly mode: ContentMode;
  readonly headers: HeaderLines;
  readonly body: Uint8Array;
  /** Organisation of the credentials that sent it, where they are bound to one. */
  readonly tenant?: string;
}

/** Reads the notifications of one kind of system as events. */
export interface Adapter {
  readonly name: AdapterName;
  /** Media types that are taken, as descriptions name them. */
  readonly contentTypes: readonly string[];
  /** What members of the mapped events are called in the notifications: for messages. */
  readonly members: ReadonlyMap<string, string>;
  /** How a body is written, before it is read. Throws `unsupported_media_type`. */
  modeOf(headers: HeaderLines): ContentMode;
  /** What a body says, in order. Throws `bad_request` and `request_too_large` for a body that is no notification. */
  map(options: MapOptions): readonly Mapped[];
}
