// SPDX-License-Identifier: BSD-3-Clause
// The addresses the core asks its board to connect to; core/test/vectors/addresses.json has the cases every reader of
// addresses agrees on.
#ifndef DEVICE_ADDRESS_H
#define DEVICE_ADDRESS_H

#include <stdint.h>

// Longest host.
#define ADDRESS_HOST_MAX 253u

// Reads "host:port", or "[address]:port" with an IPv6 address, whose digits and colons alone are looked at: the board's
// network knows what they mean. host is terminated and without brackets. 0, or -1: it is neither.
int address_read(const char *x, uint32_t len, char host[ADDRESS_HOST_MAX + 1], uint16_t *port);

#endif
