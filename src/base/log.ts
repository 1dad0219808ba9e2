/** One line of the log: fields first, then a fixed sentence, so that lines can be searched by either. No secrets. */
type LogLine = (fields: object, message: string) => void;

/** Where folders below `http/` write what happened. pino's logger is one; a test may collect the lines instead. */
export interface Log {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
}
