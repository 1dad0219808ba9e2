import { Command, Option } from 'commander';
import { TonnageError } from '../base/index.ts';
import { durationForm, parseDuration } from '../config/index.ts';
import type { TokenManager, TokenInfo, TokenRequest } from '../identity/index.ts';
import { configFileOf, configurationOf, isDataNamed } from './configuration.ts';
import { note, UsageError, type Terminal } from './contract.ts';
import { once } from './once.ts';
import { isRequestRefused } from './token-answers.ts';
import { remoteTokens, withLocalTokens } from './token-manager.ts';
import { tokensAsTable } from './token-table.ts';
import { parseTime } from './time.ts';
import { unreadHint } from './unread-config.ts';

interface CreateOptions {
  readonly path?: true;
  readonly platform?: true;
  readonly org?: string;
  readonly scope?: readonly string[];
  readonly debusineScope?: string;
  readonly rights?: string;
  readonly expires?: string;
  readonly name?: string;
  readonly email?: string;
}

interface WhereOptions {
  readonly url?: string;
  readonly user?: string;
}

const help = `
Without --url, the commands work on the data directory of this machine: through the running server, or in the file if no
server runs. Credentials for --url need the right admin: TONNAGE_TOKEN (or TONNAGE_TOKEN_FILE), or --user with the password in
TONNAGE_PASSWORD. With --user and without TONNAGE_PASSWORD, the token is the password.`;

const createHelp = `
Prints the token once. The ledger stores only its hash. An API token is a bearer token, or the password of any user name. A
path token is a part of an image's name, and allows pulls only.
You can create tokens before the first start. If --data, --config or TONNAGE_DATA names a directory without a ledger, the
command creates the ledger and says so.

Examples:
  $ tonnage token create --org example.org --expires 90d --name ci
  $ tonnage token create --rights ingest --org example.org > token.txt
  $ tonnage token create --path --org example.org --scope 'docker.io/library/*'
  $ tonnage token create --debusine-scope debian --expires 365d`;

/** `tonnage token create | list | revoke`. */
export function tokenCommand(terminal: Terminal): Command {
  const token = new Command('token').description('Manage tokens, which replace passwords').addHelpText('after', help);
  const create = token
    .command('create')
    .description('Create a token and print it once')
    .option('--path', 'for the path of images: /v2/wt/TOKEN/IMAGE')
    .option('--org <name>', 'its organisation (default: that of --email)')
    .option('--email <address>', 'e-mail address of its owner')
    .option('--platform', 'with --path: for the owner of the Platform access token in TONNAGE_PLATFORM_TOKEN')
    .option('--name <name>', 'its name; also the user of the pulls made with it')
    .option(
      '--rights <names>',
      'separated by commas: pull, query, ingest, admin (default: pull,query; with --path: pull; with --debusine-scope: query)',
    )
    .option('--scope <repositories...>', 'repositories that it may pull: docker.io/library/alpine, ghcr.io/folder/*')
    .option('--debusine-scope <name>', 'only for the pages of Debusine sources, which it reads for this scope')
    .option('--expires <when>', 'expiry: a duration such as 90d, or a time such as 2027-01-01T00:00:00Z')
    .addHelpText('after', createHelp)
    .action(async (_options: object, command: Command) => {
      const request = requestOf(command.opts<CreateOptions>(), terminal);
      await at(command, terminal, 'made', async (tokens) => {
        const made = await asUsage(() => tokens.create(request));
        terminal.out(`${made.token}\n`);
        note(terminal, noteOn(made));
      });
    });
  const list = token
    .command('list')
    .description('Print all tokens, without their secrets')
    .addOption(new Option('--format <format>', 'output format').choices(['table', 'json']).default('table'))
    .action(async ({ format }: { readonly format: 'table' | 'json' }, command: Command) => {
      const tokens = await at(command, terminal, 'there', (manager) => manager.list());
      terminal.out(format === 'json' ? asJson(tokens) : tokensAsTable(tokens, terminal.clock.now()));
    });
  const revoke = token
    .command('revoke <id>')
    .description('Revoke a token at once')
    .action(async (id: string, _options: object, command: Command) => {
      await at(command, terminal, 'there', (tokens) => tokens.revoke(id));
      terminal.out('ok\n');
    });
  for (const each of [create, list, revoke]) {
    each.option('--url <url>', 'use this server').option('--user <name>', 'log in as this user at --url');
    once(each);
  }
  return token;
}

