import { describe, expect, test } from 'vitest';
import { errorTable } from '../base/index.ts';
import { ConfigError, formatPath, quote } from './problems.ts';
import { problemsOf, readText } from './testing/read-text.ts';

const hash = `sha256:${'0a'.repeat(32)}`;

describe('one line for each problem: place, key, what was expected, what came', () => {
  test.each([
    // Keys.
    ['listn: 1', 'c.yaml:1:1: listn: unknown key; did you mean listen?'],
    ['gateway:\n  anonimous: true', 'c.yaml:2:3: gateway.anonimous: unknown key; did you mean anonymous?'],
    ['anonymous: true', 'c.yaml:1:1: anonymous: unknown key here; did you mean gateway.anonymous?'],
    ['driver: redis', 'c.yaml:1:1: driver: unknown key here; did you mean store.driver?'],
    ['rights: []', 'c.yaml:1:1: rights: unknown key; the keys here are listen, metrics, data'],
    ['log: { url: x }', 'c.yaml:1:8: log.url: unknown key; the keys here are level, access'],
    ['log: { colour: 1 }', 'c.yaml:1:8: log.colour: unknown key; the keys here are level, access'],
    ['"a b": 1', 'c.yaml:1:1: ["a b"]: unknown key; the keys here are listen, metrics, data'],
    [
      'users: { a: { passwordHash:hunter2 } }',
      'users.a["passwordHash:..."]: unknown key; is a space missing after its colon?',
    ],
    ['users: { a:hunter2 }', 'users["a:..."]: expected a user name'],
    // Kinds.
    ['gateway: 5', 'c.yaml:1:10: gateway: expected a map of settings, but came a number'],
    ['gateway:', 'c.yaml:1:9: gateway: expected a map of settings, but came nothing'],
    ['gateway: hunter2', 'c.yaml:1:10: gateway: expected a map of settings, but came a string'],
    ['upstreams: [a]', 'c.yaml:1:12: upstreams: expected a map of settings, but came a list'],
    ['log: { access: yes }', 'c.yaml:1:16: log.access: expected true or false, but came "yes"'],
    ['log: { level: 5 }', 'log.level: expected "debug", "info", "warn" or "error", but came 5'],
    ['log: { level: wran }', 'expected "debug", "info", "warn" or "error", but came "wran"; did you mean "warn"?'],
    ['store: { driver: radis }', 'expected "sqlite" or "redis", but came "radis"; did you mean "redis"?'],
    ['data: 5', 'c.yaml:1:7: data: expected the name of a directory, but came 5'],
    ['data: ""', 'data: expected the name of a directory, but came ""'],
    ['usage: { dimensions: org }', 'usage.dimensions: expected a list, but came a string'],
    ['usage: { dimensions: [] }', 'usage.dimensions: expected at least one dimension, but came an empty list'],
    ['usage: { dimensions: [org, tga] }', 'c.yaml:1:28: usage.dimensions[1]: expected "org", "arch", "upstream"'],
    [
      'usage: { plain: [client, user], dimensions: [org, client] }',
      'c.yaml:1:26: usage.plain[1]: expected one of usage.dimensions (org, client), but came "user"',
    ],
    ['usage: { quantityMax: 5 }', 'c.yaml:1:23: usage.quantityMax: expected a map of settings, but came a number'],
    ['usage: { quantityMax: { "1": 0 } }', 'usage.quantityMax.1: expected a whole number from 1 to 9007199254740991'],
    ['usage: { quantityMax: { By: 5 } }', 'usage.quantityMax.By: expected a size such as "512KiB", "64MiB" or "50GiB"'],
    ['usage: { quantityMax: { s: 5ms } }', 'usage.quantityMax.s: expected a duration'],
    [
      'usage: { quantityMax: { by: 5 } }',
      'c.yaml:1:25: usage.quantityMax.by: expected the unit of a meter (1, By, s), but came "by"',
    ],
    ['usage: { plain: [org] }', 'usage.plain[0]: expected "user" or "client", but came "org"'],
    // Values.
    [
      'listen: 70000',
      'c.yaml:1:9: listen: expected HOST:PORT, [IPV6]:PORT, :PORT or PORT (from 0 to 65535), but came 70000',
    ],
    [
      'upstreams: { lab: { url: "http://lab", redirects: ["http://h"] } }',
      'c.yaml:1:52: upstreams.lab.redirects[0]: expected a host, optionally with a port',
    ],
    ['upstreams: { lab: { url: "http://lab", redirects: ["h:0"] } }', 'such as "storage.internal" or "10.1.2.3:9000"'],
    ['upstreams: { lab: { url: "http://lab", redirects: ["1.2.3"] } }', 'but came "1.2.3"'],
    ['upstreams: { lab: { url: "http://lab", proxy: "socks5://h" } }', 'lab.proxy: expected false or a URL such as'],
    ['upstreams: { lab: { url: "http://lab", proxy: "http://h/path" } }', 'lab.proxy: expected false or a URL such as'],
    ['upstreams: { lab: { url: "http://lab", proxy: true } }', 'lab.proxy: expected false or a URL such as'],
    [
      'upstreams: { lab: { url: "https://lab", auth: { basic: { username: u, password: p }, realm: "http://h" } } }',
      'c.yaml:1:93: upstreams.lab.auth.realm: expected an https URL, because that of the upstream is https, but came "http://h"',
    ],
    ['listen: true', 'listen: expected HOST:PORT, [IPV6]:PORT, :PORT or PORT (from 0 to 65535), but came true'],
    ['listen: { port: 1 }', 'listen: expected HOST:PORT, [IPV6]:PORT, :PORT or PORT (from 0 to 65535), but came a map'],
    [
      'metrics: true',
      'metrics.listen: expected false, HOST:PORT, [IPV6]:PORT, :PORT or PORT (from 0 to 65535), but came true',
    ],
    ['metrics: { listen: x }', 'c.yaml:1:20: metrics.listen: expected false, HOST:PORT'],
    ['metrics: { orgs: true }', 'c.yaml:1:1: metrics: expected listen, an address or false, but it is missing'],
    ['metrics: { listen: 1, compat: other }', 'c.yaml:1:31: metrics.compat: expected'],
    [
      'metrics: 8080',
      'c.yaml:1:10: metrics.listen: expected another port than that of the main listener (listen), but',
    ],
    ['metrics: [1]', 'metrics: expected a map of settings, but came a list'],
    ['timeZone: Mars', 'expected an IANA time zone such as "UTC" or "Europe/Berlin", but came "Mars"'],
    ['shutdownTimeout: 30', 'shutdownTimeout: expected a duration such as "500ms", "30s", "5m", "12h" or "35d"'],
    ['shutdownTimeout: 2h', 'at most 1h, but came "2h"'],
    ['gateway: { fusionEntrypoint: true }', 'expected false or an entrypoint such as "/usr/bin/fusion", but came true'],
    ['gateway: { fusionEntrypoint: "" }', 'expected false or an entrypoint such as "/usr/bin/fusion", but came ""'],
    // Upstreams.
    ['upstreams: { wt: {} }', 'c.yaml:1:14: upstreams.wt: expected the name of an upstream'],
    ['upstreams: { Docker.io: {} }', 'upstreams["Docker.io"]: expected the name of an upstream'],
    ['upstreams: { lab: {} }', 'upstreams.lab: expected a url, because this name is not a host, but it is missing'],
    ['upstreams: { lab: { url: lab } }', 'upstreams.lab.url: expected a URL such as "https://HOST"'],
    ['upstreams: { a.b: { url: "https://u:hunter2@a.b" } }', 'without user and query, but came "***@a.b"'],
    [
      'upstreams: { a.b: { aliases: [c, c] } }',
      'upstreams["a.b"].aliases[1]: expected a name that no other upstream has',
    ],
    ['upstreams: { a.b: {}, c.d: { aliases: [a.b] } }', 'but "a.b" also names "a.b"'],
    ['upstreams: { a.b: { auth: x } }', 'upstreams["a.b"].auth: expected a map of settings, but came a string'],
    [
      'upstreams: { a.b: { auth: { basic: { username: u } } } }',
      'expected password or passwordFile, but both are missing',
    ],
    [
      'upstreams: { a.b: { auth: {} } }',
      'c.yaml:1:21: upstreams["a.b"].auth.basic: expected a map of settings, but it is missing',
    ],
    ['gateway: { defaultUpstream: ghrc.io }', 'expected one of upstreams, but came "ghrc.io"; did you mean "ghcr.io"?'],
    [
      'upstreams: {}\ngateway: { defaultUpstream: docker.io }',
      'c.yaml:2:29: gateway.defaultUpstream: expected one of upstreams',
    ],
    // Meters.
    [
      'usage: { meters: { pulls: { eventType: e } } }',
      'c.yaml:1:20: usage.meters.pulls: expected the name of a meter of your own, such as "build_seconds"',
    ],
    ['usage: { meters: { Builds: { eventType: e } } }', 'a letter first; not "pulls", "fusion"'],
    ['usage: { meters: { m: {} } }', 'usage.meters.m.eventType: expected an event type of your own'],
    [
      'usage: { meters: { m: { eventType: tonnage.build } } }',
      'not beginning with "tonnage."), but came "tonnage.build"',
    ],
    [
      'usage: { meters: { m: { eventType: "a b" } } }',
      'without spaces; not beginning with "tonnage."), but came "a b"',
    ],
    [
      'usage: { meters: { m: { eventType: e }, n: { eventType: e } } }',
      'c.yaml:1:57: usage.meters.n.eventType: expected an event type that no other meter has, but "e" is also that of "m"',
    ],
    [
      'usage: { meters: { m: { eventType: e, quantity: org } } }',
      'usage.meters.m.quantity: expected the name of a member such as "seconds"',
    ],
    [
      'usage: { meters: { m: { eventType: e, unit: "" } } }',
      'expected a unit as UCUM writes it, such as "1", "s" or "By"',
    ],
    ['usage: { meters: { m: { eventType: e, colour: red } } }', 'usage.meters.m.colour: unknown key'],
    // Users.
    [
      'gateway: { anonymous: false }',
      'gateway.anonymous: expected users or a key under identity, because otherwise no client could pull',
    ],
    [
      'users: { "a:b": {} }',
      'users["a:..."]: expected a user name (1 to 128 characters, no colon, no white space), but came "a:..."',
    ],
    ['users: { a: {} }', 'c.yaml:1:10: users.a: expected passwordHash or passwordHashFile, but both are missing'],
    ['users: { a: { passwordHash: hunter2 } }', 'but came something else (not shown, since it is a secret)'],
    [`users: { a: { passwordHash: "${hash}", email: a } }`, 'users.a.email: expected an e-mail address such as'],
    [`users: { a: { passwordHash: "${hash}", org: "a b" } }`, 'users.a.org: expected an organisation'],
    [
      `users: { a: { passwordHash: "${hash}", rights: [] } }`,
      'users.a.rights: expected at least one right, but came an empty list',
    ],
    [`users: { a: { passwordHash: "${hash}", rights: [pul] } }`, 'but came "pul"; did you mean "pull"?'],
    // References.
    ['data: "${NOPE}"', 'c.yaml:1:7: data: the environment variable NOPE is not set'],
    ['data: "${}"', 'data: expected a variable as in ${NAME}; write $${ for a plain ${'],
    ['data: "${a"', 'data: expected a variable as in ${NAME}; write $${ for a plain ${'],
    [
      'users: { a: { passwordHashFile: nope } }',
      'users.a.passwordHashFile: "nope" cannot be read: there is no such file or directory',
    ],
    [
      'users: { a: { passwordHashFile: 5 } }',
      'users.a.passwordHashFile: expected the name of a file, but came a number',
    ],
    [
      `users: { a: { passwordHash: "${hash}", passwordHashFile: f } }`,
      'expected passwordHash or passwordHashFile, but came both',
    ],
  ])('%s', (text, expected) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
    expect(problems[0]).not.toContain('\n');
    expect(problems[0]).not.toContain('hunter2');
  });
});

