import { sleep } from './program.ts';

/** How long a client waits for the answer of a server that may be dead or starting. */
const answerMs = 5_000;
const pauseMs = 15;

/** Posts to a server that is killed again and again; `undefined` without an answer or without success. */
async function post(url: string, events: readonly unknown[]): Promise<EventsAnswer | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify(events),
      signal: AbortSignal.timeout(answerMs),
    });
    const text = await response.text();
    return response.status === 200 ? (JSON.parse(text) as EventsAnswer) : undefined;
  } catch {
    return undefined;
  }
}

export interface EventsAnswer {
  readonly accepted: number;
  readonly duplicate: number;
  readonly voided: number;
  readonly refused: number;
}

/** Sends numbered events, retries each batch until it is acknowledged, and knows the expected totals. */
export class EventClient {
  readonly #url: string;
  readonly name: string;
  readonly #time = new Date().toISOString();
  #last = 0;
  #running = true;
  #done: Promise<void> | undefined;
  /** The expected total of each organisation once everything is acknowledged. */
  readonly expected = new Map<string, number>();
  acknowledged = 0;
  resends = 0;
  /** Acknowledged events that the server did not recognise as duplicates when they were sent again. */
  forgotten = 0;

  constructor(url: string, name: string) {
    this.#url = `${url}/api/v1/events`;
    this.name = name;
  }

  start(): void {
    this.#done = this.#run();
  }

  /** Ends after the batch in flight has been acknowledged. */
  async finish(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      const events = this.#nextBatch();
      let answer = await post(this.#url, events);
      while (answer === undefined) {
        this.resends++;
        await sleep(pauseMs);
        answer = await post(this.#url, events);
      }
      this.acknowledged += answer.accepted + answer.duplicate + answer.voided;
      if (this.acknowledged % 7 === 0) await this.#sendAgain(events);
    }
  }

  async #sendAgain(events: readonly unknown[]): Promise<void> {
    const again = await post(this.#url, events);
    if (again) this.forgotten += again.accepted + again.voided + again.refused;
  }

  /** Builds of several organisations, and a void for every tenth. */
  #nextBatch(): readonly unknown[] {
    const events: unknown[] = [];
    const size = 1 + (this.#last % 23);
    for (let index = 0; index < size; index++) {
      const number = ++this.#last;
      const org = `org${number % 5}.example`;
      const quantity = 1 + (number % 3);
      events.push(this.#event('tonnage.build', `${number}`, { org, arch: 'amd64', quantity }));
      if (number % 10 === 0) {
        events.push(this.#event('tonnage.void', `void-${number}`, { source: this.name, id: `${number}` }));
      } else {
        this.expected.set(org, (this.expected.get(org) ?? 0) + quantity);
      }
    }
    return events;
  }

  #event(type: string, id: string, data: Record<string, unknown>): unknown {
    return { specversion: '1.0', type, source: this.name, id, time: this.#time, data };
  }
}

/** Pulls a manifest over and over; counts the requests, and those that were answered completely. */
export class PullClient {
  readonly #url: string;
  #running = true;
  #done: Promise<void> | undefined;
  sent = 0;
  answered = 0;

  constructor(url: string) {
    this.#url = url;
  }

  start(): void {
    this.#done = this.#run();
  }

  async finish(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      this.sent++;
      try {
        const response = await fetch(this.#url, { signal: AbortSignal.timeout(answerMs) });
        await response.arrayBuffer();
        if (response.status === 200) this.answered++;
      } catch {
        await sleep(pauseMs);
      }
    }
  }
}
