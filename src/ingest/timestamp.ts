const dayMs = 86_400_000;
const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The longest accepted timestamp, which leaves room for a long fraction. */
const lengthMax = 64;

/**
 * Parses an RFC 3339 timestamp to milliseconds since the Unix epoch; `undefined` if invalid. `T` and `Z` may be in
 * lower case. Truncates to milliseconds. A leap second (section 5.7: the last one of a UTC month) stays on its day.
 * Hand-written because it runs for every event.
 */
export function parseTimestamp(text: string): number | undefined {
  if (text.length < 20 || text.length > lengthMax) return undefined;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  const separator = text[10];
  if (text[4] !== '-' || text[7] !== '-' || (separator !== 'T' && separator !== 't')) return undefined;
  if (text[13] !== ':' || text[16] !== ':') return undefined;
  if (!isDate(year, month, day)) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return undefined;
  const fraction = readFraction(text, 19);
  const offset = fraction === undefined ? undefined : readOffset(text, fraction.end);
  if (fraction === undefined || offset === undefined) return undefined;
  const start = daysSinceEpoch(year, month, day) * dayMs + ((hour * 60 + minute - offset) * 60 + second) * 1_000;
  if (second < 60) return start + fraction.ms;
  return isMonthStart(start) ? start - 1_000 + fraction.ms : undefined;
}

/** The number in `count` digits from index `at`; NaN if there are other characters. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function isDate(year: number, month: number, day: number): boolean {
  if (Number.isNaN(year) || !(month >= 1 && month <= 12) || !(day >= 1)) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= (month === 2 && isLeap ? 29 : (daysOfMonth[month - 1] ?? 0));
}

/** Parses an optional fraction `.ddd...` at index `at`: its milliseconds and its end. */
function readFraction(text: string, at: number): { readonly ms: number; readonly end: number } | undefined {
  if (text[at] !== '.') return { ms: 0, end: at };
  let ms = 0;
  let scale = 100;
  let end = at + 1;
  for (let digit = text.charCodeAt(end) - 48; digit >= 0 && digit <= 9; digit = text.charCodeAt(end) - 48) {
    ms += digit * scale;
    scale = scale === 1 ? 0 : scale / 10;
    end++;
  }
  return end === at + 1 ? undefined : { ms, end };
}

/** Parses `Z`, `+hh:mm` or `-hh:mm` at the end of the text: the minutes that local time is ahead of UTC. */
function readOffset(text: string, at: number): number | undefined {
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return text.length === at + 1 ? 0 : undefined;
  if ((sign !== '+' && sign !== '-') || text.length !== at + 6 || text[at + 3] !== ':') return undefined;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  if (!(hours <= 23 && minutes <= 59)) return undefined;
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** Days since 1970-01-01 in the Gregorian calendar. Counts years from March, so that a leap day is the last day of its year. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Whether a time is the start of a UTC month. */
function isMonthStart(ms: number): boolean {
  return ms % dayMs === 0 && new Date(ms).getUTCDate() === 1;
}
