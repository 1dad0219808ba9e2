import { secretMask } from '../secret.ts';

/** A printed configuration with its masks replaced by the secrets that `stated` has there. */
export function filledIn(printed: unknown, stated: unknown): unknown {
  if (printed === secretMask) return stated;
  if (Array.isArray(printed))
    return printed.map((item, index) => filledIn(item, Array.isArray(stated) ? stated[index] : undefined));
  if (typeof printed !== 'object' || printed === null) return printed;
  const below = new Map(typeof stated === 'object' && stated !== null ? Object.entries(stated) : []);
  return Object.fromEntries(Object.entries(printed).map(([key, value]) => [key, filledIn(value, below.get(key))]));
}
