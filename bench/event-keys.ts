/**
 * Keys of events: SHA-256 of node:crypto under a secret prefix against an unrolled SipHash-2-4-128, both up to the four 32-bit
 * words of a key. Ids of 12, 36 (a UUID) and 80 characters. Candidates in turn, medians.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { EventKeys } from '../src/ledger/event-key.ts';
import { caseLine } from './support/cases.ts';
import { sipHash128 } from './support/sip-hash.ts';
import { describe, inTurns, perSecond } from './support/turns.ts';

const count = 50_000;
const rounds = 31;
const source = 'https://ci.example.org/builds';
const out = new Uint32Array(4 * count);

const keys = new EventKeys({ version: 2, secret: randomBytes(32) });
const sipKey = Uint32Array.from({ length: 4 }, () => randomBytes(4).readUInt32LE());
/** The peer finds its key by tenant and source too. */
const sipKeys = new Map([[`\n${source}`, sipKey]]);

function siphash(id: string, offset: number): void {
  const key = sipKeys.get(`\n${source}`) ?? sipKey;
  if (!sipHash128(key, id, 1, out, offset)) throw new Error('an id has a character above U+00FF');
}

for (const length of [12, 36, 80]) {
  // Flat strings, as a parser of JSON makes them.
  const id = (): string => Buffer.from(`${randomUUID()}-${randomUUID()}-build!`).toString('latin1', 0, length);
  const ids = (): string[] => Array.from({ length: count }, id);
  const candidate = (name: string, write: (id: string, offset: number) => void) =>
    perSecond(name, count, () => {
      const all = ids();
      return () => {
        for (const [index, id] of all.entries()) write(id, 4 * index);
      };
    });
  const [ours, peer] = await inTurns(
    [
      candidate(`tonnage, ids of ${length} characters`, (id, offset) => keys.write({ source, id }, out, offset)),
      candidate(`SipHash, ids of ${length} characters`, siphash),
    ],
    rounds,
  );
  if (!ours || !peer) throw new Error('a candidate was not measured');
  for (const one of [ours, peer]) console.log(`  ${describe(one, 'keys/s')}`);
  console.log(
    caseLine({
      bench: 'event-keys',
      case: `ids of ${length} characters vs SipHash`,
      ours: ours.median,
      peer: peer.median,
      unit: 'keys/s',
      better: 'higher',
    }),
  );
}
