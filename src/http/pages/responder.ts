import type { IncomingMessage, ServerResponse } from 'node:http';
import { limits, unlessAborted, type Clock } from '../../base/index.ts';
import type { SourcePage } from '../../collector/index.ts';
import { encode, paced, type Format } from '../../exposition/index.ts';
import type { MetricSet } from '../../metric/index.ts';
import { pageInstruments } from '../metrics.ts';
import { chooseCoding, coded, type ContentCoding } from '../scrape/coding.ts';
import { scrapeDeadlineMs } from '../scrape/deadline.ts';
import { Scrapes, type Exposition } from '../scrape/scrapes.ts';
import { sendExposition, untilDeadline } from '../scrape/send.ts';
import { PageBodies } from './bodies.ts';
import { encodeInScope } from './in-scope.ts';

/** What to send of a page. */
export interface PageContent {
  /** Identifies the page. */
  readonly path: string;
  readonly page: SourcePage;
  readonly format: Format;
  /** The scope to filter by. Absent: the whole page. */
  readonly scope: string | undefined;
  /** Headers in addition to those of the format and the coding. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Called before the headers are sent. */
  readonly onBegin: () => void;
}

/** Sends pages from cached bodies. A body that is too large for the cache is rendered while it is sent. */
export class PageResponder {
  readonly #clock: Clock;
  readonly #bodies: PageBodies;
  readonly #scrapes = new Scrapes({ expositionsMax: limits.scrapesMax, bodiesMax: limits.scrapeBodiesMax });

  constructor({ clock, metrics }: { readonly clock: Clock; readonly metrics: MetricSet }) {
    this.#clock = clock;
    const { renderings } = pageInstruments(metrics, () => this.#bodies.bytes);
    this.#bodies = new PageBodies(() => renderings.inc());
  }

  /**
   * Sends a page in the coding that the client prefers; to a HEAD request, its headers only. Rejects with `unavailable`
   * at the client's deadline or if too many pages wait to be rendered, and if the page cannot be rendered or sent.
   */
  send(content: PageContent, exchange: Exchange): Promise<void> {
    const { headers } = exchange.request;
    const coding = chooseCoding(headers['accept-encoding']);
    const deadlineMs = scrapeDeadlineMs(headers['x-prometheus-scrape-timeout-seconds']);
    return untilDeadline(exchange.response, deadlineMs, (signal) =>
      this.#sendCoded(content, { ...exchange, coding, signal }),
    );
  }

  async #sendCoded(
    content: PageContent,
    exchange: Exchange & { readonly coding: ContentCoding; readonly signal: AbortSignal },
  ): Promise<void> {
    const { path, page, format, scope } = content;
    const { request, response, onBegin, coding, signal } = exchange;
    const headers = {
      'content-type': format.contentType,
      ...(coding !== 'identity' && { 'content-encoding': coding }),
      ...content.headers,
    };
    const key = JSON.stringify([path, scope, format.contentType, coding]);
    const { revision } = page;
    const make = () => this.#render(content);
    const body = await unlessAborted(this.#bodies.get({ key, revision, make: () => coded(make(), coding) }), signal);
    const send = (exposition: Exposition, codingToApply: ContentCoding): Promise<void> => {
      onBegin();
      return sendExposition(exposition, { coding: codingToApply, headers, response, signal });
    };
    if (body !== 'large') return send(body, 'identity');
    if (request.method === 'HEAD') return send({ kind: 'stream', chunks: make() }, coding);
    // HTTP/1.0 has no chunks: without a length, the client could take half a page for a complete one.
    const whole = request.httpVersion === '1.0' && coding === 'identity';
    await this.#scrapes.run({ key: `${revision} ${key}`, make, whole, signal }, (exposition) =>
      send(exposition, coding),
    );
  }

  #render({ page: { families }, format, scope }: PageContent): AsyncIterable<Uint8Array> {
    const chunks = scope === undefined ? encode(families, format) : encodeInScope(families, scope, format);
    return paced(chunks, this.#clock);
  }
}
