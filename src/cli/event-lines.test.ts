import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { readBatches, type EventBatch } from './event-lines.ts';

async function batchesOf(...chunks: (string | Buffer)[]): Promise<readonly EventBatch[]> {
  const batches: EventBatch[] = [];
  for await (const batch of readBatches(Readable.from(chunks))) batches.push(batch);
  return batches;
}

test('lines are cut wherever chunks end, with any line ending, and a last one without', async () => {
  const [batch] = await batchesOf('\u{FEFF}{"id"', ':"1"}\r\n\n', ' {"id":"2"}\n{"i', 'd":"3"}');
  expect(batch).toEqual({
    lines: [
      { number: 1, text: '{"id":"1"}' },
      { number: 3, text: '{"id":"2"}' },
      { number: 4, text: '{"id":"3"}' },
    ],
    refusals: [],
    bytesRead: 38,
  });
});

test('what is no JSON is refused by its line, and spoils no other', async () => {
  const [batch] = await batchesOf(Buffer.from('{}\n{"a":\n'), Buffer.from([0xff, 0x0a]), '[1]\n');
  expect(batch?.lines.map(({ number }) => number)).toEqual([1, 4]);
  expect(batch?.refusals).toEqual([
    { number: 2, reason: expect.stringMatching(/^expected JSON: /) },
    { number: 3, reason: 'expected JSON in UTF-8, got other bytes' },
  ]);
});

test('a line without end is not kept in memory', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  const [batch] = await batchesOf(chunk, chunk, chunk, '\n{}\n');
  expect(batch).toEqual({
    lines: [{ number: 2, text: '{}' }],
    refusals: [{ number: 1, reason: `expected at most ${limits.eventLineBytesMax} bytes in a line, got more` }],
    bytesRead: 3 * chunk.length + 4,
  });
});

test('a batch has so many events, and so many bytes', async () => {
  const many = await batchesOf('{}\n'.repeat(limits.eventSendBatchMax + 1));
  expect(many.map(({ lines }) => lines.length)).toEqual([limits.eventSendBatchMax, 1]);
  const large = `"${'x'.repeat(900_000)}"\n`;
  const heavy = await batchesOf(large.repeat(5));
  expect(heavy.map(({ lines }) => lines.length)).toEqual([4, 1]);
});

test.each(['', '\n\n'])('a file without events has none: %j', async (text) => {
  const batches = await batchesOf(text);
  expect(batches.flatMap(({ lines, refusals }) => [...lines, ...refusals])).toEqual([]);
});
