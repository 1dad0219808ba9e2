import type { Worker } from 'node:worker_threads';
import type { MetricFamily } from '../../../metric/index.ts';
import { byLabel, counter, gauge, single } from './figure.ts';

const figures = {
  resources: gauge(
    'nodejs_active_resources',
    'Resources that keep the event loop of the main thread alive, by type: sockets, timers, file requests.',
  ),
  workers: gauge('nodejs_worker_threads', 'Worker threads that are running.'),
  workersStarted: counter('nodejs_worker_threads_started', 'Worker threads started.'),
};

/** Active resources of the main thread by type, and worker threads. */
export class Resources {
  /** All types seen so far. A type without resources is exposed as 0, so that its series does not disappear. */
  readonly #types = new Set<string>();
  #running = 0;
  #started = 0;

  constructor() {
    process.on('worker', this.#onWorker);
  }

  families(): MetricFamily[] {
    const active = new Map<string, number>();
    for (const type of process.getActiveResourcesInfo()) active.set(type, (active.get(type) ?? 0) + 1);
    for (const type of active.keys()) this.#types.add(type);
    return [
      byLabel(
        figures.resources,
        'type',
        Array.from(this.#types, (type) => [type, active.get(type) ?? 0]),
      ),
      ...single(figures.workers, this.#running),
      ...single(figures.workersStarted, this.#started),
    ];
  }

  close(): void {
    process.off('worker', this.#onWorker);
  }

  readonly #onWorker = (worker: Worker): void => {
    this.#started++;
    this.#running++;
    worker.once('exit', () => this.#running--);
  };
}
