import { z } from 'zod';
import { limits } from '../base/index.ts';
import { day, duration, hour, map, text } from './fields.ts';
import type { Findings } from './findings.ts';
import * as names from './names.ts';
import { quote } from './problems.ts';
import { nearest } from './suggest.ts';
import { formatDuration } from './units.ts';
import type { UpstreamConfig } from './upstreams.ts';

const entrypointForm = 'false or an entrypoint such as "/usr/bin/fusion"';
const error = `expected ${entrypointForm}`;

export const gateway = map({
  defaultUpstream: text(names.upstreamNameForm, names.parseUpstreamName)
    .exactOptional()
    .describe('Upstream of images whose name states none. Default: docker.io if it is an upstream.'),
  anonymous: z
    .union([z.boolean(), z.literal('challenge')], { error: 'expected true, false or "challenge"' })
    .prefault(true)
    .meta({
      description:
        'Whether clients may pull without credentials. challenge: the gateway asks each client for credentials, and a client that has none gets an anonymous token.',
      takes: 'true, false or "challenge"',
    }),
  factsWait: duration(hour)
    .prefault(formatDuration(limits.factsWaitMsMax))
    .describe('How long a pull waits until the gateway knows the architecture of the image.'),
  tagMemory: duration(day)
    .prefault(formatDuration(limits.tagMemoryMs))
    .describe(
      'How long a pull by digest gets the tag that the same client resolved before. Needs tag in usage.dimensions.',
    ),
  readerSilence: duration(hour, 1_000)
    .prefault(formatDuration(limits.readerSilenceMs))
    .describe('How long a client may read nothing of its answer before the server disconnects it.'),
  fusionEntrypoint: z
    .union([z.literal(false), z.string().min(1, error)], { error })
    .prefault('/usr/bin/fusion')
    .meta({
      description: 'Images with this entrypoint also count as fusion. false: no image does.',
      takes: entrypointForm,
    }),
})
  .prefault({})
  .describe('The pull-through gateway.');

type GatewayConfig = z.output<typeof gateway>;

/** Replaces an alias in `defaultUpstream` by the name of its upstream. `hasLogins`: clients can have credentials. */
export function completeGatewayOf(
  stated: GatewayConfig,
  upstreams: readonly UpstreamConfig[],
  hasLogins: boolean,
  findings: Findings,
): GatewayConfig {
  const { defaultUpstream = 'docker.io', ...rest } = stated;
  const found = upstreams.find(({ name, aliases }) => name === defaultUpstream || aliases.includes(defaultUpstream));
  const isInvalid = findings.namesOf(['upstreams']).includes(defaultUpstream);
  if (stated.defaultUpstream !== undefined && found === undefined && !isInvalid) {
    const path = ['gateway', 'defaultUpstream'];
    const known = upstreams.map(({ name }) => name);
    const meant = nearest(defaultUpstream, known);
    const hint = meant === undefined ? '' : `; did you mean ${quote(meant)}?`;
    findings.report(path, `expected one of upstreams, but came ${findings.shown(path, defaultUpstream)}${hint}`);
  }
  if (stated.anonymous === false && !hasLogins) {
    findings.report(
      ['gateway', 'anonymous'],
      'expected users or a key under identity, because otherwise no client could pull, but there is none',
    );
  }
  return { ...rest, ...(found && { defaultUpstream: found.name }) };
}
