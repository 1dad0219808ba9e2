/** One or more labels of letters, digits and inner hyphens, as host names have (RFC 1123 section 2.1). */
const domainPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** A domain whose last label is a number would be an IPv4 address. */
const numericPattern = /(?:^|\.)[0-9]+$/;
const asciiPattern = /^[A-Za-z0-9.-]{1,253}$/;
const localPartPattern = /^[^\s\p{Cc}\p{Bidi_Control}]{1,64}$/u;

/**
 * The organisation in lower case, `undefined` when the text cannot be one: written like a domain, at most 253
 * characters. The same grammar as logins have, so that an organisation has one name wherever it comes from.
 */
export function canonicalOrganisation(text: string): string | undefined {
  // Other letters can have an ASCII one as lower case (U+212A, the Kelvin sign, has k): these are no domains.
  if (!asciiPattern.test(text)) return undefined;
  const organisation = text.toLowerCase();
  return domainPattern.test(organisation) && !numericPattern.test(organisation) ? organisation : undefined;
}

/** The organisation of an e-mail address: its domain. `undefined` unless there is one `@`, between a name and a domain. */
export function organisationOfEmail(email: string): string | undefined {
  const at = email.indexOf('@');
  if (at < 0 || email.includes('@', at + 1) || !localPartPattern.test(email.slice(0, at))) return undefined;
  return canonicalOrganisation(email.slice(at + 1));
}
