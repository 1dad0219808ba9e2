/** Common statuses of upstreams, their token endpoints and redirect targets. */
const usual: ReadonlySet<number> = new Set([
  200, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 410, 416, 429, 500, 502, 503, 504,
]);

/** Formats a status as a label value. Unusual statuses become their class (`4xx`), to limit the number of values. */
export function statusLabel(status: number): string {
  if (usual.has(status)) return String(status);
  return status >= 100 && status < 600 ? `${Math.floor(status / 100)}xx` : 'other';
}
