import { z } from 'zod';
import { limits } from '../base/index.ts';
import { listenForm, parseListen } from './address.ts';
import {
  dedupeScopes,
  defaultDimensions,
  durabilities,
  keptDimensions,
  logLevels,
  metricsCompatibilities,
  personalDimensions,
  userRights,
} from './config.ts';
import { anyNonEmpty, duration, either, fileName, hour, nonEmpty, secret, size, text, whole } from './fields.ts';
import { identity, network } from './identity.ts';
import { ingest } from './ingest.ts';
import * as meters from './meters.ts';
import * as names from './names.ts';
import { Secret } from './secret.ts';
import { store } from './store.ts';
import { formatDuration, formatSize } from './units.ts';
import { defaultUpstreamNames } from './upstreams.ts';

/** The range is for editors: what is beyond it gets the message of an address. */
const port = z.int().meta({ minimum: 0, maximum: 65_535 });

const address = z.union([z.string(), port], { error: `expected ${listenForm}` }).transform((stated, context) => {
  const parsed = parseListen(stated);
  if (parsed !== undefined) return parsed;
  context.addIssue(`expected ${listenForm}`);
  return z.NEVER;
});

const addressOrFalse = z
  .union([z.literal(false), z.string(), port], { error: `expected false, ${listenForm}` })
  .transform((stated, context) => {
    const parsed = stated === false ? false : parseListen(stated);
    if (parsed !== undefined) return parsed;
    context.addIssue(`expected false, ${listenForm}`);
    return z.NEVER;
  });

const falseOrProxyForm = `false or ${names.proxyUrlForm}`;

const falseOrProxy = z
  .union([z.literal(false), z.string()], { error: `expected ${falseOrProxyForm}` })
  .transform((stated, context) => {
    const url = stated === false ? false : names.parseProxyUrl(stated);
    if (url !== undefined) return url === false ? url : new Secret(url);
    context.addIssue(`expected ${falseOrProxyForm}`);
    return z.NEVER;
  })
  .meta({
    description:
      'Egress proxy for this upstream and all that it leads to; false: none. Default: as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say.',
    writeOnly: true,
  });

const upstream = z
  .strictObject({
    url: text(names.upstreamUrlForm, names.parseUpstreamUrl)
      .optional()
      .meta({ description: 'Where the upstream is. Default: https://NAME, where the name is a host.' }),
    aliases: z
      .array(text(names.upstreamNameForm, names.parseUpstreamName))
      .optional()
      .meta({ description: 'Further names of this upstream in image references.' }),
    tagTtl: duration(365 * 24 * hour)
      .prefault('60s')
      .meta({ description: 'How long a tag is served before the upstream is asked whether it moved.' }),
    auth: z
      .strictObject({
        basic: z
          .strictObject({
            username: nonEmpty('a user name').meta({ description: 'Name of the user at the upstream.' }),
            password: secret('a password', anyNonEmpty, 'Password of that user.').optional(),
            passwordFile: fileName
              .optional()
              .meta({ description: 'File that holds the password; relative to the configuration file.' }),
          })
          .meta({ description: 'HTTP Basic credentials; state password or passwordFile.', ...either('password') }),
        realm: text(names.realmForm, names.parseUpstreamUrl).optional().meta({
          description:
            'Token endpoint on another domain whose origin gets the credentials too. Default: only endpoints on the registrable domain of the upstream get them.',
        }),
      })
      .optional()
      .meta({ description: 'Credentials for the upstream. Default: none.' }),
    redirects: z.array(text(names.redirectHostForm, names.parseRedirectHost)).prefault([]).meta({
      description:
        'Hosts that redirects and token endpoints of this upstream may lead to although their addresses are private, loopback or link-local.',
    }),
    proxy: falseOrProxy.optional(),
    proxyFile: fileName
      .optional()
      .meta({ description: 'File that holds that URL; relative to the configuration file.' }),
  })
  .meta({ description: 'An upstream that the gateway may dial; {} where the name says it all.' });

const user = z
  .strictObject({
    passwordHash: secret(
      names.passwordHashForm,
      names.parsePasswordHash,
      'Hash of the password, from `tonnage user hash`.',
    ).optional(),
    passwordHashFile: fileName
      .optional()
      .meta({ description: 'File that holds the password hash; relative to the configuration file.' }),
    email: text(names.emailForm, names.parseEmail)
      .optional()
      .meta({ description: 'E-mail address; its domain is the organisation, unless org is stated.' }),
    org: text(names.organisationForm, names.parseOrganisation).optional().meta({
      description: 'Organisation that this user is bound to. Without one (and no e-mail) it sees all of them.',
    }),
    rights: z
      .array(z.enum(userRights))
      .min(1, 'expected at least one right')
      .prefault(['pull', 'query'])
      .transform((stated) => userRights.filter((right) => stated.includes(right)))
      .meta({
        description:
          'What the user may do: pull images, query totals, ingest events; admin lifts the bound to the own organisation.',
      }),
  })
  .meta({
    description: 'Somebody who logs in with HTTP Basic; state passwordHash or passwordHashFile.',
    ...either('passwordHash'),
  });

