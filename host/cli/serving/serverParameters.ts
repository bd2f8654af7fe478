// SPDX-License-Identifier: BSD-3-Clause
// Everything that can be set for an atServer before it starts (atProtocol, configuration). Secrets are no parameters.
import { readAddress } from "../../net/address.ts";
import { MAX_HANDSHAKE_MILLIS, MIN_HANDSHAKE_MILLIS } from "../../net/handshakes.ts";
import {
  defaults,
  MAX_COUNT,
  MAX_NOTIFICATION_MILLIS,
  MAX_TIMER_MILLIS,
  MIN_AUTHENTICATED_IDLE_MILLIS,
  MIN_IDLE_MILLIS,
} from "../../server/config/config.ts";
import type {
  ListParameter,
  NumberParameter,
  Parameter,
  TextParameter,
  TuningOf,
} from "./parameter.ts";

const KILO = 1_024;
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const YEAR = 365 * DAY;

type NumberOptions = Omit<NumberParameter, "kind" | "initial" | "tuning" | "factor">;

/** A number of the server's tuning, whose default is the tuning's. */
function tuned(tuning: TuningOf<number>, factor: number, options: NumberOptions): NumberParameter {
  return { kind: "number", ...options, tuning, factor, initial: defaults[tuning] / factor };
}

function idle(min: number): Pick<NumberOptions, "unit" | "min" | "max"> {
  return { unit: "ms", min, max: YEAR };
}

function period(unit: string, factor: number): Pick<NumberOptions, "unit" | "min" | "max"> {
  return { unit, min: 1, max: Math.floor(MAX_TIMER_MILLIS / factor) };
}

const count = { unit: "", min: 1, max: MAX_COUNT };

function pathOf(options: Omit<TextParameter, "kind" | "expected" | "read">): TextParameter {
  const read = (text: string): string | undefined => (text === "" ? undefined : text);
  return { kind: "text", expected: "a path", read, ...options };
}

/** Log levels of the original by ours. */
const levels: Readonly<Record<string, string>> = {
  ...{ all: "trace", finest: "trace", finer: "trace", fine: "debug", config: "debug" },
  ...{ info: "info", warning: "warn", severe: "error", shout: "fatal", off: "silent" },
  ...{ trace: "trace", debug: "debug", warn: "warn", error: "error", fatal: "fatal" },
  silent: "silent",
};

/** Stands before the host of a directory that is not asked. */
export const PROXY = "proxy:";
const MAX_PORT = 65_535;

function readDirectory(text: string): string | undefined {
  const host = text.startsWith(PROXY) ? text.slice(PROXY.length) : text;
  return readAddress(host) === undefined ? undefined : text;
}

export const directoryHost: TextParameter = {
  kind: "text",
  path: "root_server.url",
  env: ["rootServerUrl"],
  flag: "directory",
  text: "the atDirectory, host or host:port",
  initial: "root.atsign.org",
  expected: "a host or host:port",
  read: readDirectory,
};

export const directoryPort: NumberParameter = {
  kind: "number",
  path: "root_server.port",
  env: ["rootServerPort"],
  flag: "directory-port",
  text: "port of the atDirectory, unless it is named with the host",
  unit: "",
  min: 1,
  max: MAX_PORT,
  initial: 64,
  factor: 1,
};

const directory: readonly Parameter[] = [
  tuned("directoryMissMillis", SECOND, {
    path: "root_server.missSeconds",
    env: ["rootServerMissSeconds"],
    flag: "directory-miss-seconds",
    text: "time an atSign that the atDirectory doesn't know isn't asked for again",
    ...period("s", SECOND),
  }),
  tuned("directoryIdleMillis", SECOND, {
    path: "root_server.idleSeconds",
    env: ["rootServerIdleSeconds"],
    flag: "directory-idle-seconds",
    text: "time the connection to the atDirectory is kept without a question",
    ...period("s", SECOND),
  }),
];

export const logLevel: TextParameter = {
  kind: "text",
  path: "log.level",
  env: ["logLevel"],
  flag: "log-level",
  text: "fatal, error, warn, info, debug, trace or silent",
  initial: "info",
  expected: "fatal, error, warn, info, debug, trace or silent",
  read: (text) => levels[text.toLowerCase()],
};

