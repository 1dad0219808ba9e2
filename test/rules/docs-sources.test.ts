import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { commandsText } from '../../scripts/docs/commands.ts';
import { configurationTable } from '../../scripts/docs/configuration.ts';
import { root } from '../../scripts/test/tools.ts';
import { configReader } from '../../src/app.ts';
import { ConfigKeys } from '../../src/config/keys.ts';
import { makeCertificates } from '../support/redis-tls.ts';

const keys = [...new ConfigKeys(configReader.schema).every()].map(([path]) => path);

describe('the table of configuration keys', () => {
  const table = configurationTable();

  it('names each key once for each driver that has it', () => {
    const rows = [...table.matchAll(/^\| `([^`]+)` .*? \| ((?:[a-z-]+: )?)[^|]*\|$/gm)];
    expect([...new Set(rows.map(([, key]) => key))]).toEqual(keys.map((path) => path.join('.')));
    const repeated = rows
      .map(([, key, driver]) => `${driver}${key}`)
      .filter((row, index, all) => all.indexOf(row) < index);
    expect(repeated).toEqual([]);
  });

  it.each([
    ['gateway.anonymous', 'true, false or "challenge"', '`true`'],
    ['identity.oidc', 'a list of maps', '`[]`'],
    [
      'identity.oidc.ITEM.jwksUrl',
      'a URL such as "https://HOST" or "http://HOST:PORT", without user and query',
      'the one in its discovery document',
    ],
    ['gateway.factsWait', 'a duration, at most 1h', '`3s`'],
    ['gateway.defaultUpstream', 'an upstream name', 'docker.io if it is an upstream'],
    ['usage.durability', '"strict" or "relaxed"', '`strict`'],
    ['upstreams.NAME.auth.basic.username', 'a user name', 'required'],
    ['upstreams.NAME.auth.basic.passwordFile', 'the name of a file', ''],
  ])('says of %s that it takes %s, by default %s', (key, takes, otherwise) => {
    expect(table).toContain(`\n| \`${key}\` | ${takes} | ${otherwise} | `);
  });
});

describe('the text of the commands', () => {
  const text = commandsText();

  it('has each command under its own heading, with its options and examples', () => {
    const headings = [...text.matchAll(/^## `(.*)`$/gm)].map(([, name]) => name);
    expect(headings).toEqual(
      expect.arrayContaining(['tonnage', 'tonnage serve', 'tonnage usage', 'tonnage user hash']),
    );
    expect(headings).not.toContain('tonnage user');
    expect(text.split('## `tonnage usage`')[1]).toMatch(/^ {2}--by <names>[^]*^Examples:\n {2}\$ tonnage usage/m);
  });

  it('repeats the options of all commands nowhere', () => {
    expect(text.match(/--data <directory>/g)).toHaveLength(1);
  });

  it('keeps options within the width of a terminal', () => {
    const lines = text.split('\n').filter((line) => /^ {2}(-|\w)/.test(line) && !line.includes('  $ '));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe('examples in the pages', () => {
  const hash = `sha256:${'0a'.repeat(32)}`;
  const dsn = 'postgresql://tonnage:secret@db.example.org/debusine';
  const pair = { cert: '', key: '' };
  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tonnage-examples-'));
    const files = await makeCertificates(directory);
    Object.assign(pair, { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') });
    rmSync(directory, { recursive: true });
  });
  /** The content of a file, by its name; a password may be any text. */
  const secretOf = (path: string): string => {
    if (path.endsWith('.crt')) return pair.cert;
    if (path.endsWith('.key')) return pair.key;
    return path.endsWith('.hash') ? hash : dsn;
  };
  const ourKeys = new Set(keys.map(([first]) => first));
  const pages = [
    'README.md',
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
  ];
  const examples = pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/^( *)```yaml\n([^]*?)^\1```$/gm)].map(
        ([, indent = '', text = '']) => [page, text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')] as const,
      ),
    )
    // Examples for other programs, such as Prometheus, begin with keys of theirs.
    .filter(([, text]) => ourKeys.has(/^\w+(?=:)/m.exec(text)?.[0] ?? ''));

  it('are found', () => {
    expect(new Set(examples.map(([page]) => page)).size).toBeGreaterThan(4);
  });

  it.each(examples)('of %s are valid configurations as written: %j', (page, text) => {
    const config = configReader.read({
      file: { name: page, text, directory: '/' },
      environment: { ALICE_HASH: hash, READER_HASH: hash },
      workingDirectory: '/',
      readSecret: (path) => secretOf(path),
    });
    expect(config.listen.port).toBe(8080);
  });
});
