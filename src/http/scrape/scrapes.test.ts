import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { Scrapes, type Exposition } from './scrapes.ts';

/** An exposition whose making a test goes through step by step. */
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
  /** What was sent; `undefined` until its sending began. */
  exposition: Exposition | undefined;
  /** The reader has taken all. */
  readonly taken: () => void;
  readonly abort: () => void;
}

/** A scrape whose reader takes its answer when the test says so. */
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

/** What a reader was sent: the bytes where they are there as a whole, else `stream`; `undefined` when nothing was. */
const text = (asked: Asked | undefined): string | undefined => {
  const exposition = asked?.exposition;
  return exposition?.kind === 'whole' ? Buffer.concat(exposition.chunks).toString() : exposition?.kind;
};

describe('scrapes that come alone', () => {
  test('each are a stream of their own', async () => {
    for (const id of [0, 1, 2, 3]) {
      const asked = ask('a');
      asked.taken();
      expect([text(asked), await asked.shared, sources.length]).toEqual(['stream', false, id + 1]);
    }
  });

  test('are whole where that is asked for, and know their length', async () => {
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

describe('a crowd', () => {
  test('that asks for the same makes three expositions, one of which is for all who are left', async () => {
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

  test('that asks for different things is answered in turn, one exposition at a time', async () => {
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

  test('never gets what was complete before it asked', async () => {
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

describe('readers that do not read', () => {
  test('hold up nobody who comes later', async () => {
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

  test('hold at most so many bodies; the next is made when one has been taken by all', async () => {
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

describe('scrapes that are given up', () => {
  test('while they wait for their turn are never made', async () => {
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

  test('in the middle are not made any further, and leave room', async () => {
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

  test('are made all the same for others who share them', async () => {
    const [, , gone, stays] = ['a', 'b', 'c', 'c'].map((key) => ask(key));
    gone?.abort();
    sources[2]?.give('for one');
    await settle();
    sources[2]?.give(undefined);
    await settle();
    expect(text(stays)).toBe('for one');
  });

  test('who asks for the same as one that is being given up gets one of its own', async () => {
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

  test('before they ask are not made', async () => {
    const gone = AbortSignal.abort();
    const make = (): never => {
      throw new Error('made');
    };
    const run = scrapes.run({ key: 'a', make, whole: true, signal: gone }, () => Promise.resolve());
    await expect(run).rejects.toThrow('aborted');
  });
});

describe('an exposition that fails', () => {
  test('fails for all who share it, and the next one is made', async () => {
    const [, , one, two, next] = ['a', 'b', 'c', 'c', 'd'].map((key) => ask(key));
    sources[2]?.fail();
    await expect(one?.shared).rejects.toThrow('source 2 failed');
    await expect(two?.shared).rejects.toThrow('source 2 failed');
    await settle();
    sources[3]?.give(undefined);
    await settle();
    expect(text(next)).toBe('');
  });

  test('leaves no place taken, whether it was made or sent', async () => {
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
