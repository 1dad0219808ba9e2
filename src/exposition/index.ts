export { encode, paced } from './encode.ts';
export type { EscapingScheme } from './escape-name.ts';
export { formatOf, openMetrics, prometheusText, type Format } from './format.ts';
export { negotiate } from './negotiate.ts';
export type { ParsedFamily } from './parse/family-of.ts';
export { ParseError } from './parse/parse-error.ts';
export { parse } from './parse/parse.ts';
