import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

import type { Clock, Log, Random } from '../base/index.ts';
import type { Principal } from '../identity/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { Amount } from './amount.ts';
import type { EnvironmentProxies } from './upstream/egress-proxy.ts';
import type { OwnAddress, Resolve } from './upstream/address-policy.ts';

/** One counted pull: a GET of an image manifest that is ready to be answered with 200. */
export interface Pull {
  /** Null: an anonymous client. */
  readonly principal: Principal | null;
  /** Configured name of the upstream. */
  readonly upstream: string;
  /** Full name of the repository at its upstream (`library/alpine`). */
  readonly repository: string;
  /** Absent when the manifest was asked for by digest, and its client has resolved no tag that leads there. */
  readonly tag?: string;
  /** Architecture of the image, in lower case without variant; absent when it has none or none could be found. */
  readonly arch?: string;
  /** Whether the image's entrypoint is the one of `fusionEntrypoint`. */
  readonly fusion: boolean;
  /** Address of the client; empty when it is unknown. */
  readonly client: string;
}

/** Bytes of manifests and blobs that were sent to one client out of one repository. */
export interface Egress extends Pick<Pull, 'principal' | 'upstream' | 'repository' | 'tag' | 'client'> {
  /** Of bodies alone, that the client's connection has taken; more than 0. */
  readonly bytes: number;
}

export interface UpstreamOptions {
  /** How the upstream is called in image names, in lower case: most often its host. */
  readonly name: string;
  /** Where its `/v2/` is: `https://host` or, where that is meant, `http://host`. */
  readonly url: string;
  /** Further names that mean the same upstream. */
  readonly aliases?: readonly string[];
  /** How long a tag is served before the upstream is asked whether it has moved, in milliseconds. */
  readonly tagTtlMs: number;
  /** Absent: anonymous. `realm`: URL of a token endpoint on another domain that may see the credentials too. */
  readonly auth?: {
    readonly basic: { readonly username: string; readonly password: string };
    readonly realm?: string;
  };
  /** Hosts, `host` or `host:port`, that the upstream may lead to at any address. */
  readonly redirects?: readonly string[];
  /** URL of the egress proxy that it is reached by; false: none. Default: as the environment says. */
  readonly proxy?: string | false;
}

/** What is asked for: `base` is `/v2/` itself, by which clients find out whether they must log in. */
export type AdmissionScope = 'base' | 'content';

/** Whether a request may go on, and as whom. `challenge` is the value of the `WWW-Authenticate` header of the 401. */
export type Admission =
  | { readonly kind: 'principal'; readonly principal: Principal }
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'refused'; readonly challenge: string };

export interface GatewayOptions {
  readonly upstreams: readonly UpstreamOptions[];
  /** Name of the upstream of images that name none. Absent: such names are unknown. */
  readonly defaultUpstream?: string;
  /** Directory of the image cache; created when absent. One process at a time. */
  readonly directory: string;
  /** How long the answer to a pull waits for the facts of its image, in milliseconds. */
  readonly factsWaitMs: number;
  /** How long requests by digest take the tag that their client resolved before, in milliseconds. Absent: they take none. */
  readonly tagMemoryMs?: number;
  /** Largest blob whose size is unknown. Default: `limits.undeclaredBlobBytesMax`. */
  readonly undeclaredBlobBytesMax?: number;
  /** First word of the entrypoint of images that count as fusion. Absent: none does, and fewer configs are read. */
  readonly fusionEntrypoint?: string;
  /** Egress proxies as the environment names them. Default: none. */
  readonly environmentProxies?: EnvironmentProxies;
  /** Where clients find this server. No upstream may lead there. Default: nowhere. */
  readonly own?: OwnAddress;
  /** How names of hosts are resolved. Default: as the system does. */
  readonly resolve?: Resolve;
  /** Version of this program, told to upstreams as `tonnage/<version>`. */
  readonly version: string;
  /**
   * Decides about each request; `pathToken` stood in its path. May answer at once or later; may throw an `OciError`, and
   * anything else that is thrown is answered with 500.
   */
  admit(
    headers: IncomingHttpHeaders,
    remoteAddress: string,
    scope: AdmissionScope,
    pathToken?: string,
  ): Admission | Promise<Admission>;
  /**
   * Takes note of a pull before it is answered. The answer goes out when the promise resolves, or at once when there is
   * none. When it rejects or throws, the manifest is served all the same, and the log says so.
   */
  record(pull: Pull): Promise<void> | void;
  /**
   * Takes note of bytes that were sent: sums of many answers, each at most `limits.egressKeepMs` after its end, and what
   * is left at `close`. Nobody waits for it.
   */
  recordEgress(sums: readonly Egress[]): void;
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What the gateway has counted and holds, for expositions under other names than its own. All of one moment. */
export interface GatewayStatistics {
  /** GETs and HEADs of manifests by upstream, whatever came of them, in the two parts of which each is one. */
  readonly manifestRequests: readonly {
    readonly upstream: string;
    /** Answered without a manifest request of their own to the upstream. */
    readonly cached: number;
    /** The others, those that failed included. */
    readonly fetched: number;
  }[];
  /** GETs of blobs, whatever came of them. */
  readonly blobRequests: number;
  /** Requests to implemented routes. */
  readonly endpointHits: number;
  /** Requests that were taken and could not be answered: not those that were malformed or not allowed. */
  readonly servingErrors: number;
  /** Manifests in memory by tag and by digest: one that is there both ways counts twice. */
  readonly manifestsInMemory: number;
  /** Blob files on disk at the last survey, and the bytes of manifests there; null when they could not be looked up. */
  readonly blobsOnDisk: Amount | null;
  readonly manifestsOnDisk: Amount | null;
}

export interface Gateway {
  /**
   * Answers one `/v2` request. Never throws; every answer is complete or its connection is closed. `remoteAddress` is the
   * client's, empty when it is unknown; by default the connection's. `pathToken` is what was cut from the
   * path (`/v2/wt/<token>/...`) before anybody looked at it.
   */
  handle(request: IncomingMessage, response: ServerResponse, remoteAddress?: string, pathToken?: string): void;
  /** Counts a request to `/v2/token`, which others answer, like those that the gateway answers. To be called before. */
  countTokenRequest(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Looks up what the cache has on disk, for the gauges of the next scrape. Waits at most `limits.cacheSurveyMsMax`: after
   * that the gauges show the last look-up, until this one has ended. Never rejects.
   */
  survey(): Promise<void>;
  /** Why the disk takes no blobs at the moment, which are then passed through; absent while it does. */
  cacheFailure(): string | undefined;
  /** What was counted so far, all of one moment. */
  statistics(): GatewayStatistics;
  /** Ends downloads that still run, saves what was learned, and closes. To be called after the last answer. */
  close(): Promise<void>;
}
