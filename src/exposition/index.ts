export { encode, paced, type EncodeOptions } from './encode.ts';
export type { EscapingScheme } from './escape-name.ts';
export { formatOf, openMetrics, prometheusText, type Format, type Syntax } from './format.ts';
export { negotiate, type NegotiateOptions } from './negotiate.ts';
export type { ParsedFamily } from './parse/family-of.ts';
export { ParseError } from './parse/parse-error.ts';
export { parse, type ParseOptions } from './parse/parse.ts';