describe('errors do not show the value of a reference', () => {
  test.each([
    ['listen: "${S}"', 'but came "${S}"'],
    ['log: { level: "${S}" }', 'but came "${S}"'],
    ['gateway: { defaultUpstream: "${S}" }', 'expected one of upstreams, but came "${S}"'],
    ['upstreams: { a.b: { aliases: ["${S}"] }, hunter2: { url: "http://h" } }', 'but "${S}" also names "hunter2"'],
    ['users: { a: { passwordHashFile: "${S}" } }', 'users.a.passwordHashFile: "${S}" cannot be read'],
  ])('%s', (text, expected) => {
    const [problem, ...more] = problemsOf(text, { environment: { S: 'hunter2' } });
    expect(problem).toContain(expected);
    expect(problem?.replace('names "hunter2"', '')).not.toContain('hunter2');
    expect(more).toEqual([]);
  });
});

describe('variables and flags', () => {
  test.each([
    [
      { TONNAGE_LISTEN: 'x' },
      'TONNAGE_LISTEN: listen: expected HOST:PORT, [IPV6]:PORT, :PORT or PORT (from 0 to 65535), but came "x"',
    ],
    [
      { TONNAGE_LISTEN: '' },
      'TONNAGE_LISTEN: listen: expected HOST:PORT, [IPV6]:PORT, :PORT or PORT (from 0 to 65535), but came ""',
    ],
    [{ TONNAGE_LISTN: '1' }, 'TONNAGE_LISTN: unknown variable; did you mean TONNAGE_LISTEN?'],
    [{ TONNAGE_DTA: '1' }, 'TONNAGE_DTA: unknown variable; did you mean TONNAGE_DATA?'],
    [{ TONNAGE_PORT: '1' }, 'TONNAGE_PORT: unknown variable; no key has this name'],
    [{ TONNAGE_ANYTHING_AT_ALL: '1' }, 'TONNAGE_ANYTHING_AT_ALL: unknown variable; no key has this name'],
    [
      { TONNAGE_USAGE_DIMENSIONS: 'org' },
      'variables set single values only, so set usage.dimensions in a configuration file',
    ],
    [{ TONNAGE_USERS_A_ORG: 'x' }, 'variables set single values only, so set users in a configuration file'],
    [{ TONNAGE_GATEWAY: 'x' }, 'variables set single values only, so set gateway in a configuration file'],
  ])('%j', (environment, expected) => {
    expect(problemsOf(undefined, { environment })).toEqual([expect.stringContaining(expected)]);
  });

  test('the port of the command line may not be that of the metrics', () => {
    const flags = { port: 2112 };
    expect(problemsOf('metrics: 127.0.0.1:2112', { flags })).toEqual([
      expect.stringMatching(/^c\.yaml:1:10: metrics\.listen: expected another port .*, but came "127\.0\.0\.1:2112"$/),
    ]);
    expect(problemsOf('metrics: 127.0.0.1:8080', { flags })).toEqual([]);
  });

  test('an error names a flag as the user typed it', () => {
    expect(problemsOf(undefined, { flags: { metrics: 'x' } })).toEqual([
      expect.stringMatching(/^--metrics: metrics\.listen: /),
    ]);
  });
});