export const certificate = pathOf({
  path: "security.certificateChainLocation",
  env: ["securityCertificateChainLocation"],
  flag: "certificate",
  text: "certificate chain, PEM, own certificate first",
});

export const privateKey = pathOf({
  path: "security.privateKeyLocation",
  env: ["securityPrivateKeyLocation"],
  flag: "private-key",
  text: "private key of the certificate, PEM",
});

export const authority = pathOf({
  path: "security.trustedCertificateLocation",
  env: ["securityTrustedCertificateLocation"],
  flag: "authority",
  text: "certificates other servers are trusted by, PEM; the system's when absent",
});

export const storeFolder = pathOf({
  path: "hive.storagePath",
  env: ["secondaryStoragePath"],
  flag: "store",
  text: "where everything is kept",
});

export const protectedKeys: ListParameter = {
  kind: "list",
  path: "hive.protectedKeys",
  env: ["hiveProtectedKeys"],
  flag: "protected-keys",
  text: "keys that can't be deleted besides the server's own, <@atsign> for whom it serves",
  initial: [],
};

const basics: readonly Parameter[] = [
  certificate,
  privateKey,
  authority,
  storeFolder,
  directoryHost,
  directoryPort,
  logLevel,
];

const connections: readonly Parameter[] = [
  ...directory,
  tuned("inboundMaxLimit", 1, {
    path: "connection.inbound_max_limit",
    env: ["inbound_max_limit"],
    flag: "inbound-max-limit",
    text: "connections from outside",
    ...count,
  }),
  tuned("outboundMaxLimit", 1, {
    path: "connection.outbound_max_limit",
    env: ["outbound_max_limit"],
    flag: "outbound-max-limit",
    text: "connections to other atServers",
    ...count,
  }),
  tuned("anonymousMaxPerAddress", 1, {
    path: "connection.unauthenticated_max_per_address",
    env: ["unauthenticated_max_per_address"],
    flag: "unauthenticated-max-per-address",
    text: "connections without a login from one address (IPv6: from one /64)",
    ...count,
  }),
  tuned("peerMaxConnections", 1, {
    path: "connection.peer_max_connections",
    env: ["peer_max_connections"],
    flag: "peer-max-connections",
    text: "connections on which one other atSign is logged in",
    ...count,
  }),
  tuned("handshakeMillis", 1, {
    path: "connection.handshake_time_millis",
    env: ["handshake_time_millis"],
    flag: "handshake-time-millis",
    text: "time for a connection's TLS handshake; longer for small devices behind slow links",
    unit: "ms",
    min: MIN_HANDSHAKE_MILLIS,
    max: MAX_HANDSHAKE_MILLIS,
  }),
  tuned("ownFromPerMinute", 1, {
    path: "connection.own_from_per_minute",
    env: ["own_from_per_minute"],
    flag: "own-from-per-minute",
    text: "from of the own atSign without a login behind it, from one address in a minute",
    ...count,
  }),
  tuned("otherFromPerMinute", 1, {
    path: "connection.other_from_per_minute",
    env: ["other_from_per_minute"],
    flag: "other-from-per-minute",
    text: "from of other atSigns without a login behind it, from one address in a minute",
    ...count,
  }),
  tuned("unfinishedLineBytes", 1, {
    path: "connection.unfinished_line_bytes",
    env: ["unfinished_line_bytes"],
    flag: "unfinished-line-bytes",
    text: "size of all lines together that haven't come whole or wait for their turn",
    unit: "B",
    min: 1_048_576,
    max: 1_073_741_824,
  }),
  tuned("waitingOutputBytes", 1, {
    path: "connection.waiting_output_bytes",
    env: ["waiting_output_bytes"],
    flag: "waiting-output-bytes",
    text: "size of everything together that the other sides of connections haven't read yet",
    unit: "B",
    min: 1_048_576,
    max: 1_073_741_824,
  }),
  tuned("inboundIdleMillis", 1, {
    path: "connection.inbound_idle_time_millis",
    otherPaths: ["connection.inbound_idletime_millis"],
    env: ["inbound_idletime_millis"],
    flag: "inbound-idle-time-millis",
    text: "idle time of a connection without a login",
    ...idle(MIN_IDLE_MILLIS),
  }),
  tuned("authenticatedInboundIdleMillis", 1, {
    path: "connection.authenticated_inbound_idle_time_millis",
    otherPaths: ["connection.authenticated_inbound_idletime_millis"],
    env: ["authenticated_inbound_idletime_millis"],
    flag: "authenticated-inbound-idle-time-millis",
    text: "idle time of a connection with a login",
    ...idle(MIN_AUTHENTICATED_IDLE_MILLIS),
  }),
  tuned("outboundIdleMillis", 1, {
    path: "connection.outbound_idle_time_millis",
    otherPaths: ["connection.outbound_idletime_millis"],
    env: ["outbound_idletime_millis"],
    flag: "outbound-idle-time-millis",
    text: "idle time of a connection to another atServer",
    ...idle(SECOND),
  }),
  {
    kind: "number",
    path: "connection.authenticated_outbound_idle_time_millis",
    env: [],
    text: "idle time of a connection that is logged in at another atServer",
    unit: "ms",
    min: 1,
    max: YEAR,
    initial: defaults.outboundIdleMillis,
    factor: 1,
    ineffective: "outbound_idle_time_millis is for all of them",
  },
  {
    kind: "boolean",
    path: "security.clientCertificateRequired",
    env: ["clientCertificateRequired"],
    flag: "client-certificate-required",
    text: "demand a certificate of other atServers",
    initial: defaults.clientCertificateRequired,
    tuning: "clientCertificateRequired",
  },
  {
    kind: "boolean",
    path: "security.proofWithoutCertificate",
    env: ["proofWithoutCertificate"],
    flag: "proof-without-certificate",
    text: "prove the atSign to an older atServer that shows no certificate; false where atSigns share a host",
    initial: defaults.proofWithoutCertificate,
    tuning: "proofWithoutCertificate",
  },
  {
    kind: "boolean",
    path: "security.signBareChallenges",
    env: ["signBareChallenges"],
    flag: "sign-bare-challenges",
    text: "log in at an older atServer, whose challenge doesn't say whose it is",
    initial: defaults.signBareChallenges,
    tuning: "signBareChallenges",
  },
  {
    kind: "boolean",
    path: "protocol.toVerbOutboundEnabled",
    env: ["toVerbOutboundEnabled"],
    flag: "to-verb-outbound-enabled",
    text: "say to another atServer first whose it should be; older ones hang up on that, and are connected to again",
    initial: defaults.toVerbOutboundEnabled,
    tuning: "toVerbOutboundEnabled",
  },
  {
    kind: "boolean",
    path: "security.useTLS",
    otherPaths: ["security.useSSL"],
    env: ["useTLS", "useSSL"],
    flag: "use-tls",
    text: "speak TLS",
    initial: true,
    onlyTrue: "an atServer without TLS isn't offered",
  },
  {
    kind: "boolean",
    path: "certificate_expiry.force_restart",
    env: ["forceRestart"],
    flag: "force-restart",
    text: "hang up at once when a restart is asked for, instead of after 30 s",
    initial: defaults.forceRestart,
    tuning: "forceRestart",
  },
];

