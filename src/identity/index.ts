export { rights, type Principal, type Right } from './principal.ts';
