/* oxlint-disable max-lines -- one table with an entry for each limit; a second file would only hide half of it */
/**
 * Every limit has a name and a documented default (`docs/reference/limits.md`; a test compares the two).
 * Unit and qualifier stand at the end of the name. Those that a configuration key changes say so there.
 */
export const limits = {
  /** Largest request line and headers together that a listener reads. */
  requestHeaderBytesMax: 16 * 1024,
  /** How long a client may take to send its request's headers. */
  requestHeadersMsMax: 20_000,
  /** How long a client may take to send a whole request, body included. */
  requestBodyMsMax: 60_000,
  /** How long the gateway waits for the reset by a client that left, before it counts the pull of a client that closed its sending side. */
  halfClosedResetMs: 250,
  /** Largest request body that the JSON routes read. */
  requestBodyBytesMax: 1024 * 1024,
  /** An answer that took longer is logged, except for blobs, which may be large. */
  slowAnswerMs: 5_000,
  /** How long a stopping server waits for requests in flight. Configuration: `shutdownTimeout`. */
  shutdownMsMax: 30_000,
  /** How long a stopping server tries to commit the counts that are in memory, after the requests have ended. */
  ledgerCloseMsMax: 10_000,
  /** How long a stop may take beyond `shutdownTimeout`. Then the process ends, whatever it still waits for. */
  stopMsMax: 25_000,
  /** How long a stop waits for a query that is running. */
  queryCloseMsMax: 2_000,
  /** Largest manifest that is taken from an upstream (the distribution spec asks for at least 4 MB). */
  manifestBytesMax: 4 * 1024 * 1024,
  /** Descriptors of one manifest: config, layers, manifests of an index. */
  manifestDescriptorsMax: 10_000,
  /** Values of one manifest or image config, at any depth. */
  manifestValuesMax: 200_000,
  /** How deep values of a manifest, image config or tag list may be nested. */
  jsonDepthMax: 64,
  /** Digests of a manifest that are remembered and written at a stretch, so that others get their turn in between. */
  linksAtOnceMax: 1_000,
  /** Manifests kept in memory: bytes of their bodies. The least recently used leave first; the disk keeps them. */
  manifestMemoryBytesMax: 64 * 1024 * 1024,
  /** Largest image config that is read for its facts (architecture, entrypoint). */
  imageConfigBytesMax: 8 * 1024 * 1024,
  /** Largest error body of an upstream that is read for its message. */
  upstreamErrorBytesMax: 16 * 1024,
  /** Largest token answer of an upstream. */
  upstreamTokenBytesMax: 64 * 1024,
  /** Largest tag list page that is passed on. */
  tagListBytesMax: 4 * 1024 * 1024,
  /** Values of one tag list page: its tags, and what else is in it. */
  tagListValuesMax: 500_000,
  /** How long connecting to an upstream may take. */
  upstreamConnectMsMax: 10_000,
  /** How long an upstream may take until its answer's headers are there. */
  upstreamHeadersMsMax: 30_000,
  /** How long an upstream may stay silent in the middle of a body. */
  upstreamSilenceMsMax: 30_000,
  /** How long a pull waits for the facts of its image. Configuration: `gateway.factsWait`. */
  factsWaitMsMax: 3_000,
  /** How long the answer of a pull waits for its commit. Configuration: `usage.commitWait`. */
  commitWaitMsMax: 2_000,
  /** Distinct cells that wait in memory while the ledger cannot commit; beyond it details fold into `__other__`. */
  pendingCellsMax: 100_000,
  /** Combinations of dimensions, by day, whose cells are found without making a key; forgotten all at once. */
  rememberedCellsMax: 100_000,
  /** Series whose dimensions the reader of a ledger remembers; forgotten all at once. */
  rememberedSeriesMax: 200_000,
  /** Days whose values are remembered, to hold late events to the same caps; more where `usage.dedupeDays` is longer. */
  cappedDaysMax: 64,
  /** Events with an identity that wait in memory for their commit; what would go beyond is told to come again. */
  waitingEventsMax: 200_000,
  /** Days for which an event that is sent again is known, and beyond which none is taken. Configuration: `usage.dedupeDays`. */
  dedupeDays: 35,
  /** Days for which details finer than organisation and architecture are kept. Configuration: `usage.detailDays`. */
  detailDays: 400,
  /** How far ahead of its receipt the time of an event may be. */
  eventAheadMsMax: 3_600_000,
  /** Keys of events held to know what is sent again, at most; eleven bytes of memory each. Beyond it no event is taken. Configuration: `usage.heldKeysMax`. */
  heldKeysMax: 50_000_000,
  /** Events that wait on disk to be claimed in a Redis that several instances share; beyond it no event is taken. */
  pendingClaimsMax: 5_000_000,
  /** Events that are claimed there at a time. */
  claimedEventsMax: 2_000,
  /** How often claims are looked for that no event can ask for any more. */
  claimsForgetEveryMs: 3_600_000,
  /** How often values that are new here are told to the other instances, which keep to the same caps. */
  valuesSharedEveryMs: 1_000,
  /** Pairs of tenant and source whose derived keys are remembered; forgotten all at once. */
  eventSourcesRememberedMax: 10_000,
  /** How often the ledger looks for keys and details whose time is over. */
  tidyEveryMs: 60_000,
  /** Batches read from the outbox at a time. */
  deliveredBatchesMax: 256,
  /** How often the store may say in a row that it misses batches, until delivery stops with `ledger_gap`. */
  rewindsMax: 100,
  /** Longest pause between two tries of a delivery that failed. */
  deliveryRetryMsMax: 1_000,
  /** How long a stop waits until all batches are delivered; the rest goes out after the next start. */
  deliveryCloseMsMax: 2_000,
  /** How often delivered batches that are old enough are forgotten. */
  outboxTrimEveryMs: 10_000,
  /** How long delivered batches are kept, should the store lose them again. Configuration: `store.outboxKeep`. */
  outboxKeepMs: 24 * 3_600_000,
  /** Bytes of delivered batches that are kept; beyond it they go earlier, once replicas have them. Configuration: `store.outboxKeepBytes`. */
  outboxKeepBytes: 1024 * 1024 * 1024,
  /** Bytes of batches on their way to a store elsewhere, at most. Beyond it nothing more is taken until some are delivered. Configuration: `store.outboxMax`. */
  outboxBytesMax: 4 * 1024 * 1024 * 1024,
  /** How long commits that fail for the same reason are not logged again. */
  commitFailureQuietMs: 60_000,
  /** Longest pause between two tries of a failed commit. */
  commitRetryMsMax: 5_000,
  /** How long a query may take. */
  queryMsMax: 10_000,
  /** Queries over their deadline that may still be running; with so many a further query is refused. */
  abandonedQueriesMax: 4,
  /** Rows of one page of a query, at most. */
  queryRowsMax: 10_000,
  /** Rows of one page of a query when the request names no number. */
  queryRowsDefault: 1_000,
  /** Series of `tonnage_usage_total`; what comes later is summed under `org="__other__"`, and beyond twice as many under `arch="__other__"` too, except known architectures. */
  usageSeriesMax: 10_000,
  /** Distinct organisations on one day whose own credentials sent events, and as many again that other credentials state. Further values of a dimension count under `__other__`. */
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
  /** Values of one dimension that all organisations together have on one day, as a multiple of what one may have. */
  fullOrganisationsPerDay: 4,
  /** Beyond that, each organisation still has its cap divided by this. Of `usageSeriesMax` one organisation has as much for architectures that are not known. */
  organisationShareDivisor: 50,
  /** Failed logins that one address may have within a minute before it is told to wait. */
  loginFailuresPerMinuteMax: 30,
  /** How long a verified credential is remembered. */
  credentialMemoryMs: 5 * 60_000,
  /** Verified credentials remembered at once. */
  credentialMemoryEntriesMax: 10_000,
  /** How long wrong credentials are refused without looking at them again, or counting them as a further failure. */
  loginRefusalMs: 10_000,
  /** Logins that wait until it is known what came of others from their address; with so many a further one is told to come back. */
  loginsWaitingMax: 1_000,
  /** Addresses whose failed logins are remembered at once; the one that failed longest ago leaves first. */
  loginFailureAddressesMax: 10_000,
  /** Passwords that are hashed at once. Hashing and file access share the same few threads. */
  passwordChecksMax: 2,
  /** Password checks that wait for their turn; with so many a further one is told to come back. */
  passwordChecksWaitingMax: 256,
  /** Longest password that is read to be hashed: beyond it would not fit into a request's headers. */
  passwordBytesMax: 4 * 1024,
  /** scrypt's N of a password hash, at least: what takes less time to check takes less time to guess. */
  passwordHashCostMin: 1_024,
  /** scrypt's p of a password hash. */
  passwordHashParallelismMax: 16,
  /** Memory that a password hash may ask for (128 times scrypt's N times r, in bytes). */
  passwordHashMemoryBytesMax: 128 * 1024 * 1024,
  /** How long a token of `/v2/token` is good. */
  pullTokenMs: 5 * 60_000,
  /** How long a command waits for the answer of a server. */
  commandAnswerMsMax: 60_000,
  /** Largest body with events that is taken, also after decompression. */
  eventBodyBytesMax: 8 * 1024 * 1024,
  /** Slowest rate at which a body with events may come in, in each `eventBodyWindowMs`. */
  eventBodyBytesPerSecondMin: 1_024,
  /** Stretch of time over which that rate is measured. */
  eventBodyWindowMs: 10_000,
  /** How often the rates of bodies with events are looked at. */
  eventBodyCheckMs: 1_000,
  /** How long a body with events may take while less than half of the memory for such bodies is free. */
  eventBodyShortMsMax: 5_000,
  /** Bytes of bodies with events that are in memory until their answer. The credentials of one sender never hold more than they leave free, so half of it at most; beyond that a further body of theirs is told to come back. */
  eventBodiesBytesMax: 64 * 1024 * 1024,
  /** Events of one request. */
  eventBatchMax: 10_000,
  /** Events of one request that are read and committed at a stretch, so that others get their turn in between. */
  eventsAtOnceMax: 1_000,
  /** Bodies with events up to this size are parsed whatever they hold: that takes little time. */
  eventBodyUncountedBytesMax: 512 * 1024,
  /** Objects and lists of a larger body, counted by their brackets, those in texts included. */
  eventBodyNodesMax: 100_000,
  /** Members and items of a larger body, counted by its commas, those in texts included. */
  eventBodyMembersMax: 400_000,
  /** Objects, lists, and members of an event's `data_base64`, each, counted by their signs, those in texts included. */
  eventEncodedNodesMax: 100,
  /** Accepted events of one request that its answer lists without being asked to. */
  eventResultsListedMax: 100,
  /** Largest quantity of one event whose meter counts plain events, or has a unit without a limit of its own. Configuration: `usage.quantityMax.1`. */
  eventQuantityMax: 1_000_000,
  /** Largest quantity of one event in bytes (unit `By`). Configuration: `usage.quantityMax.By`. */
  eventQuantityBytesMax: 2 ** 40,
  /** Largest quantity of one event in seconds (unit `s`). Configuration: `usage.quantityMax.s`. */
  eventQuantitySecondsMax: 30 * 86_400,
  /** Quantities of that size that one organisation may have of one meter on one day. */
  largestQuantitiesPerDayMax: 1_000,
  /** Longest `source` of an event. */
  eventSourceLengthMax: 512,
  /** Longest `id` of an event. */
  eventIdLengthMax: 512,
  /** Longest upstream that an event names: a host with its port. */
  eventUpstreamLengthMax: 261,
  /** Longest user that an event names: as long as an e-mail address can be. */
  eventUserLengthMax: 320,
  /** Longest client that an event names. */
  eventClientLengthMax: 255,
  /** Longest outcome that an event names. */
  eventOutcomeLengthMax: 32,
  /** Longest line of a file of events that `tonnage event send` sends. */
  eventLineBytesMax: 1024 * 1024,
  /** Events that `tonnage event send` sends together. */
  eventSendBatchMax: 1_000,
  /** Bytes of events that `tonnage event send` sends together. */
  eventSendBytesMax: 4 * 1024 * 1024,
  /** How long `tonnage event send` tries again to send a batch that the server cannot take right now. */
  eventSendRetryMsMax: 5 * 60_000,
  /** Longest pause between two such tries, unless the server asks for a longer one. */
  eventSendPauseMsMax: 30_000,
  /** Refused events that `tonnage event send` names; of the rest it says how many there are. */
  eventRefusalsNamedMax: 20,
  /** Largest configuration file. */
  configBytesMax: 1024 * 1024,
  /** Values of one configuration file, with all aliases followed. */
  configNodesMax: 20_000,
  /** How deep values of a configuration file may be nested. */
  configDepthMax: 32,
  /** Largest file that holds a secret (`passwordFile` and the like). */
  secretFileBytesMax: 64 * 1024,
  /** Longest repository name that is taken; clients cap host and name together at 255 characters. */
  repositoryNameLengthMax: 255,
  /** How long bytes that were sent are summed before the ledger counts them. */
  egressKeepMs: 500,
  /** Sums of bytes that were sent, at once; with so many the ledger counts them earlier. */
  egressSumsMax: 10_000,
  /** Longest request target that the gateway parses. */
  gatewayTargetLengthMax: 4_096,
  /** Tags, digests that manifests name, and digests that upstreams have proven, each, kept in memory; the catalog keeps them all. */
  gatewayMemoryEntriesMax: 100_000,
  /** Digests of one repository kept in memory, those that its manifests name and those that are proven, each. */
  repositoryMemoryEntriesMax: 10_000,
  /** How long a client's request by digest takes the tag that it resolved before. Configuration: `gateway.tagMemory`. */
  tagMemoryMs: 10 * 60_000,
  /** Digests that are remembered with the tags that clients resolved to them or to their indexes; the oldest leave first. */
  tagMemoryDigestsMax: 200_000,
  /** Of these digests, those of one client; its oldest leave first. */
  tagMemoryShareMax: 20_000,
  /** Tags that are remembered for one client and repository; the oldest leave first. */
  tagMemoryTagsMax: 16,
  /** How long a tag's revalidation may take while there is an older answer to serve instead. */
  tagRevalidateMsMax: 5_000,
  /** How long a tag that could not be revalidated is served stale before its upstream is asked again. */
  tagRetryMs: 5_000,
  /** How far behind what is there a Range request on a blob in flight may begin, to wait rather than ask upstream itself. */
  rangeWaitBytesMax: 8 * 1024 * 1024,
  /** How long a repository waits for the answer to another one's download of the same blob, before it asks by itself. */
  otherDownloadWaitMsMax: 1_000,
  /** Bytes of one download that wait for the disk before its upstream is held back. */
  downloadBufferBytesMax: 2 * 1024 * 1024,
  /** How long blobs are passed through, not cached, after the disk has refused one. */
  diskRetryMs: 5_000,
  /** Largest blob that is kept in memory as a whole: configs, and layers that hold next to nothing. */
  smallBlobBytesMax: 64 * 1024,
  /** Small blobs kept in memory: bytes of all together. The least recently used leave first; the disk keeps them. */
  blobMemoryBytesMax: 64 * 1024 * 1024,
  /** Bytes that one reader of a blob holds in memory. */
  blobReadBytes: 128 * 1024,
  /** How long a client may take nothing of its answer before it is disconnected. Configuration: `gateway.readerSilence`. */
  readerSilenceMs: 60_000,
  /** Largest blob whose size neither its upstream nor a manifest states. */
  undeclaredBlobBytesMax: 4 * 1024 * 1024 * 1024,
  /** Connections to one upstream origin at a time. */
  upstreamConnectionsMax: 128,
  /** Redirects that are followed for one request to an upstream. */
  upstreamRedirectsMax: 5,
  /** Pause before the one quick retry of a request whose connection failed. */
  upstreamRetryMs: 100,
  /** Longest `Retry-After` of an upstream that is obeyed; a longer one is taken for this. */
  upstreamRetryAfterMsMax: 5 * 60_000,
  /** Headers of one interim answer (100 Continue and the like) that are skipped. */
  upstreamInterimBytesMax: 16 * 1024,
  /** Content codings that are undone for one answer of an upstream. */
  upstreamCodingsMax: 3,
  /** How long an upstream is asked by GET alone after GET has contradicted what it answered to HEAD. */
  upstreamHeadRefusedMs: 10 * 60_000,
  /** Other registries that one upstream redirects to, whose challenges are remembered. */
  upstreamRegistriesMax: 100,
  /** How long an upstream's `/v2/` is not asked again after it failed to say how to log in. */
  upstreamChallengeRetryMs: 60_000,
  /** Repositories of one upstream whose token, and whose `Retry-After`, are remembered. */
  upstreamRepositoriesMax: 10_000,
  /** How long before its end a token of an upstream is no longer used. */
  upstreamTokenMarginMs: 10_000,
  /** How long a scrape waits until the files of the image cache are counted; after that it shows what was counted last. */
  cacheSurveyMsMax: 1_000,
  /** Series of one metric family; further label sets share one overflow series. Instruments may set their own. */
  metricSeriesMax: 10_000,
  /** Size of one chunk of an exposition; a single point that is larger makes its own. */
  expositionChunkBytesMax: 64 * 1024,
  /** Expositions that are made at a time; scrapes beyond share one. */
  scrapesMax: 3,
  /** Shared expositions in memory; the next is made when one has been taken by all who share it. */
  scrapeBodiesMax: 4,
  /** How long a scrape may take when the scraper does not say how long it waits. */
  scrapeMsMax: 60_000,
  /** How long encoding an exposition may hold the event loop at a stretch. */
  expositionStretchMsMax: 5,
  /** How long one read of a source may take, unless the source is given a deadline of its own. */
  sourceReadMsMax: 10_000,
  /** Series of one source; a read that finds more is refused. */
  sourceSeriesMax: 10_000,
  /** How long a source may take to close when the process stops. */
  sourceCloseMsMax: 5_000,
  /** Largest exposition that `tonnage lint` reads. */
  lintBytesMax: 64 * 1024 * 1024,
  /** How long reading one input of `tonnage lint` may take. */
  lintMsMax: 60_000,
  /** Problems of one input that `tonnage lint` names; of the rest it says how many there are. */
  lintProblemsMax: 20,
  /** How long Redis may stay silent while an answer is due. What it reads together it also answers together. */
  redisCommandMsMax: 5_000,
  /** How long connecting to a Redis may take, and then again its greeting. */
  redisConnectMsMax: 5_000,
  /** How long a question that comes with the start of the thread that reads a Redis waits for its connection. */
  redisFirstConnectMsMax: 1_000,
  /** How long a command that Redis asks to repeat (LOADING, TRYAGAIN, a moving slot and the like) is tried again. */
  redisRetryMsMax: 3_000,
  /** Longest pause between two tries of such a command. */
  redisRetryPauseMsMax: 250,
  /** Longest pause between two tries to connect to a Redis. */
  redisReconnectMsMax: 2_000,
  /** How often Sentinels are asked whether the primary is another one: they tell the old one only seconds later. */
  redisSentinelMs: 1_000,
  /** How often the slots of a Redis Cluster are asked for while nothing has changed. */
  redisSlotsMs: 60_000,
  /** Longest text of an error of Redis that is passed on. */
  redisMessageLengthMax: 500,
  /** Fields of a hash, or members of a set, that Redis is asked for at once; larger ones are read slice by slice. */
  redisReadFieldsMax: 5_000,
  /** Steps of one query that are under way in Redis at a time. */
  redisReadsInFlightMax: 4,
  /** Fields that Redis visits for one slice (COUNT of HSCAN and SSCAN). */
  redisScanCount: 1_000,
  /** Names, cells or rows that one query of a Redis may hold in memory; one that needs more is refused. */
  queryCellsMax: 1_000_000,
  /** Names of cells whose meaning one query remembers. */
  redisDecodedFieldsMax: 200_000,
  /** Fields of Wave's hash that are looked through in a second, while Wave still writes it. */
  waveRefreshFieldsPerSecond: 20_000,
  /** Pause between two rounds through Wave's hash, while Wave still writes it. */
  waveRefreshPauseMs: 10_000,
  /** Fields of Wave's hash that an import could not tell apart and names; of the rest it says how many there are. */
  waveSkippedNamedMax: 10,
  /** Cells of several batches that one script in Redis takes; a batch that is larger goes alone, and whole. */
  deliveryCellsMax: 2_000,
  /** How often Redis is asked whether it would throw data away (`maxmemory-policy`), and whether it still has details. */
  evictionCheckMs: 30_000,
  /** Meters and days whose details were delivered lately, and are asked for now and then whether they are still there. */
  deliveredTagsMax: 10_000,
  /** How long a delivery waits for replicas to have it; with too few of them it is kept for longer. */
  replicaWaitMsMax: 100,
  /** How long replicas are not waited for after too few of them answered. */
  replicaRetryMs: 1_000,
  /** Fields of a hash that are written to, or deleted from, Redis by one command where there may be many. */
  redisWriteFieldsMax: 5_000,
  /** Tokens of one data directory, expired ones included. */
  tokensMax: 10_000,
  /** For how long requests that fail for the same known reason are not logged again. */
  sameFailureQuietMs: 600_000,
  /** How often it is written down that a token is in use. */
  tokenUsedEveryMs: 3_600_000,
  /** Longest name of a token. */
  tokenNameLengthMax: 100,
  /** Repositories, or folders of them, in the scope of one token. */
  tokenScopeMax: 100,
  /** How long a Seqera Platform may take to say who has a token. Configuration: `identity.platform.timeout`. */
  platformAnswerMsMax: 5_000,
  /** How long its answer is taken for good. Configuration: `identity.platform.cacheFor`. */
  platformMemoryMs: 5 * 60_000,
  /** How long an answer may stand in for one that cannot be had. Configuration: `identity.platform.staleFor`. */
  platformStaleMs: 24 * 3_600_000,
  /** How long a token that it has refused is refused without asking again. */
  platformRefusalMs: 30_000,
  /** How long it is not asked again about a token that it gave no answer to. */
  platformRetryMs: 10_000,
  /** Questions to it that are under way at a time. */
  platformRequestsMax: 32,
  /** Questions to it that wait for their turn; with so many a further client is told to come back. */
  platformRequestsWaitingMax: 1_000,
  /** Shortest password of a configured user, other than their own, that the Platform is asked about as a token. */
  platformTokenLengthMin: 32,
  /** Largest answer of a system that is asked who somebody is. */
  identityAnswerBytesMax: 256 * 1024,
  /** How long an issuer of tokens may take to answer with its keys. */
  oidcAnswerMsMax: 5_000,
  /** How long the keys of an issuer are used before they are fetched again; longer while it does not answer. */
  oidcKeysMs: 10 * 60_000,
  /** Shortest time between two fetches of the keys of an issuer, whatever keys tokens name. */
  oidcRetryMs: 10_000,
  /** How far the clock of an issuer may be off, for the times in its tokens. */
  oidcLeewayMs: 30_000,
} as const;