const data: readonly Parameter[] = [
  protectedKeys,
  tuned("lookupDepthOfResolution", 1, {
    path: "lookup.depth_of_resolution",
    env: ["lookup_depth_of_resolution"],
    flag: "lookup-depth-of-resolution",
    text: "references followed from one value to the next",
    unit: "",
    min: 1,
    max: 100,
  }),
  tuned("syncPageLimit", 1, {
    path: "sync.pageLimit",
    env: ["syncPageLimit"],
    flag: "sync-page-limit",
    text: "entries of one answer to sync",
    unit: "",
    min: 1,
    max: 10_000,
  }),
  tuned("syncBufferSize", 1, {
    path: "sync.bufferSize",
    env: ["syncBufferSize"],
    flag: "sync-buffer-size",
    text: "size of one answer to sync; a single larger entry is still given",
    unit: "B",
    min: 1,
    max: 104_857_600,
  }),
  tuned("statsTopVisits", 1, {
    path: "stats.top_visits",
    env: ["statsTopVisits"],
    flag: "stats-top-visits",
    text: "most frequent visitors shown by stats",
    unit: "",
    min: 1,
    max: 1_000,
  }),
  tuned("statsTopKeys", 1, {
    path: "stats.top_keys",
    env: ["statsTopKeys"],
    flag: "stats-top-keys",
    text: "most frequent keys shown by stats",
    unit: "",
    min: 1,
    max: 1_000,
  }),
];

