import { limits } from '../base/index.ts';
import type {
  CounterPoint,
  Exemplar,
  GaugePoint,
  HistogramPoint,
  LabelSet,
  MetricFamily,
  SummaryPoint,
  Value,
} from '../metric/index.ts';
import { escapeName, type EscapingScheme } from './escape-name.ts';
import { lower, type PrometheusFamily } from './lower.ts';
import { writeNative } from './protobuf-native.ts';
import { ProtoWriter } from './proto-writer.ts';

/** `io.prometheus.client.MetricType`. */
const typeNumbers: Readonly<Record<PrometheusFamily['type'], number>> = {
  counter: 0,
  gauge: 1,
  summary: 2,
  unknown: 3,
  histogram: 4,
  gaugehistogram: 5,
};

const nothing = new Uint8Array(0);

/**
 * Encodes families as delimited `io.prometheus.client.MetricFamily` messages, with native histograms. A message begins with its
 * length, so this buffers one family at a time; meanwhile it yields empty chunks, so that the caller can pause.
 */
export function* encodeProtobuf(
  families: Iterable<MetricFamily>,
  escaping: EscapingScheme,
  created: boolean,
): Generator<Uint8Array, void> {
  const metrics = new MetricWriter(escaping, created);
  for (const family of families) {
    for (const lowered of lower(family, { created: false, splitGaugeHistograms: false })) {
      const chunks: Uint8Array[] = [];
      for (const chunk of familyChunks(metrics, lowered)) {
        chunks.push(chunk);
        yield nothing;
      }
      metrics.out.varint(chunks.reduce((size, chunk) => size + chunk.length, 0));
      yield metrics.out.take();
      yield* chunks;
    }
  }
}

function* familyChunks(metrics: MetricWriter, family: PrometheusFamily): Generator<Uint8Array, void> {
  const { out } = metrics;
  out.string(1, metrics.name(family.name));
  if (family.help !== undefined && family.help !== '') out.string(2, family.help.toWellFormed());
  out.uint(3, typeNumbers[family.type]);
  switch (family.type) {
    case 'gauge':
      yield* metrics.each(family.points, (point) => metrics.value(2, point));
      break;
    case 'unknown':
      yield* metrics.each(family.points, (point) => metrics.value(5, point));
      break;
    case 'counter':
      yield* metrics.each(family.points, (point) => metrics.counter(point));
      break;
    case 'histogram':
    case 'gaugehistogram':
      yield* metrics.each(family.points, (point) => metrics.histogram(point));
      break;
    case 'summary':
      yield* metrics.each(family.points, (point) => metrics.summary(point));
      break;
  }
  if (family.unit !== undefined && family.unit !== '') out.string(5, family.unit);
  yield out.take();
}

/** Writes `io.prometheus.client.Metric` messages. */
class MetricWriter {
  readonly out = new ProtoWriter(limits.expositionChunkBytesMax);
  readonly #escaping: EscapingScheme;
  readonly #created: boolean;

  constructor(escaping: EscapingScheme, created: boolean) {
    this.#escaping = escaping;
    this.#created = created;
  }

  name(name: string): string {
    return escapeName(name, this.#escaping, true).toWellFormed();
  }

  /** Writes one `metric` field per point and yields full chunks. */
  *each<P extends { readonly labels: LabelSet; readonly timestamp?: number | undefined }>(
    points: Iterable<P>,
    write: (point: P) => void,
  ): Generator<Uint8Array, void> {
    for (const point of points) {
      this.out.message(4, () => {
        this.#labels(point.labels);
        write(point);
        if (point.timestamp !== undefined) this.out.int(6, Math.round(point.timestamp * 1000));
      });
      if (this.out.length > limits.expositionChunkBytesMax - 4096) yield this.out.take();
    }
  }

  /** Writes a gauge or untyped value: a message with one double. */
  value(field: number, point: GaugePoint): void {
    this.out.message(field, () => this.out.double(1, Number(point.value)));
  }

  counter(point: CounterPoint): void {
    this.out.message(3, () => {
      this.out.double(1, Number(point.value));
      if (point.exemplar !== undefined) this.#exemplar(2, point.exemplar);
      this.#createdAt(3, point.created);
    });
  }

  summary(point: SummaryPoint): void {
    const { out } = this;
    out.message(4, () => {
      out.uint(1, point.count ?? 0);
      out.double(2, Number(point.sum ?? 0));
      for (const [index, quantile] of point.quantiles.entries()) {
        out.message(3, () => {
          out.double(1, quantile);
          out.double(2, Number(point.values[index] ?? NaN));
        });
      }
      this.#createdAt(4, point.created);
    });
  }

  histogram(point: HistogramPoint): void {
    const { out } = this;
    out.message(7, () => {
      this.#count(1, 4, point.native?.count ?? point.counts.at(-1) ?? 0);
      const sum = point.native?.sum ?? point.sum;
      if (sum !== undefined) out.double(2, Number(sum));
      for (const [index, count] of point.counts.entries()) {
        out.message(3, () => {
          this.#count(1, 4, count);
          out.double(2, point.bounds[index] ?? Infinity);
          const exemplar = point.exemplars?.[index];
          if (exemplar !== undefined) this.#exemplar(3, exemplar);
        });
      }
      if (point.native !== undefined) writeNative(out, point.native);
      this.#createdAt(15, point.created);
    });
  }

  #labels(labels: LabelSet): void {
    const values = labels.values;
    for (const [index, name] of labels.names.entries()) {
      this.out.message(1, () => {
        this.out.string(1, escapeName(name, this.#escaping, false).toWellFormed());
        this.out.string(2, values[index] ?? '');
      });
    }
  }

  /** Writes a count as an integer, or in `floatField` if it is not an integer. */
  #count(field: number, floatField: number, count: Value): void {
    if (typeof count === 'bigint' || Number.isSafeInteger(count)) this.out.uint(field, count);
    else this.out.double(floatField, count);
  }

  #exemplar(field: number, exemplar: Exemplar): void {
    this.out.message(field, () => {
      this.#labels(exemplar.labels);
      this.out.double(2, exemplar.value);
      if (exemplar.timestamp !== undefined) this.#timestamp(3, exemplar.timestamp);
    });
  }

  #createdAt(field: number, created: number | undefined): void {
    if (this.#created && created !== undefined) this.#timestamp(field, created);
  }

  /** Writes Unix seconds as `google.protobuf.Timestamp`. */
  #timestamp(field: number, time: number): void {
    const seconds = Math.floor(time);
    this.out.message(field, () => {
      this.out.int(1, seconds);
      this.out.uint(2, Math.min(Math.round((time - seconds) * 1e9), 999_999_999));
    });
  }
}
