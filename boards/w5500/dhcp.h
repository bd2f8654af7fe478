// SPDX-License-Identifier: BSD-3-Clause
#ifndef BOARDS_W5500_DHCP_H
#define BOARDS_W5500_DHCP_H

#include <stdint.h>

#include "w5500.h"

#define DHCP_PENDING 0
#define DHCP_LEASED 1
#define DHCP_FAILED (-1)

typedef struct {
  W5500Addresses addresses;
  uint8_t dns[4];
  uint8_t server[4];
  // Seconds the addresses may be used.
  uint32_t seconds;
} DhcpLease;

// Begins to ask for a lease, from scratch (known NULL) or for the one known. 0 begun, negative.
int dhcp_begin(const uint8_t mac[6], uint32_t transaction, const DhcpLease *known);
// DHCP_PENDING, DHCP_LEASED with the lease, or DHCP_FAILED: refused, or nobody answered four times.
int dhcp_step(DhcpLease *lease);

#endif
