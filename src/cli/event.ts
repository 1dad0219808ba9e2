import { Command, Option } from 'commander';
import { limits, TonnageError } from '../base/index.ts';
import { note, UsageError, type Terminal } from './contract.ts';
import { adviceOn, eventOfFlags, givenFlag, type EventFlags } from './event-flags.ts';
import { openEventInput } from './event-input.ts';
import { readBatches } from './event-lines.ts';
import { createEventSender, nothingSent, sum, type SendEvents, type SendOutcome } from './event-sender.ts';
import { authorizationOf, baseOf } from './remote-usage.ts';
import { counted, groupThousands } from './usage-table.ts';
import { createProgress } from './wave-progress.ts';

interface EventSendOptions extends EventFlags {
  readonly url: string;
  readonly user?: string;
}

const help = `
FILE contains one CloudEvent a line, as uncompressed JSON; - is standard input. The command sends batches of ${limits.eventSendBatchMax}. The server
acknowledges a batch when it is committed. If the server is busy or down, the command retries for ${limits.eventSendRetryMsMax / 60_000} minutes. If the command
is interrupted, run it again: the server recognises events by source and id and counts none twice.
Credentials: TONNAGE_TOKEN (or TONNAGE_TOKEN_FILE), or --user with the password in TONNAGE_PASSWORD.
The exit code is 1 if the server refused an event. The command names the lines of the first ${limits.eventRefusalsNamedMax} refused events.

Examples:
  $ tonnage event send builds.jsonl
  $ zcat builds.jsonl.gz | TONNAGE_PASSWORD=... tonnage event send - --url https://pull.example.org --user ci
  $ tonnage event send --type tonnage.build --org example.org --arch amd64 --id build-4711
  $ tonnage event send --type tonnage.mirror --org example.org --id m-1 --member repository=team/app
  $ tonnage event send --type org.example.build.done --org example.org --id b-1 --member seconds:=93`;

/** `tonnage event send`. */
export function eventCommand(terminal: Terminal): Command {
  const event = new Command('event').description('Send events of other systems');
  event
    .command('send')
    .description('Send events from a file of JSON lines, or one event from options')
    .argument('[file]', 'file of JSON lines; - for standard input')
    .addOption(new Option('--url <url>', 'the server').default('http://127.0.0.1:8080'))
    .option('--user <name>', 'log in as this user')
    .option('--type <type>', 'send one event of this type')
    .option('--id <id>', 'its id; an event with the same source and id is the same event')
    .option('--source <source>', 'its source (default: /cli)')
    .option('--time <time>', 'its time, in RFC 3339 format (default: now)')
    .option('--org <name>', 'its organisation')
    .option('--arch <name>', 'its architecture')
    .option('--quantity <number>', 'its member quantity; if your own meter reads another member, use --member')
    .option('--member <name=value>', 'another member of its data; name:=value for JSON', collect)
    .addHelpText('after', help)
    .action((file: string | undefined, options: EventSendOptions) => send(file, options, terminal));
  return event;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

async function send(file: string | undefined, options: EventSendOptions, terminal: Terminal): Promise<void> {
  const { url, user, ...flags } = options;
  const given = givenFlag(flags);
  if (file !== undefined && given !== undefined) throw new UsageError(`${given}: expected no FILE with it`);
  const { environment, clock, random } = terminal;
  const authorization = authorizationOf({ url, environment, ...(user !== undefined && { user }) });
  const sender = createEventSender({
    base: baseOf(url),
    ...(authorization !== undefined && { authorization }),
    clock,
    random,
    onPause: (reason, waitMs) => {
      note(terminal, `${reason}; retrying in ${(waitMs / 1_000).toFixed(1)} s`);
    },
  });
  if (file === undefined) await sendOne(flags, sender, terminal);
  else await sendFile(file, sender, terminal);
}

async function sendOne(flags: EventFlags, sender: SendEvents, terminal: Terminal): Promise<void> {
  const { refusals, ...counts } = await sender([{ number: 1, text: eventOfFlags(flags) }]);
  const [refusal] = refusals;
  if (refusal !== undefined) {
    const { reason } = refusal;
    throw new TonnageError('bad_request', `the event was refused: ${reason}${adviceOn(reason, flags)}`);
  }
  terminal.out(`${summaryOf({ outcome: { refusals, ...counts }, refused: 0 })}\n`);
}

/** The results of a file so far. */
interface Tally {
  readonly outcome: SendOutcome;
  readonly refused: number;
}

async function sendFile(file: string, sender: SendEvents, terminal: Terminal): Promise<void> {
  const { name, chunks, bytes } = await openEventInput(file, terminal);
  let tally: Tally = { outcome: nothingSent, refused: 0 };
  const progress = createProgress({
    ...terminal,
    what: () => `bytes, ${counted(eventsOf(tally.outcome), 'event')}`,
  });
  try {
    for await (const { lines, refusals: invalid, bytesRead } of readBatches(chunks)) {
      const { refusals: refused, ...sent } = await sender(lines);
      const refusals = [...invalid, ...refused].toSorted((one, other) => one.number - other.number);
      const named = refusals.slice(0, Math.max(0, limits.eventRefusalsNamedMax - tally.refused));
      if (named.length > 0) progress.end();
      for (const { number, reason } of named) terminal.say(`${name}:${number}: ${reason}\n`);
      tally = {
        outcome: sum(tally.outcome, { ...sent, refusals: [] }),
        refused: tally.refused + refusals.length,
      };
      if (bytes !== undefined) progress.update(bytesRead, bytes);
    }
  } catch (thrown) {
    progress.end();
    note(terminal, `${summaryOf(tally)}; run the command again for the rest: no event counts twice`);
    throw thrown;
  }
  progress.end();
  terminal.out(`${summaryOf(tally)}\n`);
  if (tally.refused > 0) {
    const unnamed = tally.refused - limits.eventRefusalsNamedMax;
    const more = unnamed > 0 ? `, ${groupThousands(BigInt(unnamed))} more than listed above` : '';
    throw new TonnageError('bad_request', `${counted(tally.refused, 'event')} refused${more}`);
  }
}

function eventsOf({ accepted, duplicate, voided }: SendOutcome): number {
  return accepted + duplicate + voided;
}

/** The sum of all counts, followed by those that are not zero. */
function summaryOf({ outcome, refused }: Tally): string {
  const { accepted, duplicate, voided } = outcome;
  const counts = Object.entries({ accepted, duplicate, voided, refused }).filter(([, count]) => count > 0);
  const parts = counts.map(([what, count]) => `${groupThousands(BigInt(count))} ${what}`);
  const all = counted(eventsOf(outcome) + refused, 'event');
  return parts.length === 0 ? all : `${all}: ${parts.join(', ')}`;
}
