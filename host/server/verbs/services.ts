// SPDX-License-Identifier: BSD-3-Clause
import type { Logger } from "pino";
import type { Authorization } from "../access/authorization.ts";
import type { BlockList } from "../access/blockList.ts";
import type { Enrollments } from "../access/enrollments.ts";
import type { FromRate } from "../access/fromRate.ts";
import type { Revoked } from "../access/revocation.ts";
import type { Session } from "../access/session.ts";
import type { Tuning } from "../config/config.ts";
import type { Counters } from "../config/counters.ts";
import type { Monitors } from "../notifications/monitors.ts";
import type { Notifier } from "../notifications/notifier.ts";
import type { Streams } from "../notifications/streams.ts";
import type { Passcodes } from "../passcodes/passcodes.ts";
import type { CacheRefresh } from "../peers/cacheRefresh.ts";
import type { Directory } from "../peers/findPeer.ts";
import type { PeerCertificates } from "../peers/peerCertificate.ts";
import type { Peers } from "../peers/peers.ts";
import type { PeerUsage } from "../peers/peerUsage.ts";
import type { Proofs } from "../peers/proofs.ts";
import type { PublicKeys } from "../peers/publicKeys.ts";
import type { RemoteLookup } from "../peers/remoteLookup.ts";
import type { Records } from "../records/records.ts";
import type { Pause } from "../running/restart.ts";
import type { Compaction } from "../upkeep/compaction.ts";
import type { RuntimeParameters } from "../upkeep/runtimeParameters.ts";
import type { LimitsForOthers } from "./concurrencyLimit.ts";

/** Everything of one running atServer that verbs work with. */
export interface Services {
  readonly atSign: string;
  readonly tuning: Tuning;
  readonly version: string;
  readonly startedAt: number;
  readonly log: Logger;
  readonly now: () => number;
  readonly newId: () => string;
  /** Keys that can't be deleted besides the atServer's own. */
  readonly protectedKeys: readonly string[];
  /** Set while every command is answered AT0024. */
  readonly pause: Pause;
  readonly counters: Counters;
  readonly records: Records;
  readonly blockList: BlockList;
  readonly fromRate: FromRate;
  readonly proofs: Proofs;
  readonly directory: Directory;
  readonly peers: Peers;
  readonly peerCertificates: PeerCertificates;
  readonly publicKeys: PublicKeys;
  readonly remote: RemoteLookup;
  /** What is kept of peers. */
  readonly usage: PeerUsage;
  readonly notifier: Notifier;
  readonly monitors: Monitors;
  readonly cacheRefresh: CacheRefresh;
  readonly streams: Streams;
  readonly compaction: Compaction;
  /** For lists that go through everything, by who asks. */
  readonly lists: LimitsForOthers;
  readonly parameters: RuntimeParameters;
  readonly enrollments: Enrollments;
  readonly passcodes: Passcodes;
  readonly authorization: Authorization;
  /** The certificate chain (PEM) other atServers are shown, and the instant it was taken into use. */
  identity(): { certificate: string; since: number };
  /** Base64 PKCS#8 of the atServer's signing key. */
  signingKey(): string;
  /** The connections that are open. */
  connections(): Iterable<Session>;
  /** Bytes of the connections' lines that haven't come whole or wait for their turn. */
  lineBytes(): number;
  /** Bytes that wait for the other sides of the connections to read them. */
  outputBytes(): number;
  /** Hangs up every connection logged in with what was revoked, except one. */
  closeRevoked(revoked: Revoked, except: Session): void;
}