const metrics = z
  .strictObject({
    listen: addressOrFalse
      .optional()
      .meta({ description: 'Address, PORT for all addresses, or false for no listener.' }),
    orgs: z.boolean().optional().meta({
      description: 'Whether organisations are named. Default: only to scrapers on this machine, on a loopback address.',
    }),
    compat: z.enum(metricsCompatibilities).optional().meta({
      description: 'Show the metrics of another program too, under its names; the format is text 0.0.4 then.',
    }),
  })
  .meta({
    description: 'Listener of /metrics: false, PORT for all addresses, HOST:PORT, or a map. Default: off.',
    shorthand: 'listen',
  });

const entrypointForm = 'false or an entrypoint such as "/usr/bin/fusion"';

const gateway = z.strictObject({
  defaultUpstream: text(names.upstreamNameForm, names.parseUpstreamName)
    .optional()
    .meta({ description: 'Upstream of images that name none. Default: docker.io, where that is an upstream.' }),
  anonymous: z
    .union([z.boolean(), z.literal('challenge')], { error: 'expected true, false or "challenge"' })
    .prefault(true)
    .meta({
      description:
        'Whether images are served without credentials; challenge: each request without any is asked for some, and whoever has none gets an anonymous token.',
    }),
  factsWait: duration(hour)
    .prefault(formatDuration(limits.factsWaitMsMax))
    .meta({ description: 'How long a pull waits for the architecture of its image to be found.' }),
  tagMemory: duration(24 * hour)
    .prefault(formatDuration(limits.tagMemoryMs))
    .meta({
      description:
        'How long a pull by digest takes the tag that the same client resolved before, where usage.dimensions has tag.',
    }),
  readerSilence: duration(hour, 1_000)
    .prefault(formatDuration(limits.readerSilenceMs))
    .meta({ description: 'How long a client may take nothing of its answer before it is disconnected.' }),
  fusionEntrypoint: z
    .union([z.literal(false), nonEmpty(entrypointForm)], {
      error: `expected ${entrypointForm}`,
    })
    .prefault('/usr/bin/fusion')
    .meta({ description: 'Images with this entrypoint also count as fusion; false counts none.' }),
});

const meter = z
  .strictObject({
    eventType: text(meters.eventTypeForm, meters.parseEventType).meta({
      description: 'CloudEvents type of its events; one type belongs to one meter.',
    }),
    quantity: text(meters.memberForm, meters.parseMember)
      .prefault('quantity')
      .meta({ description: "Member of an event's data that holds its quantity." }),
    unit: text(meters.unitForm, meters.parseUnit).prefault('1').meta({
      description: 'What it counts, as UCUM writes it. With another unit than 1 each event has to state its quantity.',
    }),
    description: nonEmpty('a text').optional().meta({ description: 'What it counts, for people.' }),
  })
  .meta({ description: 'A meter of your own.' });

const quantity = whole(1, Number.MAX_SAFE_INTEGER);

const quantityMax = z
  .object({
    '1': quantity
      .prefault(limits.eventQuantityMax)
      .meta({ description: 'Of meters that count plain events, and of all units that have no limit of their own.' }),
    By: size(1)
      .prefault(formatSize(limits.eventQuantityBytesMax))
      .meta({ description: 'Of meters whose unit is By (bytes).' }),
    s: duration(36_600 * 24 * hour, 1_000)
      .transform((ms) => Math.floor(ms / 1_000))
      .prefault(formatDuration(limits.eventQuantitySecondsMax * 1_000))
      .meta({ description: 'Of meters whose unit is s (seconds).' }),
  })
  .catchall(quantity.meta({ description: 'Of meters with this unit, in that unit.' }))
  .meta({
    description: `Largest quantity of one event by unit; a larger one is refused. On one day an organisation may have ${limits.largestQuantitiesPerDayMax} times as much of each meter.`,
  });

