/**
 * Headers of every `/v2` response, errors included. Content and media types come from upstreams. Without this policy, a
 * browser would run some of that content with the rights of the API's own origin.
 */
export const answerHeaders = {
  'Docker-Distribution-Api-Version': 'registry/2.0',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'X-Content-Type-Options': 'nosniff',
} as const;
