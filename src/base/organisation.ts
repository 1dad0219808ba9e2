/** One or more labels of letters, digits and inner hyphens, as host names have (RFC 1123 section 2.1). */
const domainPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** A domain whose last label is a number would be an IPv4 address (RFC 1123 section 2.1). */
const numericPattern = /(?:^|\.)[0-9]+$/;
const asciiPattern = /^[A-Za-z0-9.-]{1,253}$/;
const localPartPattern = /^[^\s\p{Cc}\p{Bidi_Control}]{1,64}$/u;

/**
 * The organisation that a text names, in lower case. `undefined` if it names none: an organisation is written like a
 * domain, with at most 253 ASCII characters. A domain in other letters could be written in several ways, and would be
 * counted under each of them.
 */
export function canonicalOrganisation(text: string): string | undefined {
  // Check before lowering: U+212A, the Kelvin sign, has the ASCII letter k as its lower case.
  if (!asciiPattern.test(text)) return undefined;
  const organisation = text.toLowerCase();
  return domainPattern.test(organisation) && !numericPattern.test(organisation) ? organisation : undefined;
}

/** Whether a text is an organisation as it is counted: in lower case. */
export function isOrganisation(text: string): boolean {
  return canonicalOrganisation(text) === text;
}

/**
 * The organisation of an e-mail address: its domain in lower case. `undefined`, which means anonymous, unless there is
 * exactly one `@`, between a name and an organisation.
 */
export function organisationOfEmail(email: string): string | undefined {
  const at = email.indexOf('@');
  if (at < 0 || !localPartPattern.test(email.slice(0, at))) return undefined;
  return canonicalOrganisation(email.slice(at + 1)); // which takes no second `@`
}
