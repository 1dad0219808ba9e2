const durationUnits = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
const sizeUnits = { TiB: 2 ** 40, GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10, B: 1 } as const;

/** A duration, as errors and docs describe it. */
export const durationForm = 'a duration such as "500ms", "30s", "5m", "12h" or "35d"';
/** A size, as errors and docs describe it. */
export const sizeForm = 'a size such as "512KiB", "64MiB" or "50GiB"';

/** A whole number directly followed by one of the units; `undefined` if the text is not that, or overflows. */
function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d{1,15})([A-Za-z]+)$/.exec(text);
  const factor = match?.[2] !== undefined && Object.hasOwn(units, match[2]) ? units[match[2]] : undefined;
  if (match === null || factor === undefined) return undefined;
  const quantity = Number(match[1]) * factor;
  return Number.isSafeInteger(quantity) ? quantity : undefined;
}

function formatQuantity(quantity: number, units: Readonly<Record<string, number>>, smallest: string): string {
  if (quantity === 0) return `0${smallest}`;
  const unit = Object.entries(units).find(([, factor]) => quantity % factor === 0);
  return unit === undefined ? `${quantity}${smallest}` : `${quantity / unit[1]}${unit[0]}`;
}

/** `30s`, `5m`, `35d`, `500ms` (units ms, s, m, h, d; whole numbers) in milliseconds; `undefined` if it is not one. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, durationUnits);
}

/** The shortest text that `parseDuration` reads as this many milliseconds (a whole number). */
export function formatDuration(ms: number): string {
  return formatQuantity(ms, durationUnits, 'ms');
}

/** `50GiB` (units B, KiB, MiB, GiB, TiB: powers of 1024, IEC 80000-13) in bytes; `undefined` if it is not one. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, sizeUnits);
}

/** The shortest text that `parseSize` reads as this many bytes (a whole number). */
export function formatSize(bytes: number): string {
  return formatQuantity(bytes, sizeUnits, 'B');
}
