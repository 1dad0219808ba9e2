import { fieldOfEveryOrganisation } from '../usage/index.ts';

/**
 * A field of the store of totals as a label. Fields in Wave's form keep their name, with `*` for the organisation unless
 * `orgs` allows it. Fields of our own hold every dimension as a JSON array, so all of them share the name `cell`; a change
 * without a field has `none`.
 */
export function rejectedFieldLabel(field: string, orgs: boolean): string {
  if (field === '') return 'none';
  if (field.startsWith('[')) return 'cell';
  return orgs ? field : fieldOfEveryOrganisation(field);
}
