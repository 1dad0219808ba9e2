import { z } from 'zod';
import { limits } from '../base/index.ts';
import { storeDrivers } from './config.ts';
import { anyNonEmpty, duration, fileName, hour, nonEmpty, secret, size, text, whole } from './fields.ts';
import * as redis from './redis.ts';
import { formatDuration, formatSize } from './units.ts';

const day = 24 * hour;

/** An outbox has to hold at least some of the largest batches. */
const outboxBytesMin = 1024 * 1024;
/** More than anybody has: what is beyond is a slip. */
const replicasMax = 1_000;

/** The file that a secret beside it may be read from instead. */
function fileOf(what: string) {
  return fileName.optional().meta({ description: `File that holds ${what}; relative to the configuration file.` });
}

const servers = z.array(text(redis.serverForm, redis.parseServer)).min(1, 'expected at least one address');

const sentinel = z
  .strictObject({
    name: nonEmpty('the name of a primary').meta({ description: 'What the Sentinels call the primary.' }),
    addresses: servers.meta({ description: 'Addresses of the Sentinels.' }),
    username: nonEmpty('a user name').optional().meta({ description: 'User at the Sentinels themselves (ACL).' }),
    password: secret('a password', anyNonEmpty, 'Password at the Sentinels themselves.').optional(),
    passwordFile: fileOf('that password'),
  })
  .meta({ description: 'Sentinels that say which server is the primary.' });

const tls = z
  .strictObject(
    {
      ca: secret(
        redis.certificatesForm,
        redis.parseCertificates,
        'Authorities that are trusted instead of those of the system.',
      ).optional(),
      caFile: fileOf('those certificates'),
      cert: secret(
        redis.certificatesForm,
        redis.parseCertificates,
        'Certificate of this client, with those between it and its authority; needs key.',
      ).optional(),
      certFile: fileOf('that certificate'),
      key: secret(redis.privateKeyForm, redis.parsePrivateKey, 'Private key of cert.').optional(),
      keyFile: fileOf('that key'),
      servername: text(redis.serverNameForm, redis.parseServerName)
        .optional()
        .meta({ description: "Name that the servers' certificates must have. Default: the host that is dialled." }),
    },
    { error: 'expected true or a map of settings' },
  )
  .meta({
    description:
      'TLS to the servers, and to Sentinels: true, or a map. A url has to begin with rediss://, which is enough where nothing is to be set. Default: off.',
    orTrue: true,
  });

/** The key `store`. Which of its keys go together is checked once all layers are joined. */
export const store = z
  .strictObject({
    driver: z.enum(storeDrivers).prefault('sqlite').meta({
      description:
        'Where totals are kept: in a file of the data directory, or in a Redis, which the other keys are for.',
    }),
    url: secret(
      redis.redisUrlForm,
      redis.parseRedisUrl,
      'Where a single Redis or Valkey is. With driver redis state url, sentinel or cluster.',
    ).optional(),
    urlFile: fileOf('that URL'),
    sentinel: sentinel.optional(),
    cluster: servers
      .optional()
      .meta({ description: 'Nodes of a Redis Cluster that are asked first; the others are found by asking.' }),
    username: nonEmpty('a user name')
      .optional()
      .meta({ description: 'User at the servers (ACL); goes before the one of url.' }),
    password: secret('a password', anyNonEmpty, 'Password at the servers; goes before the one of url.').optional(),
    passwordFile: fileOf('that password'),
    tls: tls.optional(),
    outboxKeep: duration(366 * day)
      .prefault(formatDuration(limits.outboxKeepMs))
      .meta({ description: 'How long delivered batches are kept, to be delivered again should Redis lose them.' }),
    outboxKeepBytes: size().prefault(formatSize(limits.outboxKeepBytes)).meta({
      description: 'Size of delivered batches beyond which they go earlier, once minReplicas replicas have them.',
    }),
    outboxMax: size(outboxBytesMin).prefault(formatSize(limits.outboxBytesMax)).meta({
      description:
        'Size of all batches beyond which nothing more is taken until Redis has some; above outboxKeepBytes.',
    }),
    minReplicas: whole(0, replicasMax)
      .prefault(0)
      .meta({ description: 'Replicas that must have a batch before it may go earlier than outboxKeep says.' }),
    allowEviction: z
      .boolean()
      .prefault(false)
      .meta({ description: 'Whether to deliver to a Redis that throws data away when its memory is full.' }),
    besideWave: z.boolean().prefault(false).meta({
      description: 'Whether a Wave still writes the same hash, so that new names are looked for again and again.',
    }),
  })
  .prefault({})
  .meta({ description: 'The store of totals.' });