describe('all problems are reported at once', () => {
  test('in the order of the file, then variables', () => {
    const text =
      'listn: 1\ntimeZone: Mars\nusers:\n  a: { rights: [x], passwordHashFile: nope }\nupstreams: { lab: {} }\n';
    const lines = problemsOf(text, { environment: { TONNAGE_DATA: '' } });
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      'c.yaml:1:1:',
      'c.yaml:2:11:',
      'c.yaml:4:17:',
      'c.yaml:4:39:',
      'c.yaml:5:14:',
      'TONNAGE_DATA:',
    ]);
  });

  test('problems between keys are reported together with those of single keys', () => {
    const lines = problemsOf('timeZone: Mars\ngateway: { defaultUpstream: nope, anonymous: false }');
    expect(lines).toHaveLength(3);
  });

  test('a problem that follows from another one is not reported', () => {
    const upstreams = 'upstreams: { lab: { url: nope } }\ngateway: { defaultUpstream: lab }';
    expect(problemsOf(upstreams)).toEqual([expect.stringContaining('upstreams.lab.url')]);
    const users = 'users: { a: { passwordHash: nope } }\ngateway: { anonymous: false }';
    expect(problemsOf(users)).toEqual([expect.stringContaining('users.a.passwordHash')]);
  });

  test('a value of the file is checked even if a variable overrides it', () => {
    expect(problemsOf('listen: x', { environment: { TONNAGE_LISTEN: '1' } })).toEqual([
      expect.stringMatching(/^c\.yaml:1:9: /),
    ]);
  });
});

test('the error is an operating error with one line for each problem', () => {
  expect(() => readText('a: 1\nb: 2')).toThrow(ConfigError);
  expect(() => readText('a: 1\nb: 2')).toThrow(/^c\.yaml:1:1: a: .*\nc\.yaml:2:1: b: .*$/);
  expect(errorTable).toHaveProperty(new ConfigError([]).code);
});

test.each([
  [['gateway', 'anonymous'], 'gateway.anonymous'],
  [['upstreams', 'docker.io', 'aliases', 0], 'upstreams["docker.io"].aliases[0]'],
  [['a\nb'], '["a\\nb"]'],
  [[], ''],
])('%j is written as %s', (path, text) => {
  expect(formatPath(path)).toBe(text);
});

test.each([
  ['plain', '"plain"'],
  ['two\nlines', '"two\\nlines"'],
  ['https://u:p@host/', '"***@host/"'],
  ['//u@host', '"***@host"'],
  ['u:p@host', '"***@host"'],
  ['https://u:a/b@c@host', '"***@host"'],
  ['a@b', '"a@b"'],
  ['x'.repeat(100), `"${'x'.repeat(77)}..."`],
])('%j is shown as %s', (text, shown) => {
  expect(quote(text)).toBe(shown);
});
