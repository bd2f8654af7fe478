// SPDX-License-Identifier: BSD-3-Clause
// What the W5500's drivers need of a board besides device/hal.h. A board with this chip implements these functions and
// compiles this folder with its own.
#ifndef BOARDS_W5500_BUS_H
#define BOARDS_W5500_BUS_H

#include <stddef.h>
#include <stdint.h>

// Chip select of the W5500: 1 takes SCSn low, 0 takes it high.
void bus_select(int selected);
// Sends len bytes of x (NULL: 0xff) in SPI mode 0, at most 33.3 MHz, while the chip is selected; out gets the bytes that
// come back (NULL: they are dropped). Returns when all are through.
void bus_transfer(const uint8_t *x, uint8_t *out, size_t len);
// RSTn: 1 takes it low and makes INTn an input with pull-up, 0 takes RSTn high.
void bus_reset(int held);
// 1 while INTn is low.
int bus_interrupt(void);
// Microseconds of a clock that only goes forward.
uint64_t bus_us(void);

#endif
