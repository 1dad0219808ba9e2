/** RFC 3339 with an offset, because the meaning of a time without one would depend on the machine. */
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** An RFC 3339 time in Unix milliseconds; `undefined` for any other text. */
export function parseTime(text: string): number | undefined {
  const time = Date.parse(timePattern.test(text) ? text : '');
  return Number.isNaN(time) ? undefined : time;
}
