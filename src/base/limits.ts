/* oxlint-disable max-lines -- one table with an entry for each limit */
/**
 * Every limit has a name and a documented default (`docs/reference/limits.md`; a test compares the two).
 * The name ends with unit and qualifier. If a configuration key changes a limit, its comment names the key.
 */
export const limits = {
  /** Largest request line and headers, together. */
  requestHeaderBytesMax: 16 * 1024,
  /** How long a client may take to send the headers of its request. */
  requestHeadersMsMax: 20_000,
  /** How long the TLS handshake of a client may take. */
  tlsHandshakeMsMax: 10_000,
  /** Connections of a listener with TLS, those in their handshake included. The listener closes further ones at once. */
  tlsConnectionsMax: 1_000,
  /** How often the certificate and the key of a listener are read from their files. */
  certificateCheckMs: 5_000,
  /** How long a client may take to send a whole request, including the body. */
  requestBodyMsMax: 60_000,
  /**
   * A client that closes its sending side may have disconnected. The gateway sends it the headers of its answer, and
   * waits this long for a reset before it counts the pull.
   */
  halfClosedResetMs: 250,
  /** Largest request body that the JSON routes read. */
  requestBodyBytesMax: 1024 * 1024,
  /** The server logs answers that take longer, except blobs, which may be large. */
  slowAnswerMs: 5_000,
  /** How long a stopping server waits for requests in flight. Configuration: `shutdownTimeout`. */
  shutdownMsMax: 30_000,
  /** How long a stopping server tries to commit the counts in memory, after the requests have ended. */
  ledgerCloseMsMax: 10_000,
  /** How long a stop may take in addition to `shutdownTimeout`. Then the process ends in any case. */
  stopMsMax: 25_000,
  /** How long a stop waits for a running query. */
  queryCloseMsMax: 2_000,
  /** Largest manifest that the gateway accepts from an upstream (the distribution spec requires at least 4 MB). */
  manifestBytesMax: 4 * 1024 * 1024,
  /** Descriptors of one manifest: config, layers, manifests of an index. */
  manifestDescriptorsMax: 10_000,
  /** Values of one manifest or image config, at any depth. */
  manifestValuesMax: 200_000,
  /** Nesting depth of a manifest, image config or tag list. */
  jsonDepthMax: 64,
  /** Digests of a manifest that the gateway stores in one step, before it yields to other work. */
  linksAtOnceMax: 1_000,
  /** Bytes of the manifests in memory. The least recently used are evicted; the disk keeps them. */
  manifestMemoryBytesMax: 64 * 1024 * 1024,
  /** Largest image config that is read for its facts (architecture, entrypoint). */
  imageConfigBytesMax: 8 * 1024 * 1024,
  /** Largest error body of an upstream that is read for its message. */
  upstreamErrorBytesMax: 16 * 1024,
  /** Largest answer of an upstream's token endpoint. */
  upstreamTokenBytesMax: 64 * 1024,
  /** Largest page of a tag list that the gateway passes on. */
  tagListBytesMax: 4 * 1024 * 1024,
  /** Values of one page of a tag list: tags and everything else. */
  tagListValuesMax: 500_000,
  /** How long connecting to an upstream may take. */
  upstreamConnectMsMax: 10_000,
  /** How long an upstream may take to send the headers of its answer. */
  upstreamHeadersMsMax: 30_000,
  /** How long an upstream may stay silent in the middle of a body. */
  upstreamSilenceMsMax: 30_000,
  /** How long a pull waits for facts of its image (architecture, entrypoint). Configuration: `gateway.factsWait`. */
  factsWaitMsMax: 3_000,
  /** How long the answer of a pull waits for its commit. Configuration: `usage.commitWait`. */
  commitWaitMsMax: 2_000,
  /** Distinct cells in memory while the ledger cannot commit. Beyond it, details are folded into `__other__`. */
  pendingCellsMax: 100_000,
  /** Combinations of dimensions, by day, that the ledger finds without computing a key. At the limit, it drops all. */
  rememberedCellsMax: 100_000,
  /** Series whose dimensions the reader of a ledger remembers. At the limit, all are dropped. */
  rememberedSeriesMax: 200_000,
  /** Days whose values the ledger remembers: late events have the same limits. More if `usage.dedupeDays` is longer. */
  cappedDaysMax: 64,
  /** Events with an identity that wait in memory for their commit. Further events get 503. */
  waitingEventsMax: 200_000,
  /** Days for which the ledger recognises resent events. It refuses older ones. Configuration: `usage.dedupeDays`. */
  dedupeDays: 35,
  /** Days for which the ledger keeps more than organisation and architecture. Configuration: `usage.detailDays`. */
  detailDays: 400,
  /** How far ahead of its receipt the time of an event may be. */
  eventAheadMsMax: 3_600_000,
  /**
   * Keys of events that the ledger holds to recognise resent events, at eleven bytes of memory each. Beyond it, the
   * ledger accepts no event. Configuration: `usage.heldKeysMax`.
   */
  heldKeysMax: 50_000_000,
  /** Events on disk that wait to be claimed in a Redis of several instances. Beyond it, the ledger accepts no event. */
  pendingClaimsMax: 5_000_000,
  /** Events that the ledger claims in Redis at a time. */
  claimedEventsMax: 2_000,
  /** How often the ledger removes expired claims from Redis. */
  claimsForgetEveryMs: 3_600_000,
  /** How often an instance shares its new values with the other instances, which have the same limits. */
  valuesSharedEveryMs: 1_000,
  /** Pairs of tenant and source for which the ledger keeps a hash key in memory. At the limit, all are dropped. */
  eventSourcesRememberedMax: 10_000,
  /** How often the ledger looks for expired keys and details. */
  tidyEveryMs: 60_000,
  /** Batches read from the outbox at a time. */
  deliveredBatchesMax: 256,
  /** How often in a row the store may report missing batches before delivery stops with `ledger_gap`. */
  rewindsMax: 100,
  /** Longest pause between two attempts of a failed delivery. */
  deliveryRetryMsMax: 1_000,
  /** How long a stop waits for the delivery of all batches. The rest is delivered after the next start. */
  deliveryCloseMsMax: 2_000,
  /** How often the outbox drops delivered batches that are old enough. */
  outboxTrimEveryMs: 10_000,
  /** How long the outbox keeps delivered batches, in case the store loses them. Configuration: `store.outboxKeep`. */
  outboxKeepMs: 24 * 3_600_000,
  /** Bytes of delivered batches in the outbox. Beyond it, they are dropped earlier, once replicas have them. Configuration: `store.outboxKeepBytes`. */
  outboxKeepBytes: 1024 * 1024 * 1024,
  /** Bytes of all batches in the outbox. Beyond it, the ledger commits nothing until some are delivered. Configuration: `store.outboxMax`. */
  outboxBytesMax: 4 * 1024 * 1024 * 1024,
  /** How long the ledger does not log repeated commit failures with the same reason. */
  commitFailureQuietMs: 60_000,
  /** Longest pause between two attempts of a failed commit. */
  commitRetryMsMax: 5_000,
  /** How long a query may take. */
  queryMsMax: 10_000,
  /** Queries over their deadline that may still run. Beyond it, further queries are refused. */
  abandonedQueriesMax: 4,
  /** Rows of one page of a query. */
  queryRowsMax: 10_000,
  /** Rows of one page of a query if the request states no `limit`. */
  queryRowsDefault: 1_000,
  /**
   * Series of `tonnage_usage_total`. Later ones are summed under `org="__other__"`. Beyond twice as many series, later
   * ones are summed under `arch="__other__"` too, except known architectures.
   */
  usageSeriesMax: 10_000,
  /** Distinct organisations on one day whose own credentials sent events, and as many again that other credentials name. Further values count as `__other__`. */
  orgsPerDayMax: 10_000,
  /** Distinct architectures of one organisation on one day, in addition to those that Go knows. */
  architecturesPerDayMax: 64,
  /** Distinct upstreams of one organisation on one day, in addition to the configured ones. */
  upstreamsPerDayMax: 1_000,
  /** Distinct repositories of one organisation on one day. */
  repositoriesPerDayMax: 50_000,
  /** Distinct tags of one organisation on one day. */
  tagsPerDayMax: 50_000,
  /** Distinct outcomes of one organisation on one day. */
  outcomesPerDayMax: 64,
  /** Distinct users of one organisation on one day. */
  usersPerDayMax: 50_000,
  /** Distinct client addresses of one organisation on one day. */
  clientsPerDayMax: 50_000,
  /** Values of one dimension that all organisations together may have on one day, as a multiple of the limit of one. */
  fullOrganisationsPerDay: 4,
  /** If all organisations together have reached their limit, each may still have its own limit divided by this. One organisation may have the same share of `usageSeriesMax` for unknown architectures. */
  organisationShareDivisor: 50,
  /** Failed logins of one address within a minute. Beyond it, logins from the address get 429. */
  loginFailuresPerMinuteMax: 30,
  /** How long a verified credential is remembered. */
  credentialMemoryMs: 5 * 60_000,
  /** Verified credentials remembered at once. */
  credentialMemoryEntriesMax: 10_000,
  /** How long the same wrong credentials are refused without another check. They do not count as further failures. */
  loginRefusalMs: 10_000,
  /** Logins that wait for the result of other logins from their address. Further logins get 429. */
  loginsWaitingMax: 1_000,
  /** Addresses whose failed logins are remembered. The one with the oldest failure is evicted first. */
  loginFailureAddressesMax: 10_000,
  /** Passwords that are hashed at once. Hashing and file access share the same few threads. */
  passwordChecksMax: 2,
  /** Password checks that wait for their turn. Further logins get 429. */
  passwordChecksWaitingMax: 256,
  /** Longest password that `tonnage user hash` reads. A longer one would not fit into the headers of a request. */
  passwordBytesMax: 4 * 1024,
  /** Smallest N of an scrypt password hash: a hash that is quick to check is quick to guess. */
  passwordHashCostMin: 1_024,
  /** Largest p of an scrypt password hash. */
  passwordHashParallelismMax: 16,
  /** Memory that a password hash may need (128 times scrypt's N times r, in bytes). */
  passwordHashMemoryBytesMax: 128 * 1024 * 1024,
  /** How long a token of `/v2/token` is valid. */
  pullTokenMs: 5 * 60_000,
  /** How long a command waits for the answer of a server. */
  commandAnswerMsMax: 60_000,
  /** Largest body with events, before and after decompression. */
  eventBodyBytesMax: 8 * 1024 * 1024,
  /** Slowest rate of a body with events, in each `eventBodyWindowMs`. */
  eventBodyBytesPerSecondMin: 1_024,
  /** Time over which `eventBodyBytesPerSecondMin` is measured. */
  eventBodyWindowMs: 10_000,
  /** How often the rates of bodies with events are checked. */
  eventBodyCheckMs: 1_000,
  /** How long a body with events may take while less than half of the memory for such bodies is free. */
  eventBodyShortMsMax: 5_000,
  /**
   * Bytes of bodies with events in memory until their answer. One sender may hold at most half of it, and never more
   * than is still free. Further bodies get 503.
   */
  eventBodiesBytesMax: 64 * 1024 * 1024,
  /** Events of one request. */
  eventBatchMax: 10_000,
  /** Events of one request that are read and committed in one step, before the server yields to other work. */
  eventsAtOnceMax: 1_000,
  /** Bodies with events up to this size are parsed without counting their values first, since parsing them is quick. */
  eventBodyUncountedBytesMax: 512 * 1024,
  /** Objects and lists of a larger body. An upper bound: the server counts brackets, also those inside texts. */
  eventBodyNodesMax: 100_000,
  /** Members and items of a larger body. An upper bound: the server counts commas, also those inside texts. */
  eventBodyMembersMax: 400_000,
  /** Objects and lists of an event's `data_base64`, and as many members. An upper bound: the server counts brackets and commas, also those inside texts. */
  eventEncodedNodesMax: 100,
  /** Accepted events that the answer lists without `?results=all`. */
  eventResultsListedMax: 100,
  /** Largest quantity of one event whose meter has the unit `1`, or a unit without its own limit. Configuration: `usage.quantityMax.1`. */
  eventQuantityMax: 1_000_000,
  /** Largest quantity of one event in bytes (unit `By`). Configuration: `usage.quantityMax.By`. */
  eventQuantityBytesMax: 2 ** 40,
  /** Largest quantity of one event in seconds (unit `s`). Configuration: `usage.quantityMax.s`. */
  eventQuantitySecondsMax: 30 * 86_400,
  /** Multiple of the largest quantity that one organisation may have of one meter on one day. */
  largestQuantitiesPerDayMax: 1_000,
  /** Longest `source` of an event. */
  eventSourceLengthMax: 512,
  /** Longest `id` of an event. */
  eventIdLengthMax: 512,
  /** Longest upstream of an event: a host with its port. */
  eventUpstreamLengthMax: 261,
  /** Longest user of an event: the length of the longest e-mail address. */
  eventUserLengthMax: 320,
  /** Longest client of an event. */
  eventClientLengthMax: 255,
  /** Longest outcome of an event. */
  eventOutcomeLengthMax: 32,
  /** Longest line of a file that `tonnage event send` reads. */
  eventLineBytesMax: 1024 * 1024,
  /** Events that `tonnage event send` sends in one batch. */
  eventSendBatchMax: 1_000,
  /** Bytes of events that `tonnage event send` sends in one batch. */
  eventSendBytesMax: 4 * 1024 * 1024,
  /** How long `tonnage event send` retries a batch that the server cannot accept right now. */
  eventSendRetryMsMax: 5 * 60_000,
  /** Longest pause between two retries of such a batch, unless the server asks for a longer one. */
  eventSendPauseMsMax: 30_000,
  /** Refused events that `tonnage event send` names. It prints the number of the rest. */
  eventRefusalsNamedMax: 20,
  /** Largest configuration file. */
  configBytesMax: 1024 * 1024,
  /** Values of one configuration file, with all aliases followed. */
  configNodesMax: 20_000,
  /** Nesting depth of a configuration file. */
  configDepthMax: 32,
  /** Largest file that holds a secret (`passwordFile` and the like). */
  secretFileBytesMax: 64 * 1024,
  /** Longest repository name. Clients limit host and name together to 255 characters. */
  repositoryNameLengthMax: 255,
  /** How long sent bytes are summed before the ledger counts them. */
  egressKeepMs: 500,
  /** Sums of sent bytes at a time. Beyond it, the ledger counts them earlier. */
  egressSumsMax: 10_000,
  /** Longest request target that the gateway parses. */
  gatewayTargetLengthMax: 4_096,
  /** Entries in memory of each kind: tags, digests that manifests name, digests that upstreams have sent or confirmed. The catalog keeps all of them. */
  gatewayMemoryEntriesMax: 100_000,
  /** Digests of one repository in memory that its manifests name, and as many that its upstream sent or confirmed. */
  repositoryMemoryEntriesMax: 10_000,
  /** How long the gateway remembers the tag that a client resolved. The client's pulls by digest count under that tag. Configuration: `gateway.tagMemory`. */
  tagMemoryMs: 10 * 60_000,
  /** Digests for which the gateway remembers the tags that clients resolved. The oldest are evicted first. */
  tagMemoryDigestsMax: 200_000,
  /** Digests for which the gateway remembers the tags of one client. Its oldest are evicted first. */
  tagMemoryShareMax: 20_000,
  /** Tags that are remembered for one client and repository. The oldest are evicted first. */
  tagMemoryTagsMax: 16,
  /** How long the revalidation of a tag may take if a stale answer is available. */
  tagRevalidateMsMax: 5_000,
  /** How long a tag that could not be revalidated is served stale before the gateway asks its upstream again. */
  tagRetryMs: 5_000,
  /** A Range request for a blob in flight waits if it begins at most this far beyond what has arrived. Otherwise it gets its own upstream request. */
  rangeWaitBytesMax: 8 * 1024 * 1024,
  /** How long a repository waits for another repository's download of the same blob before it makes its own request. */
  otherDownloadWaitMsMax: 1_000,
  /** Bytes of one download that wait for the disk before the gateway slows its upstream down. */
  downloadBufferBytesMax: 2 * 1024 * 1024,
  /** How long blobs are passed through without caching after the disk has refused one. */
  diskRetryMs: 5_000,
  /** Largest blob that is kept in memory as a whole: configs and tiny layers. */
  smallBlobBytesMax: 64 * 1024,
  /** Bytes of the small blobs in memory. The least recently used are evicted; the disk keeps them. */
  blobMemoryBytesMax: 64 * 1024 * 1024,
  /** Bytes that one reader of a blob holds in memory. */
  blobReadBytes: 128 * 1024,
  /** How long a client may read nothing before it is disconnected. Configuration: `gateway.readerSilence`. */
  readerSilenceMs: 60_000,
  /** Largest blob whose size neither its upstream nor a manifest states. */
  undeclaredBlobBytesMax: 4 * 1024 * 1024 * 1024,
  /** Connections to one upstream origin at a time. */
  upstreamConnectionsMax: 128,
  /** Redirects that the gateway follows for one request to an upstream. */
  upstreamRedirectsMax: 5,
  /** Pause before the one immediate retry of a request whose connection failed. */
  upstreamRetryMs: 100,
  /** Longest `Retry-After` of an upstream that the gateway honours. It shortens a longer one to this. */
  upstreamRetryAfterMsMax: 5 * 60_000,
  /** Headers of one skipped interim answer (100 Continue and the like). */
  upstreamInterimBytesMax: 16 * 1024,
  /** Content codings that the gateway decodes for one answer of an upstream. */
  upstreamCodingsMax: 3,
  /** How long the gateway uses only GET with an upstream whose GET contradicted its HEAD. */
  upstreamHeadRefusedMs: 10 * 60_000,
  /** Other registries that one upstream redirects to and whose challenges are remembered. */
  upstreamRegistriesMax: 100,
  /** How long the gateway does not ask an upstream's `/v2/` again after it failed to say how to log in. */
  upstreamChallengeRetryMs: 60_000,
  /** Repositories of one upstream whose token and `Retry-After` are remembered. */
  upstreamRepositoriesMax: 10_000,
  /** How long before its expiry a token of an upstream is no longer used. */
  upstreamTokenMarginMs: 10_000,
  /** How long a scrape waits for the count of the cache's files. After that it shows the previous count. */
  cacheSurveyMsMax: 1_000,
  /** Series of one metric family. Further label sets share one overflow series. Instruments may set their own limit. */
  metricSeriesMax: 10_000,
  /** Size of one chunk of an exposition. A single larger point is a chunk of its own. */
  expositionChunkBytesMax: 64 * 1024,
  /** Expositions that are rendered at a time. Further scrapes share one. */
  scrapesMax: 3,
  /** Shared expositions in memory. The next one is rendered when all scrapers have received one. */
  scrapeBodiesMax: 4,
  /** Largest body of a page of sources that is cached. A larger page is rendered anew for each client. */
  pageBodyBytesMax: 16 * 1024 * 1024,
  /** Cached bodies of all pages together. */
  pageBodiesBytesMax: 64 * 1024 * 1024,
  /** Number of cached bodies: one for each page, scope, format and coding. */
  pageBodiesMax: 256,
  /** Renderings of pages that wait for their turn. Further requests for bodies that are not cached get 503. */
  pageRenderingsWaitingMax: 100,
  /** How long a scrape may take if the scraper does not state its timeout. */
  scrapeMsMax: 60_000,
  /** How long encoding an exposition may block the event loop at a time. */
  expositionStretchMsMax: 2,
  /** Sources in the configuration. */
  sourcesMax: 100,
  /** Static labels of one source in the configuration. */
  sourceLabelsMax: 20,
  /** Length of the value of a static label. All series of the source repeat it. */
  sourceStaticLabelCharactersMax: 255,
  /** How long one read of a source may take, unless the source has its own deadline. */
  sourceReadMsMax: 10_000,
  /** How long a read that missed its deadline may keep other sources of its connection waiting. */
  sourceAbortMsMax: 5_000,
  /**
   * Series of one source. A read with more fails. A Debusine database with workers for ten architectures has about
   * 205,000 with `zeroFill: full`. A series takes about 300 bytes of memory.
   */
  sourceSeriesMax: 300_000,
  /** Rows of one query of a source, unless the query has its own limit. Configuration: `rowsMax` of the query. */
  sourceRowsDefault: 10_000,
  /** The largest limit of rows that a query of a source can have. */
  sourceRowsMax: 100_000,
  /** Bytes that a database may send for one read of a source of the driver `sql`. The read then fails. */
  sourceReplyBytesMax: 64 * 1024 * 1024,
  /** The largest limit of the document of a source of the driver `http-json`. Configuration: `bodyMax`. */
  sourceBodyBytesMax: 16 * 1024 * 1024,
  /** Length of the value of a label of a metric that the configuration declares. A longer one fails the read. */
  sourceLabelCharactersMax: 1_024,
  /** Queries of one source. */
  sourceQueriesMax: 100,
  /** How long a source may take to close when the process stops. */
  sourceCloseMsMax: 5_000,
  /** Distinct values of a label from free text of a Debusine database. Others fold into one. Also labels of architectures. */
  debusineTextsMax: 64,
  /** Groups of work requests of a Debusine database that are read at once. If there are more, the database folds their texts. */
  debusineGroupsMax: 20_000,
  /** Length of a label value from free text of a Debusine database. Longer ones fold into one. */
  debusineTextCharactersMax: 32,
  /** Size of an architecture, or of a list of them, in the metadata of a worker. A larger one counts as absent. */
  debusineMetadataBytesMax: 8 * 1024,
  /** How long ending the connection to a database may take. After that it is cut. */
  databaseEndMsMax: 1_000,
  /** Pause before the installation of a summary tries again to get a lock that another transaction holds. */
  debusineLockRetryMs: 500,
  /** Largest exposition that `tonnage lint` reads. */
  lintBytesMax: 64 * 1024 * 1024,
  /** How long `tonnage lint` may take to read one input. */
  lintMsMax: 60_000,
  /** Problems of one input that `tonnage lint` names. It prints the number of the rest. */
  lintProblemsMax: 20,
  /** How long Redis may stay silent while an answer is due. Redis answers a group of commands at once. */
  redisCommandMsMax: 5_000,
  /** How long connecting to a Redis may take. Its greeting may then take as long again. */
  redisConnectMsMax: 5_000,
  /** How long a query that starts the thread that reads a Redis waits for the connection. */
  redisFirstConnectMsMax: 1_000,
  /** How long a command that Redis asks to repeat (LOADING, TRYAGAIN, a moving slot and the like) is retried. */
  redisRetryMsMax: 3_000,
  /** Longest pause between two attempts of a command that Redis asks to repeat. */
  redisRetryPauseMsMax: 250,
  /** Longest pause between two attempts to connect to a Redis. */
  redisReconnectMsMax: 2_000,
  /** How often Sentinels are asked for the primary. They report a new one some seconds late. */
  redisSentinelMs: 1_000,
  /** How often the slots of a Redis Cluster are read while nothing has changed. */
  redisSlotsMs: 60_000,
  /** Longest error text of Redis that is passed on. */
  redisMessageLengthMax: 500,
  /** Fields of a hash, or members of a set, that are read from Redis at once. Larger ones are read in slices. */
  redisReadFieldsMax: 5_000,
  /** Steps of one query that are in flight in Redis at a time. */
  redisReadsInFlightMax: 4,
  /** Fields that Redis visits for one slice (COUNT of HSCAN and SSCAN). */
  redisScanCount: 1_000,
  /** Names, cells or rows that one query of a Redis may hold in memory. A query that needs more is refused. */
  queryCellsMax: 1_000_000,
  /** Decoded names of cells that one query remembers. */
  redisDecodedFieldsMax: 200_000,
  /** Fields of Wave's hash that are scanned in a second, while Wave still writes it. */
  waveRefreshFieldsPerSecond: 20_000,
  /** Pause between two scans of Wave's hash, while Wave still writes it. */
  waveRefreshPauseMs: 10_000,
  /** Ambiguous fields of Wave's hash that an import names. It prints the number of the rest. */
  waveSkippedNamedMax: 10,
  /** Cells of several batches that one script in Redis applies. A larger batch is sent alone, as a whole. */
  deliveryCellsMax: 2_000,
  /** How often the ledger checks whether Redis could evict data (`maxmemory-policy`), and still has details. */
  evictionCheckMs: 30_000,
  /** Recently delivered details (by meter and day) that the ledger checks from time to time. */
  deliveredTagsMax: 10_000,
  /** How long a delivery waits for replicas. If too few confirm it, the outbox keeps the batches for longer. */
  replicaWaitMsMax: 100,
  /** How long the ledger does not wait for replicas after too few of them confirmed. */
  replicaRetryMs: 1_000,
  /** Fields of a hash that one command writes to or deletes from Redis. */
  redisWriteFieldsMax: 5_000,
  /** Tokens of one data directory, including expired ones. */
  tokensMax: 10_000,
  /** How long the server does not log requests that fail for the same known reason again. */
  sameFailureQuietMs: 600_000,
  /** How often the last use of a token is stored. */
  tokenUsedEveryMs: 3_600_000,
  /** Longest name of a token. */
  tokenNameLengthMax: 100,
  /** Longest name of a Debusine scope that a token is bound to. Debusine stores names of at most this length. */
  debusineScopeLengthMax: 255,
  /** Repositories, or folders of repositories, in the scope of one token. */
  tokenScopeMax: 100,
  /** How long a Seqera Platform may take to answer for a token. Configuration: `identity.platform.timeout`. */
  platformAnswerMsMax: 5_000,
  /** How long the Platform's answer is cached. Configuration: `identity.platform.cacheFor`. */
  platformMemoryMs: 5 * 60_000,
  /** How long a cached answer is used while the Platform is down. Configuration: `identity.platform.staleFor`. */
  platformStaleMs: 24 * 3_600_000,
  /** How long a token that the Platform refused is refused without asking again. */
  platformRefusalMs: 30_000,
  /** How long the Platform is not asked again about a token that it did not answer for. */
  platformRetryMs: 10_000,
  /** Requests to the Platform in flight at a time. */
  platformRequestsMax: 32,
  /** Requests to the Platform that wait for their turn. Further clients get 429. */
  platformRequestsWaitingMax: 1_000,
  /** Shortest password with the name of a configured user that is sent to the Platform as a token. */
  platformTokenLengthMin: 32,
  /** Largest answer of a Platform or an issuer. */
  identityAnswerBytesMax: 256 * 1024,
  /** How long an issuer of tokens may take to answer with its keys. */
  oidcAnswerMsMax: 5_000,
  /** How long the keys of an issuer are used before they are fetched again; longer while the issuer does not answer. */
  oidcKeysMs: 10 * 60_000,
  /** Shortest time between two fetches of the keys of an issuer, whatever keys tokens name. */
  oidcRetryMs: 10_000,
  /** Tolerance for the clock of an issuer, for the times in its tokens. */
  oidcLeewayMs: 30_000,
} as const;
