/** One or more labels of letters, digits and inner hyphens, as host names have (RFC 1123 section 2.1). */
const domainPattern = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** A domain whose last label is a number would be an IPv4 address (RFC 1123 section 2.1). */
const numericPattern = /(^|\.)[0-9]+$/;
const asciiPattern = /^[A-Za-z0-9.-]+$/;
const localPartPattern = /^[^\s\p{Cc}\p{Bidi_Control}]{1,64}$/u;

/** Whether a text can be an organisation: written like a domain, in lower case, at most 253 characters. */
export function isOrganisation(text: string): boolean {
  return domainPattern.test(text) && !numericPattern.test(text);
}

/**
 * A text as the organisation that it names, in lower case; `undefined` when it names none. Other letters than those of
 * ASCII can have an ASCII one as lower case (U+212A, the Kelvin sign, has k), so they are refused before.
 */
export function canonicalOrganisation(text: string): string | undefined {
  const organisation = asciiPattern.test(text) ? text.toLowerCase() : '';
  return isOrganisation(organisation) ? organisation : undefined;
}

/**
 * The organisation of an e-mail address: its domain in lower case. `undefined`, which means anonymous, unless there is
 * exactly one `@`, with something before it and a domain after it. A domain that is not ASCII is none: it could be
 * written in several ways, and each would be counted apart.
 */
export function organisationOf(email: string): string | undefined {
  const [localPart, domain, ...more] = email.split('@');
  if (localPart === undefined || domain === undefined || more.length > 0) return undefined;
  return localPartPattern.test(localPart) ? canonicalOrganisation(domain) : undefined;
}
