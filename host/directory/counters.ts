// SPDX-License-Identifier: BSD-3-Clause

/** What an atDirectory did since its start. */
export class DirectoryCounters {
  connections = 0;
  handshakeFailures = 0;
  /** Lookups of names that are registered. */
  found = 0;
  /** Lookups answered with null. */
  missing = 0;
  /** Lookups the store didn't answer. */
  failed = 0;
}
