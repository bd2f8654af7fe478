// SPDX-License-Identifier: BSD-3-Clause
import type { PeerCertificate } from "node:tls";
import type { TextPattern } from "../../wire/notification.ts";

/** What the monitor command of a connection asked for. */
export interface MonitorFilter {
  regex: TextPattern;
  selfNotifications: boolean;
  /** Leave out statistics that don't fit the regular expression. */
  strict: boolean;
  /** Hold lines back while a request of this connection runs. */
  multiplexed: boolean;
}

/**
 * What a connection has to answer to log in, made by `from` (atProtocol, from, cram, pkam and pol). It belongs to its
 * connection: no other one and no later process can use it, and the next `from` replaces it.
 */
export interface LoginChallenge {
  /** Who said `from`. */
  readonly atSign: string;
  readonly text: string;
  /** ms since the epoch. */
  readonly madeAt: number;
}

/** State of one connection as verbs see it; the socket stays with the connection. */
export interface Session {
  /** `_` and a v4 UUID, fixed for the connection's life. */
  readonly id: string;
  /** IP address the connection comes from; IPv4 in dotted form also on an IPv6 socket. */
  readonly remoteAddress: string;
  /** ms since the epoch. */
  readonly openedAt: number;
  /** ms since the epoch of the last write; counts as idle since then. */
  readonly lastWrite: number;
  /** Nothing more is read from the connection, nor written to it. */
  readonly closed: boolean;
  /** The own atSign after from of the owner, the other's after from of a peer. */
  fromAtSign?: string;
  /** What the next login has to answer; gone with the first answer. */
  challenge?: LoginChallenge;
  owner: boolean;
  authType?: "cram" | "pkam" | "apkam";
  enrollmentId?: string;
  /** The peer's atSign once pol succeeded. */
  peer?: string;
  /** Errors as JSON, for client versions above 3.0.37. */
  jsonErrors: boolean;
  /** Instants of this connection's enroll:request commands within the time frame. */
  enrollRequests: number[];
  monitor?: MonitorFilter;
  /** Certificate the other side presented in the TLS handshake. */
  peerCertificate(): PeerCertificate | undefined;
  /** Sends bytes as they are, without a prompt. */
  send(bytes: string | Uint8Array): void;
  /** Resolves once the other side has taken enough for more to be sent, or has hung up. */
  drained(): Promise<void>;
  /** Hands every byte received from now on to another connection. */
  relayTo(receiver: Session): void;
  /** Hangs up. */
  close(): void;
  /** Hangs up after `delayMillis`. */
  closeAfter(delayMillis: number): void;
  /** Writes a line, with its line feed, to a monitoring connection. */
  push(line: Buffer): void;
  /** Writes lines as fast as the other side reads, before any pushed later. */
  replay(lines: Iterable<Buffer>): void;
}

/** Who the connection is to the data: the owner, a peer, or anybody. */
export function standing(session: Session): "owner" | "peer" | "anonymous" {
  if (session.owner) return "owner";
  return session.peer === undefined ? "anonymous" : "peer";
}

/** The enrollment whose rights a connection has; undefined with a login that isn't limited to one. */
export function actingEnrollment({ authType, enrollmentId }: Session): string | undefined {
  return authType === "apkam" ? enrollmentId : undefined;
}

/** Forgets a login, as a failed one does. */
export function resetLogin(session: Session): void {
  session.owner = false;
  delete session.authType;
  delete session.enrollmentId;
}
