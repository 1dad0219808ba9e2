export { encode, paced, type EncodeOptions } from './encode.ts';
export type { EscapingScheme } from './escape-name.ts';
export { formatOf, openMetrics, prometheusText, type Format, type Syntax } from './format.ts';
export { negotiate, type NegotiateOptions } from './negotiate.ts';