const notifications: readonly Parameter[] = [
  {
    kind: "boolean",
    path: "notification.autoNotify",
    env: ["autoNotify"],
    flag: "auto-notify",
    text: "tell others of records shared with them",
    initial: defaults.autoNotify,
    tuning: "autoNotify",
  },
  tuned("notificationMaxRetries", 1, {
    path: "notification.max_retries",
    env: ["maxNotificationRetries"],
    flag: "notification-max-retries",
    text: "attempts before a notification is given up",
    unit: "",
    min: 0,
    max: MAX_COUNT,
  }),
  tuned("notificationQuarantineMillis", SECOND, {
    path: "notification.quarantineDuration",
    env: ["notificationQuarantineDuration"],
    flag: "notification-quarantine-duration",
    text: "first pause before a silent atServer is tried again",
    ...period("s", SECOND),
  }),
  tuned("notificationJobMillis", SECOND, {
    path: "notification.jobFrequency",
    env: ["notificationJobFrequency"],
    flag: "notification-job-frequency",
    text: "time between two looks at what waits",
    ...period("s", SECOND),
  }),
  tuned("statsNotificationMillis", SECOND, {
    path: "notification.statsNotificationJobTimeInterval",
    env: ["statsNotificationJobTimeInterval"],
    flag: "stats-notification-job-time-interval",
    text: "time between two statistics for monitors, -1 for none",
    ...period("s", SECOND),
    off: -1,
  }),
  tuned("notificationExpiryMillis", MINUTE, {
    path: "notification.expiryInMins",
    env: ["notificationExpiryInMins"],
    flag: "notification-expiry-in-mins",
    text: "life of a notification that states none",
    unit: "min",
    min: 1,
    max: MAX_NOTIFICATION_MILLIS / MINUTE,
  }),
];

const kilobytes = { unit: "kB", min: 1, max: MAX_COUNT };

const peers: readonly Parameter[] = [
  tuned("peerMaxNotifications", 1, {
    path: "peers.maxNotifications",
    env: ["peerMaxNotifications"],
    flag: "peer-max-notifications",
    text: "notifications of one atSign that are kept; it is told to try again later beyond",
    ...count,
  }),
  tuned("peerMaxNotificationBytes", KILO, {
    path: "peers.maxNotificationsKB",
    env: ["peerMaxNotificationsKB"],
    flag: "peer-max-notifications-kb",
    text: "what these may take",
    ...kilobytes,
  }),
  tuned("peerMaxCachedRecords", 1, {
    path: "peers.maxCachedRecords",
    env: ["peerMaxCachedRecords"],
    flag: "peer-max-cached-records",
    text: "copies of the records of one atSign that are kept",
    ...count,
  }),
  tuned("peerMaxCachedBytes", KILO, {
    path: "peers.maxCachedKB",
    env: ["peerMaxCachedKB"],
    flag: "peer-max-cached-kb",
    text: "what these may take",
    ...kilobytes,
  }),
];

const enrollment: readonly Parameter[] = [
  tuned("enrollmentExpiryMillis", HOUR, {
    path: "enrollment.expiryInHours",
    env: ["enrollmentExpiryInHours"],
    flag: "enrollment-expiry-in-hours",
    text: "time in which an enrollment has to be decided",
    unit: "h",
    min: 1,
    max: YEAR / HOUR,
  }),
  tuned("enrollmentMaxRequests", 1, {
    path: "enrollment.maxRequestsPerTimeFrame",
    env: ["maxEnrollRequestsAllowed"],
    flag: "enrollment-max-requests-per-time-frame",
    text: "enrollment requests of a connection in the time frame",
    unit: "",
    min: 0,
    max: MAX_COUNT,
  }),
  tuned("enrollmentTimeFrameMillis", HOUR, {
    path: "enrollment.timeFrameInHours",
    env: ["enrollTimeFrameInHours"],
    flag: "enrollment-time-frame-in-hours",
    text: "the time frame",
    unit: "h",
    min: 1,
    max: YEAR / HOUR,
  }),
  tuned("otpDelayThresholdMillis", SECOND, {
    path: "enrollment.delayIntervalThreshold",
    env: ["enrollmentDelayIntervalThreshold"],
    flag: "enrollment-delay-interval-threshold",
    text: "longest delay behind wrong passcodes of an address, and the quiet time that ends it",
    ...period("s", SECOND),
  }),
];

