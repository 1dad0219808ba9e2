export { CollectorSet } from './collector-set.ts';
