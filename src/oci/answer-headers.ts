/**
 * Headers of every answer below `/v2`, refusals included. Content and its media types come from upstreams, and browsers
 * would run some of it with the rights of the API's own origin: the policy keeps them from doing so, whatever it is.
 */
export const answerHeaders = {
  'Docker-Distribution-Api-Version': 'registry/2.0',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'X-Content-Type-Options': 'nosniff',
} as const;
