// SPDX-License-Identifier: BSD-3-Clause
// The configuration of a device before its first start, as values of its store (store.h).
//
// STORE_CONFIGURATION: fields, each its number (1), its length (2, big-endian), its bytes. Those up to fifteen are the
// core's (core/README.md, config_set). STORE_AUTHORITIES: trusted certificates as tls_start takes them.
#ifndef DEVICE_PROVISIONING_H
#define DEVICE_PROVISIONING_H

enum {
  PROVISIONED_ATSIGN = 1,
  PROVISIONED_DIRECTORY = 2,
  PROVISIONED_APP = 3,
  PROVISIONED_DEVICE = 4,
  PROVISIONED_NAMESPACES = 5,
  PROVISIONED_PASSCODE = 12,
  // "1": an approving client's answer may come without IVs (core/README.md says what that costs).
  PROVISIONED_LEGACY_ANSWER = 13,
  // Whose values are believed: "@alice:5m6360tnmf51ccq0rv4g @bob+"; none: "<PROVISIONED_PEER> *", as in older versions.
  PROVISIONED_PEERS = 15,
  // The application's: namespace, the atSign that receives readings and may command, milliseconds between readings.
  PROVISIONED_NAMESPACE = 32,
  PROVISIONED_PEER = 33,
  PROVISIONED_INTERVAL = 34,
  // The network's: "address mask gateway nameserver", dotted; none: DHCP.
  PROVISIONED_NETWORK = 48,
};

// Most bytes of the configuration and of the certificates together. The longest atSigns, names and addresses fit with one
// pinned peer, ordinary ones with four.
#define PROVISIONED_CONFIGURATION_MAX 512u
#define PROVISIONED_AUTHORITIES_MAX 3072u

#endif
