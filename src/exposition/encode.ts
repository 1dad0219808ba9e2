import { limits, type Clock } from '../base/index.ts';
import type { MetricFamily } from '../metric/index.ts';
import { TextWriter } from './text-writer.ts';
import type { Format } from './format.ts';
import { encodeOpenMetrics } from './openmetrics.ts';
import { encodeOpenMetrics2 } from './openmetrics2.ts';
import { encodePrometheusText } from './prometheus-text.ts';
import { encodeProtobuf } from './protobuf.ts';
import { SampleWriter } from './sample-writer.ts';

export interface EncodeOptions {
  /** Show when counters, histograms and summaries began. Off unless asked for: it doubles the series of counters. */
  readonly created?: boolean;
  /**
   * Write each chunk over the one before. For readers that are done with a chunk when they ask for the next, as one is
   * that awaits the callback of each write: a large exposition then leaves nothing for the garbage collector, whose
   * pauses would be longer than ours. Off unless asked for: each chunk is then the reader's own.
   */
  readonly reuse?: boolean;
}

/**
 * Encodes families in a format. Yields chunks of about `limits.expositionChunkBytesMax` bytes, cut between two points,
 * and works only while the next one is asked for; it changes nothing, so that any number of expositions may run at
 * once. If a family's points throw, so does this: the exposition is then incomplete and must not be served as whole.
 * A chunk may be empty: nothing can be sent yet, but the encoder has paused.
 */
export function* encode(
  families: Iterable<MetricFamily>,
  format: Format,
  options: EncodeOptions = {},
): Generator<Uint8Array, void> {
  const out = new TextWriter(options.reuse);
  const created = options.created === true;
  switch (format.syntax) {
    case 'openmetrics-1.0.0':
      yield* encodeOpenMetrics(new SampleWriter(out, format.escaping, 'openmetrics'), families, created);
      break;
    case 'openmetrics-2.0.0':
      yield* encodeOpenMetrics2(new SampleWriter(out, format.escaping, 'openmetrics'), families, created);
      break;
    case 'protobuf':
      yield* encodeProtobuf(families, format.escaping, created);
      break;
    case 'text-0.0.4':
    case 'text-1.0.0':
      yield* encodePrometheusText(new SampleWriter(out, format.escaping, 'prometheus'), families, created);
      break;
  }
  if (!out.empty) yield out.take();
}

/**
 * The chunks of `encode`, with a pause for the event loop whenever they have held it for
 * `limits.expositionStretchMsMax`: what a server sends, however many series there are.
 */
export async function* paced(chunks: Iterable<Uint8Array>, clock: Clock): AsyncGenerator<Uint8Array, void> {
  let begun = clock.monotonic();
  for (const chunk of chunks) {
    if (chunk.length > 0) yield chunk;
    if (clock.monotonic() - begun < limits.expositionStretchMsMax) continue;
    await new Promise((resume) => setImmediate(resume));
    begun = clock.monotonic();
  }
}
