import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { printed, readText } from './testing/read-text.ts';

/** Texts for secrets that cannot occur elsewhere in a configuration. */
const secretText = fc
  .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
  .map((text) => `<${text.replaceAll('$', '')}>`);
const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
const userName = fc.stringMatching(/^[a-z]{1,8}$/);

test('no secret is printed, whether it is in the file, in a variable or in a file of its own', () => {
  const property = fc.property(
    fc.uniqueArray(userName, { maxLength: 3 }),
    hex,
    secretText,
    fc.constantFrom('plain', 'variable', 'file'),
    (names, hashHex, password, way) => {
      const stated = {
        plain: { password },
        variable: { password: '${PASSWORD}' },
        file: { passwordFile: 'password' },
      }[way];
      const text = stringify({
        upstreams: { lab: { url: 'http://lab', auth: { basic: { username: 'u', ...stated } } } },
        users: Object.fromEntries(names.map((name) => [name, { passwordHash: `sha256:${hashHex}` }])),
      });
      const config = readText(text, { environment: { PASSWORD: password }, secrets: { password: `${password}\n` } });
      expect(config.upstreams[0]?.auth?.basic.password.reveal()).toBe(password);
      for (const shown of [printed(config), JSON.stringify(config)]) {
        expect(shown).not.toContain(password);
        expect(shown).not.toContain(hashHex);
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
});

describe('reading what was printed gives the same configuration', () => {
  test.each([
    ['an empty file', ''],
    ['no upstreams', 'upstreams: {}'],
    ['a listener of its own', 'listen: "[::1]:0"\nmetrics: { listen: 2112, orgs: false }'],
    ['metrics of another program', 'metrics: { listen: 2112, compat: ociregistry }'],
    ['many settings', 'timeZone: Europe/Berlin\nusage: { dimensions: [org], durability: relaxed, commitWait: 1500ms }'],
    ['texts with special characters', 'data: "/a b/$${x}: #\'y"\ngateway: { fusionEntrypoint: false }'],
    ['an upstream', 'upstreams: { lab: { url: "http://h:1/base", aliases: [l, "m.n:5"], tagTtl: 0s } }'],
    [
      'where an upstream may lead',
      'upstreams: { lab: { url: "http://h", redirects: [a.b, "[::1]:80"], proxy: false } }',
    ],
    [
      'meters',
      'usage: { meters: { m: { eventType: e }, n: { eventType: f, quantity: bytes, unit: By, description: Sent. } } }',
    ],
    [
      'largest quantities',
      'usage: { meters: { m: { eventType: e, unit: kW.h } }, quantityMax: { "1": 5, By: 1KiB, s: 90s, kW.h: 7 } }',
    ],
    ['an entrypoint like a boolean', 'gateway: { fusionEntrypoint: "true" }'],
  ])('%s', (_title, text) => {
    const config = readText(text);
    expect(readText(printed(config))).toEqual(config);
  });
});
