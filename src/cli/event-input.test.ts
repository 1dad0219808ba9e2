import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { openEventInput } from './event-input.ts';

/** Standard input that comes byte by byte. */
function inBytes(content: string | Buffer): PassThrough {
  const input = new PassThrough();
  for (const byte of Buffer.from(content)) input.write(Buffer.from([byte]));
  input.end();
  return input;
}

test.each(['', '{', '{}\n', '{"id":"4711"}\n{"id":"4712"}\n'])(
  '%j is read whole, however it comes',
  async (content) => {
    const { name, chunks } = await openEventInput('-', { input: inBytes(content), workingDirectory: '/' });
    expect([name, await text(chunks)]).toEqual(['standard input', content]);
  },
);

test('what is compressed is known by its begin, however it comes', async () => {
  const input = inBytes(gzipSync('{}\n'));
  await expect(openEventInput('-', { input, workingDirectory: '/' })).rejects.toMatchObject({
    code: 'source_failed',
    message:
      'standard input: expected JSON lines, got a file compressed with gzip: decompress it, as in zcat | tonnage event send -',
  });
});
