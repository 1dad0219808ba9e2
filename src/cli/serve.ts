import { Command, InvalidArgumentError, Option } from 'commander';
import { limits } from '../base/index.ts';
import { listenForm, parseHost, parseListen, parsePort } from '../config/index.ts';
import { configFileOf, configurationOf } from './configuration.ts';
import { exitCodes, note, signalEchoMs, type Terminal } from './contract.ts';
import { welcome } from './welcome.ts';

interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly metrics?: string;
  readonly acceptTimeZone?: true;
}

const help = `
Flags override environment variables (TONNAGE_LISTEN, TONNAGE_GATEWAY_ANONYMOUS...), which override the file.
HTTP_PROXY, HTTPS_PROXY and NO_PROXY name egress proxies to upstreams.
On SIGTERM, SIGINT or SIGHUP, the server lets requests finish, saves its counts and exits with 0. It exits with 1 if it could
not save them. A second signal ends it at once.

Examples:
  $ tonnage serve
  $ tonnage serve --config tonnage.yaml
  $ tonnage serve --port 8081 --metrics 127.0.0.1:2112 --data /var/lib/tonnage`;

/** `tonnage serve`. */
export function serveCommand(terminal: Terminal): Command {
  return new Command('serve')
    .description('Run the server until it gets a signal')
    .addOption(new Option('--host <host>', 'host or address of the main listener').argParser(hostOf))
    .addOption(new Option('--port <port>', 'port of the main listener; 0: any free port').argParser(portOf))
    .addOption(
      new Option(
        '--metrics <[host:]port>',
        'listener of /metrics; without host: on all addresses; false: none',
      ).argParser(metricsOf),
    )
    .option('--accept-time-zone', 'continue in the configured time zone, although the ledger has another')
    .addHelpText('after', help)
    .action(async (_options: object, command: Command) => serve(command, terminal));
}

function hostOf(text: string): string {
  const host = parseHost(text);
  if (host === undefined) throw new InvalidArgumentError('Expected a host name or an address.');
  return host;
}

function portOf(text: string): number {
  const port = parsePort(text);
  if (port === undefined) throw new InvalidArgumentError('Expected a number from 0 to 65535.');
  return port;
}

function metricsOf(text: string): string {
  if (text !== 'false' && parseListen(text) === undefined) {
    throw new InvalidArgumentError(`Expected false, ${listenForm}.`);
  }
  return text;
}

async function serve(command: Command, terminal: Terminal): Promise<void> {
  const { host, port, metrics, acceptTimeZone } = command.optsWithGlobals<ServeOptions>();
  let shutdownTimeout: number = limits.shutdownMsMax;
  // Handle signals from here on, so that one during the start is a clean stop too.
  const stopping = stopSignal(terminal, () => shutdownTimeout + limits.stopMsMax);
  const config = await configurationOf(command, terminal, {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(metrics !== undefined && { metrics }),
  });
  shutdownTimeout = config.shutdownTimeout;
  const configFile = configFileOf(command);
  // Loaded lazily, so that other commands start faster.
  const { startServer } = await import('../app.ts');
  const server = await startServer({
    config,
    acceptTimeZone: acceptTimeZone === true,
    version: terminal.version,
    environment: terminal.environment,
  });
  terminal.say(welcome({ config, ...server, ...(configFile !== undefined && { configFile }) }));
  note(terminal, `${await stopping.first}: stopping`);
  try {
    await server.stop();
  } finally {
    stopping.done();
  }
}

interface StopSignal {
  /** Resolves with the first signal. */
  readonly first: Promise<NodeJS.Signals>;
  /** Call after the server has stopped. */
  readonly done: () => void;
}

/**
 * Waits for a signal to stop. A second signal, or a stop that takes longer than `stopMsMax`, ends the process at once,
 * even if counts are not saved: an unresponsive disk or server must not keep the process forever.
 */
function stopSignal({ onSignals, clock, end, say }: Terminal, stopMsMax: () => number): StopSignal {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let firstAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stopListening = onSignals((signal) => {
    if (firstAt === undefined) {
      firstAt = clock.monotonic();
      const stopMs = stopMsMax();
      timer = setTimeout(() => {
        note({ say }, `the stop took longer than ${stopMs} ms; counts that are not saved are lost`);
        end(exitCodes.failed);
      }, stopMs);
      resolve(signal);
    }
    if (clock.monotonic() - firstAt > signalEchoMs) end(exitCodes.failed);
  });
  const done = (): void => {
    stopListening();
    clearTimeout(timer);
  };
  return { first: promise, done };
}
