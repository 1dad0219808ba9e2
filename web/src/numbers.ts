const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: 'percent' });

/** A count in full, grouped as people of this browser's language do. */
export function formatCount(count: bigint | number): string {
  return whole.format(count);
}

/** A count for the axis of a chart: `1.2M`. */
export function formatShort(count: number): string {
  return short.format(count);
}

/** What part of `total` the count is, from 0 to 1, to a thousandth: enough for a bar, whatever the size of the counts. */
export function share(count: bigint, total: bigint): number {
  if (count === 0n || total === 0n) return 0;
  return Math.max(0.001, Number((count * 1000n) / total) / 1000);
}

/** A share as people read it; what is there is never shown as nothing. */
export function formatShare(part: number): string {
  return part > 0 && part < 0.01 ? `<${percent.format(0.01)}` : percent.format(part);
}
