const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: 'percent' });

/** A count in full, grouped for the browser's language. */
export function formatCount(count: bigint | number): string {
  return whole.format(count);
}

/** An abbreviated count for the axis of a chart: `1.2M`. */
export function formatShort(count: number): string {
  return short.format(count);
}

/** The share of `total`, from 0 to 1, rounded down to a thousandth but at least 0.001 for a count above 0. */
export function share(count: bigint, total: bigint): number {
  if (count === 0n || total === 0n) return 0;
  return Math.max(0.001, Number((count * 1000n) / total) / 1000);
}

/** A share in percent. A share above 0 is never shown as 0%. */
export function formatShare(part: number): string {
  return part > 0 && part < 0.01 ? `<${percent.format(0.01)}` : percent.format(part);
}
