/**
 * A count that the short run and the long one (`npm run test:long`) have differently: kills, generated cases, seconds of
 * soak. A suite that calls this belongs to both runs.
 */
export function scaled(short: number, long: number): number {
  return process.env['TEST_LONG'] === '1' ? long : short;
}
