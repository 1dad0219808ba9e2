/** Statuses that upstreams, their token endpoints and the hosts that they redirect to answer in the ordinary run of things. */
const usual: ReadonlySet<number> = new Set([
  200, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 410, 416, 429, 500, 502, 503, 504,
]);

/** A status as a label's value: as it is where it is usual, else its class (`4xx`), so that values are few whatever comes. */
export function statusLabel(status: number): string {
  if (usual.has(status)) return String(status);
  return status >= 100 && status < 600 ? `${Math.floor(status / 100)}xx` : 'other';
}
