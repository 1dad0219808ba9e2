import { limits, type Clock } from '../base/index.ts';
import type { MetricFamily } from '../metric/index.ts';
import { TextWriter } from './text-writer.ts';
import type { Format } from './format.ts';
import { encodeOpenMetrics } from './openmetrics.ts';
import { encodeOpenMetrics2 } from './openmetrics2.ts';
import { encodePrometheusText } from './prometheus-text.ts';
import { encodeProtobuf } from './protobuf.ts';
import { SampleWriter } from './sample-writer.ts';

interface EncodeOptions {
  /** Expose creation times of counters, histograms and summaries. Default: false, as it doubles the series of counters. */
  readonly created?: boolean;
  /**
   * Reuse one buffer for all chunks: each chunk is valid only until the next one. For a caller that has sent a chunk
   * before it requests the next. Avoids garbage collection pauses for a large exposition. Default: false.
   */
  readonly reuse?: boolean;
}

/**
 * Encodes families in a format. Yields chunks of about `limits.expositionChunkBytesMax` bytes, each with whole points;
 * an empty chunk only gives the caller a chance to pause. Does not change the families, so several expositions may run
 * at once. Throws if a family's points throw: the exposition is then incomplete and must not be served as complete.
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
 * The chunks of `encode`, with a break for the event loop whenever encoding has blocked it for
 * `limits.expositionStretchMsMax`. Skips empty chunks.
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
