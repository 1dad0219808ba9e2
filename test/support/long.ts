/**
 * A count that differs between the short run and the long one (`npm run test:long`): kills, generated cases, seconds. A test
 * file that calls this belongs to both runs.
 */
export function scaled(short: number, long: number): number {
  return process.env['TEST_LONG'] === '1' ? long : short;
}
