import { performance } from 'node:perf_hooks';
import type { Clock } from '../../../base/index.ts';
import type { Histogram, MetricFamily, MetricSet } from '../../../metric/index.ts';
import { byLabel, counter, single } from './figure.ts';

/** Frequent enough for a scrape every few seconds. Twenty timers per second take about 0.3 % of one CPU. */
const sampleMs = 50;

/** Timers are exact to about a millisecond. */
const lagBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const figures = {
  time: counter(
    'nodejs_eventloop_time_seconds',
    'Time that the event loop of the main thread was working (active) or waiting (idle).',
  ),
  iterations: counter('nodejs_eventloop_iterations', 'Iterations of the event loop of the main thread.'),
  events: counter('nodejs_eventloop_events', 'Events that the event loop of the main thread has handled.'),
  eventsWaiting: counter(
    'nodejs_eventloop_events_waiting',
    'Events that were already pending when the event loop of the main thread polled for events.',
  ),
};

/**
 * The lag and utilisation of the event loop. Measures lag with its own timer: the histogram of Node.js
 * (`monitorEventLoopDelay`) provides only percentiles, which cannot be aggregated over time or processes.
 */
export class EventLoop {
  readonly #clock: Clock;
  readonly #lag: Histogram;
  readonly #timer: NodeJS.Timeout;
  #armedAt: number;

  /** Declares `nodejs_eventloop_lag_seconds` in `metrics`, and measures it until it is closed. */
  constructor(metrics: MetricSet, clock: Clock) {
    this.#clock = clock;
    this.#lag = metrics.histogram({
      name: 'nodejs_eventloop_lag_seconds',
      unit: 'seconds',
      help: `Delay of a timer of the main thread that is due every ${sampleMs} ms, which is the delay of any other event too.`,
      buckets: lagBounds,
    });
    this.#armedAt = clock.monotonic();
    this.#timer = setTimeout(() => this.#sample(), sampleMs).unref();
  }

  /** Times and counts of the event loop. */
  families(): MetricFamily[] {
    const { active, idle } = performance.eventLoopUtilization();
    const { loopCount, events, eventsWaiting } = performance.nodeTiming.uvMetricsInfo;
    return [
      byLabel(figures.time, 'state', [
        ['active', active / 1000],
        ['idle', idle / 1000],
      ]),
      ...single(figures.iterations, loopCount),
      ...single(figures.events, events),
      ...single(figures.eventsWaiting, eventsWaiting),
    ];
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #sample(): void {
    const late = this.#clock.monotonic() - this.#armedAt - sampleMs;
    // The loop's cached time may be slightly behind when the timer starts, so that it fires early.
    this.#lag.observe(Math.max(0, late / 1000));
    this.#armedAt = this.#clock.monotonic();
    this.#timer.refresh();
  }
}
