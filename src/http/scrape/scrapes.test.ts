import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { Scrapes, type Exposition } from './scrapes.ts';

/** An exposition that the test renders step by step. */
class Source {
  readonly id: number;
  readonly #step = { taken: Promise.withResolvers<Uint8Array | undefined>() };
  ended = false;

  constructor(id: number) {
    this.id = id;
  }

  give(text: string | undefined): void {
    this.#step.taken.resolve(text === undefined ? undefined : Buffer.from(text));
  }

  fail(): void {
    this.#step.taken.reject(new Error(`source ${this.id} failed`));
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = await this.#step.taken.promise;
        if (chunk === undefined) return;
        this.#step.taken = Promise.withResolvers();
        yield chunk;
      }
    } finally {
      this.ended = true;
    }
  }
}

let scrapes: Scrapes;
let sources: Source[];
beforeEach(() => {
  scrapes = new Scrapes({ expositionsMax: 3, bodiesMax: 2 });
  sources = [];
});

interface Asked {
  readonly shared: Promise<boolean>;
  /** The exposition that was sent; `undefined` before that. */
  exposition: Exposition | undefined;
  /** Completes the sending. */
  readonly taken: () => void;
  readonly abort: () => void;
}

/** A scrape whose sending the test completes. */
function ask(key: string, whole = false): Asked {
  const sending = Promise.withResolvers<void>();
  const gone = new AbortController();
  const make = (): AsyncGenerator<Uint8Array> => {
    const source = new Source(sources.length);
    sources.push(source);
    return source.chunks();
  };
  const asked: { -readonly [K in keyof Asked]: Asked[K] } = {
    shared: Promise.resolve(false),
    exposition: undefined,
    taken: () => sending.resolve(),
    abort: () => gone.abort(),
  };
  asked.shared = scrapes.run({ key, make, whole, signal: gone.signal }, (exposition) => {
    asked.exposition = exposition;
    return sending.promise;
  });
  asked.shared.catch(() => undefined);
  return asked;
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn();
}

/** The bytes of a complete exposition, or `stream`; `undefined` if nothing was sent. */
const text = (asked: Asked | undefined): string | undefined => {
  const exposition = asked?.exposition;
  return exposition?.kind === 'whole' ? Buffer.concat(exposition.chunks).toString() : exposition?.kind;
};

describe('few scrapes', () => {
  test('get a separate stream each', async () => {
    for (const id of [0, 1, 2, 3]) {
      const asked = ask('a');
      asked.taken();
      expect([text(asked), await asked.shared, sources.length]).toEqual(['stream', false, id + 1]);
    }
  });

  test('get a complete exposition with its length if they need one', async () => {
    const asked = ask('a', true);
    sources[0]?.give('one');
    await settle();
    sources[0]?.give(undefined);
    await settle();
    expect(asked.exposition).toMatchObject({ kind: 'whole', length: 3 });
    asked.taken();
    expect(await asked.shared).toBe(false);
  });
});

describe('many scrapes', () => {
  test('with the same key cause three renderings, and the last one is shared by all the others', async () => {
    const crowd = Array.from({ length: 100 }, () => ask('a'));
    expect(sources).toHaveLength(3);
    sources[2]?.give('for all');
    await settle();
    crowd.push(ask('a'));
    sources[2]?.give(undefined);
    await settle();
    expect(sources).toHaveLength(3);
    expect(crowd.slice(2).every((asked) => text(asked) === 'for all')).toBe(true);
    for (const asked of crowd) asked.taken();
    const shared = await Promise.all(crowd.map((asked) => asked.shared));
    expect(shared.filter((each) => !each)).toHaveLength(2);
  });

  test('with different keys are rendered one after the other', async () => {
    const crowd = ['a', 'b', 'c', 'd'].map((key) => ask(key));
    expect(sources).toHaveLength(3);
    sources[2]?.give(undefined);
    await settle();
    expect(crowd.map(text)).toEqual(['stream', 'stream', '', undefined]);
    expect(sources).toHaveLength(4);
    sources[3]?.give(undefined);
    await settle();
    expect(text(crowd[3])).toBe('');
  });

  test('never get an exposition that was complete before they started', async () => {
    ask('a');
    ask('a');
    const early = ask('a');
    sources[2]?.give('early');
    await settle();
    sources[2]?.give(undefined);
    await settle();
    const late = ask('a');
    await settle();
    expect([text(early), text(late), sources.length]).toEqual(['early', undefined, 4]);
  });
});

