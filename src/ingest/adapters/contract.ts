import type { JsonObject } from '../../oci/index.ts';
import type { HeaderLines } from '../binary-mode.ts';
import type { ContentMode } from '../body.ts';
import type { Refusal } from '../refusal.ts';
import type { Ignored } from './ignored.ts';

/** Systems whose notifications are accepted. The name is the last segment of the route. */
export const adapterNames = ['distribution', 'harbor', 'zot'] as const;
export type AdapterName = (typeof adapterNames)[number];

/** The configuration of one adapter. */
export interface AdapterSettings {
  /** The upstream's name in totals, in lower case. Default: the host in the notifications. */
  readonly upstream?: string;
  /** Hosts or names, in lower case, whose notifications are ignored because the gateway already counts their pulls. */
  readonly ignoreUpstreams: readonly string[];
  /** Organisations by the first segments of a repository name. `*` matches all other repositories. */
  readonly orgs: ReadonlyMap<string, string>;
}

/** A CloudEvent in the JSON event format, or the reason why there is none. */
export type Mapped = JsonObject | Refusal | Ignored;

export interface MapOptions {
  readonly mode: ContentMode;
  readonly headers: HeaderLines;
  readonly body: Uint8Array;
  /** Organisation of the sender's credentials, if they have one. */
  readonly tenant?: string;
}

/** Converts the notifications of one kind of system to events. */
export interface Adapter {
  readonly name: AdapterName;
  /** The accepted media types, for API descriptions. */
  readonly contentTypes: readonly string[];
  /** The names of event members in the notifications, for error messages. */
  readonly members: ReadonlyMap<string, string>;
  /** The content mode of a request, from its headers. Throws `unsupported_media_type`. */
  modeOf(headers: HeaderLines): ContentMode;
  /** Converts the notifications in a body, in order. Throws `bad_request` and `request_too_large`. */
  map(options: MapOptions): readonly Mapped[];
}