interface CompactionNames {
  readonly section: string;
  readonly env: string;
  readonly flag: string;
  readonly what: string;
  readonly days: number;
  readonly kilobytes: number;
}

/** Parameters of a compaction that change nothing here, as an atServer of the same configuration has them. */
function idleCompaction(
  { section, env, what, days, kilobytes }: CompactionNames,
  shares: { readonly percentage?: string; readonly days?: string; readonly size: string },
): Parameter[] {
  const common = { kind: "number", min: 1, max: MAX_COUNT, factor: 1 } as const;
  const made: Parameter[] = [];
  if (shares.percentage !== undefined) {
    made.push({
      ...common,
      path: `${section}.compactionPercentage`,
      env: [`${env}CompactionPercentage`],
      text: `share of the entries of ${what} one run removes`,
      unit: "%",
      max: 100,
      initial: section === "commit_log_compaction" ? 20 : 30,
      ineffective: shares.percentage,
    });
  }
  if (shares.days !== undefined) {
    made.push({
      ...common,
      path: `${section}.expiryInDays`,
      env: [`${env}ExpiryInDays`],
      text: `age from which entries of ${what} are removed`,
      unit: "d",
      initial: days,
      ineffective: shares.days,
    });
  }
  made.push({
    ...common,
    path: `${section}.sizeInKB`,
    env: [`${env}SizeInKB`],
    text: `size from which entries of ${what} are removed`,
    unit: "kB",
    off: -1,
    initial: kilobytes,
    ineffective: shares.size,
  });
  return made;
}

function compactionPeriod(
  tuning: TuningOf<number>,
  { section, env, flag, what }: CompactionNames,
): NumberParameter {
  return tuned(tuning, MINUTE, {
    path: `${section}.compactionFrequencyMins`,
    env: [`${env}CompactionFrequencyMins`],
    flag: `${flag}-compaction-frequency-mins`,
    text: `time between two compactions of ${what}`,
    ...period("min", MINUTE),
  });
}

const commitLog: CompactionNames = {
  section: "commit_log_compaction",
  env: "commitLog",
  flag: "commit-log",
  what: "the commit log",
  days: 15,
  kilobytes: 2,
};
const accessLog: CompactionNames = {
  section: "access_log_compaction",
  env: "accessLog",
  flag: "access-log",
  what: "the access log",
  days: 15,
  kilobytes: 2,
};
const notificationStore: CompactionNames = {
  section: "notification_keystore_compaction",
  env: "notificationKeyStore",
  flag: "notification-keystore",
  what: "the notification store",
  days: 1,
  kilobytes: -1,
};

const ONE_ENTRY = "the commit log has one entry a key at all times";
const OWN_EXPIRY = "a notification is removed when it expires";

const compactions: readonly Parameter[] = [
  compactionPeriod("commitLogCompactionMillis", commitLog),
  ...idleCompaction(commitLog, { percentage: ONE_ENTRY, days: ONE_ENTRY, size: ONE_ENTRY }),
  compactionPeriod("accessLogCompactionMillis", accessLog),
  tuned("accessLogCompactionPercentage", 1, {
    path: "access_log_compaction.compactionPercentage",
    env: ["accessLogCompactionPercentage"],
    flag: "access-log-compaction-percentage",
    text: "share of the access log, its oldest entries, one compaction removes",
    unit: "%",
    min: 0,
    max: 100,
  }),
  tuned("accessLogExpiryMillis", DAY, {
    path: "access_log_compaction.expiryInDays",
    env: ["accessLogExpiryInDays"],
    flag: "access-log-expiry-in-days",
    text: "age from which a compaction removes entries of the access log",
    unit: "d",
    min: 1,
    max: YEAR / DAY,
  }),
  ...idleCompaction(accessLog, { size: "the access log is kept short by number" }),
  compactionPeriod("notificationCompactionMillis", notificationStore),
  ...idleCompaction(notificationStore, {
    percentage: OWN_EXPIRY,
    days: OWN_EXPIRY,
    size: OWN_EXPIRY,
  }),
];

