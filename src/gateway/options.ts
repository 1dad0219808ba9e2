import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

import type { Clock, Log, Random } from '../base/index.ts';
import type { Principal } from '../identity/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { Amount } from './amount.ts';
import type { EnvironmentProxies } from './upstream/egress-proxy.ts';
import type { OwnAddress, Resolve } from './upstream/address-policy.ts';

/** A counted pull: a GET of an image manifest that is about to be answered with 200. */
export interface Pull {
  /** Null for an anonymous client. */
  readonly principal: Principal | null;
  /** Configured name of the upstream. */
  readonly upstream: string;
  /** Full name of the repository at its upstream (`library/alpine`). */
  readonly repository: string;
  /** Absent if the manifest was requested by digest, and the client has resolved no tag to it. */
  readonly tag?: string;
  /** Architecture of the image, in lower case without variant; absent if it has none or it was not found in time. */
  readonly arch?: string;
  /** Whether the image's entrypoint is `fusionEntrypoint`. */
  readonly fusion: boolean;
  /** Address of the client; empty if it is unknown. */
  readonly client: string;
}

/** Bytes of manifests and blobs that were sent to one client from one repository. */
export interface Egress extends Pick<Pull, 'principal' | 'upstream' | 'repository' | 'tag' | 'client'> {
  /** Body bytes that the kernel accepted for the client's connection; more than 0. */
  readonly bytes: number;
}

export interface UpstreamOptions {
  /** Name of the upstream in image names, in lower case; usually its host. */
  readonly name: string;
  /** URL below which its `/v2/` is: `https://host` or `http://host`. */
  readonly url: string;
  /** Other names of this upstream. */
  readonly aliases?: readonly string[];
  /** How long a tag is served before it is revalidated, in milliseconds. */
  readonly tagTtlMs: number;
  /** Absent: anonymous. `realm`: URL of a token endpoint on another domain that may receive the credentials. */
  readonly auth?: {
    readonly basic: { readonly username: string; readonly password: string };
    readonly realm?: string;
  };
  /** Hosts (`host` or `host:port`) that the upstream may redirect to at any address. */
  readonly redirects?: readonly string[];
  /** URL of the egress proxy; false for none. Default: the environment's proxy. */
  readonly proxy?: string | false;
}

/** `base` is `/v2/` itself, where clients look for a challenge. */
export type AdmissionScope = 'base' | 'content';

/** The result of authentication. `challenge` is the `WWW-Authenticate` header of the 401. */
export type Admission =
  | { readonly kind: 'principal'; readonly principal: Principal }
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'refused'; readonly challenge: string };

export interface GatewayOptions {
  readonly upstreams: readonly UpstreamOptions[];
  /** Upstream of images whose name has none. Absent: such names are unknown. */
  readonly defaultUpstream?: string;
  /** Directory of the image cache; created if missing. Only one process may use it. */
  readonly directory: string;
  /** How long a pull waits for the facts of its image, in milliseconds. */
  readonly factsWaitMs: number;
  /** Milliseconds for which a request by digest gets the tag that the client resolved to it. Absent: it gets no tag. */
  readonly tagMemoryMs?: number;
  /** Size limit of a blob of unknown size. Default: `limits.undeclaredBlobBytesMax`. */
  readonly undeclaredBlobBytesMax?: number;
  /** First argument of the entrypoint of fusion images. Absent: no image counts, and fewer configs are read. */
  readonly fusionEntrypoint?: string;
  /** Egress proxies from the environment. Default: none. */
  readonly environmentProxies?: EnvironmentProxies;
  /** Addresses of this server, which no upstream may lead to. Default: none. */
  readonly own?: OwnAddress;
  /** Resolves host names. Default: the system's resolver. */
  readonly resolve?: Resolve;
  /** Version of this program, for the `User-Agent` header `tonnage/<version>`. */
  readonly version: string;
  /**
   * Authenticates a request. `pathToken` is the token in its path. May be synchronous. May throw an `OciError`; any
   * other error becomes a 500.
   */
  admit(
    headers: IncomingHttpHeaders,
    remoteAddress: string,
    scope: AdmissionScope,
    pathToken?: string,
  ): Admission | Promise<Admission>;
  /**
   * Records a pull before the response. The response waits for the promise, if there is one. If it rejects or `record`
   * throws, the manifest is still served and the error is logged.
   */
  record(pull: Pull): Promise<void> | void;
  /**
   * Records bytes that were sent: sums over many responses, at most `limits.egressKeepMs` after each has ended, and the
   * rest at `close`.
   */
  recordEgress(sums: readonly Egress[]): void;
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The gateway's counts at one moment, for metrics under other names. */
export interface GatewayStatistics {
  /** GETs and HEADs of manifests by upstream, successful or not. */
  readonly manifestRequests: readonly {
    readonly upstream: string;
    /** Requests that made no manifest request to the upstream. */
    readonly cached: number;
    /** All others, including failed ones. */
    readonly fetched: number;
  }[];
  /** GETs of blobs, successful or not. */
  readonly blobRequests: number;
  /** Requests to implemented routes. */
  readonly endpointHits: number;
  /** Requests that failed, without malformed and forbidden ones. */
  readonly servingErrors: number;
  /** Manifests in memory, by tag and by digest: a manifest that is there both ways counts twice. */
  readonly manifestsInMemory: number;
  /** Blobs and manifests on disk at the last survey; null if they could not be counted. */
  readonly blobsOnDisk: Amount | null;
  readonly manifestsOnDisk: Amount | null;
}

export interface Gateway {
  /**
   * Handles a `/v2` request. Never throws; every response is complete, or its connection is closed. `remoteAddress` is
   * the client's address, empty if unknown; default: the connection's. `pathToken` is the token that was cut from the
   * path (`/v2/wt/<token>/...`).
   */
  handle(request: IncomingMessage, response: ServerResponse, remoteAddress?: string, pathToken?: string): void;
  /** Counts a request to `/v2/token`, which another handler answers. Call it before that handler. */
  countTokenRequest(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Surveys the cache on disk for the gauges of the next scrape. Waits at most `limits.cacheSurveyMsMax`: after that,
   * the gauges show the previous survey until this one has ended. Never rejects.
   */
  survey(): Promise<void>;
  /** Why blobs cannot be written and pass through uncached; undefined while they can be written. */
  cacheFailure(): string | undefined;
  statistics(): GatewayStatistics;
  /** Aborts downloads, saves the catalog and closes it. Call it after the last response. */
  close(): Promise<void>;
}
