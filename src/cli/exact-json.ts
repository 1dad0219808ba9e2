declare global {
  interface JSON {
    /** With the source text of each primitive (ECMAScript's JSON.parse source text access), which the compiler does not know yet. */
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/** Reads JSON with its integers as `bigint`, in full also beyond 2^53. Throws a SyntaxError for what is none. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value,
  );
}