const testing: readonly Parameter[] = [
  {
    kind: "boolean",
    path: "testing.testingMode",
    env: ["testingMode"],
    flag: "testing-mode",
    text: "let the owner change parameters with the config verb",
    initial: defaults.testingMode,
    tuning: "testingMode",
  },
];

const ONE_STORE = "everything is in one store, in the folder hive.storagePath";
const SAME_CERTIFICATE = "other atServers are shown the server's own certificate";
const NONE_MALFORMED = "keys of a wrong form are never stored";

/** What an atServer of the same configuration knows and this one has no use for. */
const unused: readonly Parameter[] = [
  pathOf({
    path: "hive.commitLogPath",
    env: ["commitLogPath"],
    text: "folder of the commit log",
    ineffective: ONE_STORE,
  }),
  pathOf({
    path: "hive.accessLogPath",
    env: ["accessLogPath"],
    text: "folder of the access log",
    ineffective: ONE_STORE,
  }),
  pathOf({
    path: "hive.notificationStoragePath",
    env: ["notificationStoragePath"],
    text: "folder of the notifications",
    ineffective: ONE_STORE,
  }),
  {
    kind: "number",
    path: "hive.expiringRunFrequencyMins",
    env: ["expiringRunFreqMins"],
    text: "time between two removals of what expired",
    unit: "min",
    min: 1,
    max: MAX_COUNT,
    initial: 10,
    factor: 1,
    ineffective: "the job runs every 3 minutes",
  },
  {
    kind: "list",
    path: "hive.malformedKeys",
    env: ["hiveMalformedKeys"],
    text: "keys removed at the start",
    initial: [],
    ineffective: NONE_MALFORMED,
  },
  {
    kind: "boolean",
    path: "hive.shouldRemoveMalformedKeys",
    env: ["shouldRemoveMalformedKeys"],
    text: "remove keys of a wrong form at the start",
    initial: true,
    ineffective: NONE_MALFORMED,
  },
  {
    kind: "boolean",
    path: "hive.skipCommitsForExpiredKeys",
    env: [],
    text: "keep the removal of what expired out of the commit log",
    initial: false,
    ineffective: "such a removal is committed, so that clients learn of it",
  },
  {
    kind: "number",
    path: "refreshJob.runJobHour",
    env: ["runRefreshJobHour"],
    text: "hour at which cached records are refreshed",
    unit: "h",
    min: 0,
    max: 23,
    initial: 3,
    factor: 1,
    ineffective: "the hour is chosen at the start, so that not all atServers have the same",
  },
  pathOf({
    path: "security.certificateChainLocationMtls",
    env: [],
    text: "certificate chain shown to other atServers",
    ineffective: SAME_CERTIFICATE,
  }),
  pathOf({
    path: "security.privateKeyLocationMtls",
    env: [],
    text: "private key of the certificate shown to other atServers",
    ineffective: SAME_CERTIFICATE,
  }),
];

export interface ParameterGroup {
  /** Heading in the help; absent for the options everybody needs. */
  readonly heading?: string;
  readonly parameters: readonly Parameter[];
}

export const parameterGroups: readonly ParameterGroup[] = [
  { parameters: basics },
  { heading: "Connections:", parameters: connections },
  { heading: "Data:", parameters: data },
  { heading: "Notifications:", parameters: notifications },
  { heading: "Peers:", parameters: peers },
  { heading: "Enrollment:", parameters: enrollment },
  { heading: "Logs:", parameters: compactions },
  { heading: "Testing:", parameters: testing },
  { parameters: unused },
];

/** Every parameter, in the order of the help. */
export const serverParameters: readonly Parameter[] = parameterGroups.flatMap(
  ({ parameters }) => parameters,
);