/** Converts the error for an invalid token request, local or from a server, to a `UsageError`. */
async function asUsage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const isRefused =
      thrown instanceof TonnageError && thrown.code === 'bad_request' && isRequestRefused(thrown.message);
    throw isRefused ? new UsageError(thrown.message, { cause: thrown }) : thrown;
  }
}

/** Calls `work` with the tokens of the command line. `ledger`: must exist (`there`), or is created if its directory is stated (`made`). */
async function at<T>(
  command: Command,
  terminal: Terminal,
  ledger: 'there' | 'made',
  work: (tokens: TokenManager) => Promise<T>,
): Promise<T> {
  const { url, user } = command.opts<WhereOptions>();
  if (url !== undefined) {
    const { environment } = terminal;
    return work(remoteTokens({ url, environment, ...(user !== undefined && { user }) }));
  }
  if (user !== undefined) throw new UsageError('--user: expected --url with it; the data directory requires no login');
  const config = await configurationOf(command, terminal);
  const { data } = config;
  const makes = ledger === 'made' && isDataNamed(command, terminal);
  const onCreated = (): void => {
    note(terminal, `created a new ledger in ${data}: the token is valid for a server with this data directory`);
  };
  const absent = (): Promise<TonnageError> => noLedger(command, terminal, { data, ledger });
  // Without a configuration file only the default upstreams are known, so scopes are not checked.
  const isConfigured = configFileOf(command) !== undefined;
  return withLocalTokens({ data, makes, absent, onCreated, ...(isConfigured && { config }) }, work);
}

async function noLedger(
  command: Command,
  terminal: Terminal,
  { data, ledger }: { readonly data: string; readonly ledger: 'there' | 'made' },
): Promise<TonnageError> {
  const make = ledger === 'made' ? `; to create one there, add --data ${data}` : '';
  return new TonnageError(
    'not_found',
    `there is no ledger in ${data}: pass the server's data directory with --data, or its configuration with ` +
      `--config${make}${await unreadHint(command, terminal)}`,
  );
}

function requestOf(options: CreateOptions, { clock, environment }: Terminal): TokenRequest {
  const { path, platform, rights, expires, scope, ...rest } = options;
  const platformToken = platform === true ? environment['TONNAGE_PLATFORM_TOKEN'] : undefined;
  if (platform === true && platformToken === undefined) {
    throw new UsageError(
      '--platform: expected the access token of the Platform in the variable TONNAGE_PLATFORM_TOKEN',
    );
  }
  return {
    kind: path === true ? 'path' : 'api',
    name: rest.name,
    email: rest.email,
    org: rest.org,
    scope: scope?.flatMap((each) => each.split(',')),
    debusineScope: rest.debusineScope,
    rights: rights?.split(','),
    platformToken,
    expiresAt: expires === undefined ? undefined : expiryOf(expires, clock.now()),
  };
}

function expiryOf(text: string, now: number): number {
  const duration = parseDuration(text);
  const time = duration === undefined ? parseTime(text) : now + duration;
  if (time !== undefined && time <= 8.64e15) return time;
  throw new UsageError(`--expires: expected ${durationForm}, or an RFC 3339 time, got ${JSON.stringify(text)}`);
}

function noteOn(token: TokenInfo): string {
  return `token ${token.id}; it is not shown again. ${limitsOf(token)}Use: ${useOf(token)}`;
}

function limitsOf({ scope, debusineScope }: TokenInfo): string {
  if (debusineScope !== undefined)
    return `It opens only the pages of Debusine sources, for the scope ${debusineScope}. `;
  return scope === undefined ? '' : `It may pull ${scope.join(', ')}. `;
}

function useOf({ kind, debusineScope }: TokenInfo): string {
  if (kind === 'path') return 'pull HOST/wt/TOKEN/IMAGE';
  const bearer = 'Authorization: Bearer TOKEN';
  return debusineScope === undefined
    ? `${bearer}, or docker login with it as the password of any user`
    : `${bearer}, or the password of any user`;
}

function asJson(tokens: readonly TokenInfo[]): string {
  const shown = tokens.map((token) => ({
    ...token,
    createdAt: new Date(token.createdAt),
    ...(token.expiresAt !== undefined && { expiresAt: new Date(token.expiresAt) }),
    ...(token.usedAt !== undefined && { usedAt: new Date(token.usedAt) }),
  }));
  return `${JSON.stringify({ tokens: shown }, null, 2)}\n`;
}
