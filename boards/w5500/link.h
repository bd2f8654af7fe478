// SPDX-License-Identifier: BSD-3-Clause
#ifndef BOARDS_W5500_LINK_H
#define BOARDS_W5500_LINK_H

#include <stdint.h>

#include "w5500.h"

typedef struct {
  uint8_t mac[6];
  // 1: the addresses below; 0: DHCP.
  int is_static;
  W5500Addresses addresses;
  uint8_t dns[4];
} LinkConfiguration;

// Starts the Ethernet chip. Before any hal_link_* function. 0, or negative: it does not answer.
int link_start(const LinkConfiguration *configuration);
// Moves address lease, name look-up and connection on; for hal_wait, before and after it sleeps. Never waits.
void link_step(void);

#endif
