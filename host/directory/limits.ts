// SPDX-License-Identifier: BSD-3-Clause
import { HANDSHAKE_MILLIS } from "../net/handshakes.ts";

/** How much an atDirectory takes upon itself. */
export interface DirectoryLimits {
  /** Connections; one more takes the place of the longest idle. */
  readonly maxConnections: number;
  /** Connections of one address (IPv6: of one /64), those in their TLS handshake included. */
  readonly maxPerAddress: number;
  /** How long a connection may be silent, ms. */
  readonly idleMillis: number;
  /** Time for a TLS handshake, ms. */
  readonly handshakeMillis: number;
}

export const directoryLimits: DirectoryLimits = {
  maxConnections: 1_000,
  maxPerAddress: 256,
  idleMillis: 600_000,
  handshakeMillis: HANDSHAKE_MILLIS,
};

/**
 * Connections whose other side has taken less than what was answered, at once; one more ends the one that reads nothing for
 * longest. What TLS keeps of such a connection, a quarter megabyte, is the most that one can cost.
 */
export const MAX_SLOW_READERS = 64;
