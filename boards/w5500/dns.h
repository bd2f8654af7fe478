// SPDX-License-Identifier: BSD-3-Clause
#ifndef BOARDS_W5500_DNS_H
#define BOARDS_W5500_DNS_H

#include <stdint.h>

#define DNS_PENDING 0
#define DNS_FOUND 1
#define DNS_FAILED (-1)

// Asks the server for the IPv4 address of a host name of at most 253 characters. 0 asked, negative.
int dns_begin(const uint8_t server[4], const char *name, uint16_t id);
// DNS_PENDING, DNS_FOUND with the address, or DNS_FAILED: no such name, or no answer to three questions.
int dns_step(uint8_t ip[4]);

#endif
