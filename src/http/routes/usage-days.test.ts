import { describe, expect, test } from 'vitest';
import { openApiFixture } from '../testing/api-fixture.ts';

/** Days that do not have 24 hours or do not start at midnight: their first moment, and that of the next day. */
const days = [
  ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', '2026-03-28', '2026-03-30'],
  ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', '2026-10-24', '2026-10-26'],
  // At midnight the clock is set to 01:00.
  ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00Z', '2018-11-05T02:00:00Z', '2018-11-03', '2018-11-05'],
  ['Africa/Cairo', '2023-04-28', '2023-04-27T22:00:00Z', '2023-04-28T21:00:00Z', '2023-04-27', '2023-04-29'],
  // At midnight the clock is set back to 23:00.
  ['America/Sao_Paulo', '2018-02-17', '2018-02-17T02:00:00Z', '2018-02-18T03:00:00Z', '2018-02-16', '2018-02-18'],
  // A shift of half an hour, and the day after the skipped one.
  ['Australia/Lord_Howe', '2026-10-04', '2026-10-03T13:30:00Z', '2026-10-04T13:00:00Z', '2026-10-03', '2026-10-05'],
  ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00Z', '2011-12-31T10:00:00Z', '2011-12-29', '2012-01-01'],
] as const;

describe('events count on the day in the time zone of the ledger', () => {
  test.each(days)('%s, %s', async (timeZone, day, start, end, before, after) => {
    const moments = [Date.parse(start) - 1, Date.parse(start), Date.parse(end) - 1, Date.parse(end)];
    let now = Date.parse(end) + 3_600_000;
    const fixture = await openApiFixture({ timeZone, now: () => now });
    const sent = await fixture.app.inject({
      method: 'POST',
      url: '/api/v1/events',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      payload: JSON.stringify(moments.map((time, index) => build(time, index))),
    });
    expect(sent.json()).toMatchObject({ accepted: 4 });
    for (const time of moments) {
      now = time;
      await fixture.ledger.record([{ meter: 'pulls', dimensions: {}, quantity: 1n }]);
    }
    const ask = async (query: string): Promise<unknown> =>
      (await fixture.app.inject(`/api/v1/usage/${query}`)).json<unknown>();
    for (const meter of ['builds', 'pulls']) {
      expect(await ask(`${meter}?by=day`)).toMatchObject({
        from: before,
        rows: [
          { from: before, value: 1 },
          { from: day, value: 2 },
          { from: after, value: 1 },
        ],
        total: 4,
      });
      expect(await ask(`${meter}?from=${day}&to=${after}`)).toMatchObject({ total: 2 });
      expect((await fixture.app.inject(`/v1alpha2/metrics/${meter}?date=${day}`)).json()).toMatchObject({ count: 2 });
    }
    await fixture.close();
  });
});

function build(time: number, index: number): object {
  return {
    specversion: '1.0',
    type: 'tonnage.build',
    source: 'https://ci.example.org',
    id: String(index),
    time: new Date(time).toISOString(),
    data: { repository: 'app' },
  };
}