const usage = z.strictObject({
  dimensions: z
    .array(z.enum(keptDimensions))
    .min(1, 'expected at least one dimension')
    .prefault([...defaultDimensions])
    .transform((stated) => keptDimensions.filter((dimension) => stated.includes(dimension)))
    .meta({ description: 'Parts of a usage event that are kept; user and client are stored as keyed hashes.' }),
  plain: z.array(z.enum(personalDimensions)).prefault([]).meta({
    description: 'Those of dimensions out of user and client that are stored as they are, not as keyed hashes.',
  }),
  durability: z
    .enum(durabilities)
    .prefault('strict')
    .meta({ description: 'strict: the answer of a pull waits until it is counted on disk; relaxed: it does not.' }),
  commitWait: duration(hour)
    .prefault(formatDuration(limits.commitWaitMsMax))
    .meta({ description: 'How long the answer of a pull waits for its commit, at most.' }),
  dedupeDays: whole(1, 366)
    .prefault(limits.dedupeDays)
    .meta({ description: 'Days for which an event that is sent again is known; an older event is refused.' }),
  detailDays: whole(1, 36_600).prefault(limits.detailDays).meta({
    description:
      'Days for which all dimensions are kept, at least dedupeDays; then organisation and architecture alone.',
  }),
  heldKeysMax: whole(1_000, 1_000_000_000).prefault(limits.heldKeysMax).meta({
    description:
      'Keys of events that are known at a time, at most; eleven bytes of memory each. Beyond it events with an identity are refused until older ones have expired.',
  }),
  quantityMax: quantityMax.prefault({}),
  dedupe: z.enum(dedupeScopes).prefault('instance').meta({
    description:
      'instance: a source sends its events to one instance; shared: to any of those that count into one Redis, so needs store.driver redis.',
  }),
  hashKey: secret(
    names.hashKeyForm,
    names.parseHashKey,
    'What user and client are hashed with; instances with the same one give the same hashes. Default: made with the ledger and kept in it.',
  ).optional(),
  hashKeyFile: fileName
    .optional()
    .meta({ description: 'File that holds the hash key; relative to the configuration file.' }),
  meters: z
    .record(text(meters.meterNameForm, meters.parseMeterName), meter)
    .prefault({})
    .meta({ description: 'Meters beside the built-in ones, by name; their events come from outside.' }),
});

/**
 * The configuration, closed: an unknown key is an error. What each key takes, its default and description; the input
 * side is what is written in YAML (`configSchema`), the output side typed values, from which `assemble` makes a `Config`.
 */
export const schema = z.strictObject({
  listen: address.prefault('0.0.0.0:8080').meta({
    description: `Address of the main listener: ${listenForm}; a PORT alone listens on all addresses.`,
  }),
  metrics: metrics.optional(),
  data: nonEmpty('the name of a directory')
    .prefault('data')
    .meta({ description: 'Data directory; relative to the configuration file that states it, else to where it runs.' }),
  publicUrl: text(names.publicUrlForm, names.parsePublicUrl).optional().meta({
    description:
      'Where clients find this server, when it is behind a proxy: told to those that have to log in. Default: http:// and the Host of the request.',
  }),
  timeZone: text(names.timeZoneForm, names.parseTimeZone)
    .prefault('UTC')
    .meta({ description: 'IANA time zone in which days begin. A ledger keeps the one that it was begun with.' }),
  upstreams: z
    .record(text(names.upstreamNameForm, names.parseUpstreamName), upstream)
    .prefault(Object.fromEntries(defaultUpstreamNames.map((name) => [name, {}])))
    .meta({ description: 'Upstreams by name. Replaces the list of well-known ones; {} means none.' }),
  gateway: gateway.prefault({}).meta({ description: 'The pull-through gateway.' }),
  store,
  usage: usage.prefault({}).meta({ description: 'What is counted, and how strictly.' }),
  ingest: ingest.prefault({}).meta({ description: 'What registries tell of their pulls by themselves.' }),
  users: z.record(text(names.userNameForm, names.parseUserName), user).prefault({}).meta({
    description: 'Users of HTTP Basic, by name. Where there are none, only a loopback listener gives more than pull.',
  }),
  identity: identity.prefault({}).meta({ description: 'Who is who, beside users: tokens of others, and addresses.' }),
  trustedProxies: z
    .array(network)
    .prefault([])
    .meta({ description: 'Networks of proxies whose X-Forwarded-For, -Proto and -Host are believed.' }),
  log: z
    .strictObject({
      level: z.enum(logLevels).prefault('info').meta({ description: 'Least severe lines that are written.' }),
      access: z.boolean().prefault(false).meta({ description: 'Whether each request is logged.' }),
    })
    .prefault({})
    .meta({ description: 'The log, JSON lines on standard output.' }),
  shutdownTimeout: duration(hour)
    .prefault(formatDuration(limits.shutdownMsMax))
    .meta({ description: 'How long a stop waits for requests in flight.' }),
});

/** What the schema makes of a valid configuration. */
export type Parsed = z.output<typeof schema>;
