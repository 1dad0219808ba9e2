/**
 * A field of the store of totals as a label. Fields in Wave's form keep their name, with `*` for the organisation: labels
 * are read by scrapers that may not know organisations. Fields of our own hold every dimension as a JSON array, so all of
 * them share the name `cell`; a change without a field has `none`.
 */
export function rejectedFieldLabel(field: string): string {
  if (field === '') return 'none';
  return field.startsWith('[') ? 'cell' : field.replace(/\/o\/[^/]*/, '/o/*');
}
