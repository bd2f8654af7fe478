// SPDX-License-Identifier: BSD-3-Clause
import type { Logger } from "pino";
import { HANDSHAKE_MILLIS } from "../../net/handshakes.ts";
import { retries } from "../../net/retries.ts";
import type { Store } from "../../store/store.ts";

/** PEM texts of one TLS identity. */
export interface TlsIdentity {
  /** Certificate chain, the leaf first. */
  certificate: string;
  privateKey: string;
  /** What peers and the directory are trusted by; the system's roots when absent. */
  authority?: string;
}

/** Limits and times with the protocol's defaults (atProtocol, configuration); times in ms unless the name says otherwise. */
export const defaults = {
  inboundMaxLimit: 200,
  /** Connections of one address (IPv6: of one /64) that nobody is logged in on, TLS handshakes included. */
  anonymousMaxPerAddress: 64,
  /** Connections on which one other atSign is logged in. */
  peerMaxConnections: 16,
  /** `from` without a login, from one address in a minute: of the own atSign, and of others, which the directory is asked for. */
  ownFromPerMinute: 240,
  otherFromPerMinute: 120,
  /** How long a connection may go without a login while the pool is full. */
  newcomerMillis: 10_000,
  handshakeMillis: HANDSHAKE_MILLIS,
  /** Bytes of lines that haven't all come or don't run yet, of all connections. */
  unfinishedLineBytes: 16_777_216,
  /** Bytes of answers and notifications that the other sides of connections haven't read, of all connections. */
  waitingOutputBytes: 16_777_216,
  inboundIdleMillis: 600_000,
  authenticatedInboundIdleMillis: 2_592_000_000,
  outboundMaxLimit: 200,
  outboundIdleMillis: 600_000,
  clientCertificateRequired: true,
  /** Show the proof for a challenge without a verifier's name to who has no certificate. */
  proofWithoutCertificate: true,
  /** Sign the challenges of atServers that don't say who asks. */
  signBareChallenges: true,
  /** Begin a connection to a peer with `to`. */
  toVerbOutboundEnabled: false,
  lookupDepthOfResolution: 3,
  autoNotify: true,
  notificationMaxRetries: retries.notificationDelivery.tries,
  notificationQuarantineMillis: retries.notificationDelivery.firstMillis,
  notificationExpiryMillis: 900_000,
  notificationJobMillis: 5_000,
  /** Of one peer: notifications and copies of its records that are kept, and the bytes they take. */
  peerMaxNotifications: 20_000,
  peerMaxNotificationBytes: 104_857_600,
  peerMaxCachedRecords: 20_000,
  peerMaxCachedBytes: 104_857_600,
  statsNotificationMillis: 15_000,
  enrollmentExpiryMillis: 172_800_000,
  enrollmentMaxRequests: 5,
  enrollmentTimeFrameMillis: 3_600_000,
  otpDelayBaseMillis: 1_000,
  otpDelayThresholdMillis: 55_000,
  expiryJobMillis: 180_000,
  selfRevokeCloseMillis: 10_000,
  directoryCacheMillis: 3_600_000,
  /** How long an atSign that the directory doesn't know isn't asked for again. */
  directoryMissMillis: 10_000,
  directoryIdleMillis: 60_000,
  directoryTimeoutMillis: 30_000,
  peerConnectTimeoutMillis: 10_000,
  peerHandshakeTimeoutMillis: 3_000,
  peerLookupTimeoutMillis: 5_000,
  peerNotifyTimeoutMillis: 10_000,
  /** Entries of one answer to sync. */
  syncPageLimit: 25,
  /** Bytes of one answer to sync; a larger single entry is still given. */
  syncBufferSize: 5_242_880,
  statsTopVisits: 5,
  statsTopKeys: 5,
  commitLogCompactionMillis: 1_080_000,
  accessLogCompactionMillis: 900_000,
  notificationCompactionMillis: 300_000,
  /** Of the entries of the access log, the oldest, that one run drops. */
  accessLogCompactionPercentage: 30,
  accessLogExpiryMillis: 1_296_000_000,
  /** Longest wait for connections to end when a restart is asked for; none with `forceRestart`. */
  restartWaitMillis: 30_000,
  forceRestart: false,
  /** Lets the config verb change parameters. */
  testingMode: false,
} as const;

export type Tuning = {
  -readonly [K in keyof typeof defaults]: (typeof defaults)[K] extends boolean ? boolean : number;
};

/** Most that a limit can be set to. */
export const MAX_COUNT = 1_000_000;
/** Longest period a timer can have. */
export const MAX_TIMER_MILLIS = 2_147_483_647;

/** Fixed by the protocol. */
export const MIN_IDLE_MILLIS = 5_000;
export const MIN_AUTHENTICATED_IDLE_MILLIS = 60_000;
export const CHALLENGE_TTL_MILLIS = 60_000;
export const OTP_TTL_MILLIS = 300_000;
export const ENROLLMENT_NOTICE_TTL_MILLIS = 86_400_000;
export const PUBLIC_CACHE_TTL_MILLIS = 86_400_000;
export const NOOP_MAX_MILLIS = 5_000;
/** Longest life of a notification; a longer one is cut. */
export const MAX_NOTIFICATION_MILLIS = 691_200_000;

/** Lists that go through everything, of those who are not the owner: at work at the same time, and waiting, by kind. */
export const MAX_STRANGERS_LISTS = 2;
export const MAX_WAITING_LISTS = 64;

/** Characters of a batch's answers after which no further command of it is run. */
export const MAX_BATCH_CHARACTERS = 5_242_880;

/** Where the certificate comes from, and the mark beside it that asks for a restart. */
export interface CertificateSource {
  read(): Promise<TlsIdentity>;
  isRestartAsked(): Promise<boolean>;
  /** Sets or removes the mark. */
  askRestart(wanted: boolean): Promise<void>;
}

/** What is asked of whoever starts an atServer. */
export interface ServerConfig extends Partial<Tuning> {
  atSign: string;
  /** 0 takes a free port. */
  port: number;
  /** Address to listen on; `localhost`, also when absent: both loopback addresses. */
  host?: string;
  tls: TlsIdentity;
  /** What a restart reads the certificate from; without it the config verb's triggers only keep their value. */
  certificates?: CertificateSource;
  /** Keys, without the first part of whom they are for, that can't be deleted; `<@atsign>` stands for `atSign`. */
  protectedKeys?: readonly string[];
  /** 48 bytes that TLS session tickets are made with; random ones when absent. */
  ticketKeys?: Buffer;
  /** The atDirectory; with `proxy:` before the host, every atSign is found there. */
  directory: { host: string; port: number };
  /** The CRAM secret; stored at every start until the owner deletes it. */
  sharedSecret?: string;
  store: Store;
  log: Logger;
  /** Version told by `info`; semver. */
  version?: string;
  /** Source of v4 UUIDs; tests replay recorded challenges with it. */
  newId?: () => string;
  /** ms since the epoch. */
  now?: () => number;
}