describe('scrapers that do not read', () => {
  test('do not delay later scrapes', async () => {
    ask('slow');
    ask('slow');
    for (const id of [2, 3, 4, 5]) {
      const asked = ask('a');
      sources[id]?.give(`${id}`);
      await settle();
      sources[id]?.give(undefined);
      await settle();
      expect(text(asked)).toBe(`${id}`);
      asked.taken();
      expect(await asked.shared).toBe(false);
    }
  });

  test('hold at most bodiesMax bodies; the next one is rendered when a body has been sent to all', async () => {
    ask('slow');
    ask('slow');
    const [first, ...others] = ['a', 'a', 'b', 'c'].map((key) => ask(key));
    for (const id of [2, 3]) {
      sources[id]?.give(undefined);
      await settle();
    }
    expect(sources).toHaveLength(4);
    first?.taken();
    await settle();
    expect(sources).toHaveLength(4);
    others[0]?.taken();
    await settle();
    expect(sources).toHaveLength(5);
    sources[4]?.give('c');
    await settle();
    sources[4]?.give(undefined);
    await settle();
    expect(others.map(text)).toEqual(['', '', 'c']);
  });
});

describe('aborted scrapes', () => {
  test('that still wait are never rendered', async () => {
    const [, , , waiting, last] = ['a', 'b', 'c', 'd', 'e'].map((key) => ask(key));
    waiting?.abort();
    await expect(waiting?.shared).rejects.toThrow('aborted');
    sources[2]?.give(undefined);
    await settle();
    sources[3]?.give('e');
    await settle();
    sources[3]?.give(undefined);
    await settle();
    expect(text(last)).toBe('e');
  });

  test('that are being rendered stop and release their rendering', async () => {
    const [, , made, next] = ['a', 'b', 'c', 'd'].map((key) => ask(key));
    made?.abort();
    await settle();
    sources[2]?.give('for nobody');
    await settle();
    expect(sources[2]?.ended).toBe(true);
    expect(sources).toHaveLength(4);
    sources[3]?.give(undefined);
    await settle();
    expect(text(next)).toBe('');
  });

  test('are still rendered for scrapes that share them', async () => {
    const [, , gone, stays] = ['a', 'b', 'c', 'c'].map((key) => ask(key));
    gone?.abort();
    sources[2]?.give('for one');
    await settle();
    sources[2]?.give(undefined);
    await settle();
    expect(text(stays)).toBe('for one');
  });

  test('are not joined by later scrapes with the same key', async () => {
    const [, , gone] = ['a', 'b', 'c'].map((key) => ask(key));
    gone?.abort();
    await settle();
    const again = ask('c');
    sources[2]?.give('given up');
    await settle();
    sources[3]?.give('again');
    await settle();
    sources[3]?.give(undefined);
    await settle();
    expect(text(again)).toBe('again');
  });

  test('that are aborted from the start are not rendered', async () => {
    const gone = AbortSignal.abort();
    const make = (): never => {
      throw new Error('made');
    };
    const run = scrapes.run({ key: 'a', make, whole: true, signal: gone }, () => Promise.resolve());
    await expect(run).rejects.toThrow('aborted');
  });
});

describe('an exposition that fails', () => {
  test('fails for all scrapes that share it, and the next one is rendered', async () => {
    const [, , one, two, next] = ['a', 'b', 'c', 'c', 'd'].map((key) => ask(key));
    sources[2]?.fail();
    await expect(one?.shared).rejects.toThrow('source 2 failed');
    await expect(two?.shared).rejects.toThrow('source 2 failed');
    await settle();
    sources[3]?.give(undefined);
    await settle();
    expect(text(next)).toBe('');
  });

  test('releases its rendering, whether rendering or sending failed', async () => {
    const signal = new AbortController().signal;
    const failing = (): never => {
      throw new Error('cannot be made');
    };
    for (let count = 0; count < 10; count++) {
      for (const whole of [true, false]) {
        const scrape = { key: `${count}`, make: failing, whole, signal };
        await expect(scrapes.run(scrape, () => Promise.resolve())).rejects.toThrow('cannot be made');
        const empty = { ...scrape, make: () => new Source(0).chunks() };
        const unsent = scrapes.run({ ...empty, whole: false }, () => Promise.reject(new Error('cannot be sent')));
        await expect(unsent).rejects.toThrow('cannot be sent');
      }
    }
    const last = ask('last');
    expect(text(last)).toBe('stream');
  });
});
