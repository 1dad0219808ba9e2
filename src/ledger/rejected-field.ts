/**
 * The label for a field of the store of totals. A field in Wave's form keeps its name, with `*` for the organisation,
 * since scrapers may not be allowed to see organisations. Tonnage's own fields contain all dimensions as a JSON array,
 * so they share the label `cell`. A change without a field has the label `none`.
 */
export function rejectedFieldLabel(field: string): string {
  if (field === '') return 'none';
  return field.startsWith('[') ? 'cell' : field.replace(/\/o\/[^/]*/, '/o/*');
}
