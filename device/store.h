// SPDX-License-Identifier: BSD-3-Clause
// Values by number on the flash of hal.h, safe against power cuts: a value is either the old one or the new one.
//
// The sectors are two halves. A half holds a first page, "atm2", its generation and their CRC-32, and then records,
// each from a page's start: "rec" and 0x01, number (2), length (2), CRC-32 of number, length and value (4), then the
// value. Numbers little-endian; CRC-32 of IEEE 802.3. The last whole record of a number counts; length 0 erases. When a
// half is full, what counts is copied into the other one, whose first page is written last and makes it the valid one.
//
// The first format, "atms", had eight sectors, now the last ones of sixteen or more: the newer of its halves is moved
// into the first half of this format when the store is opened first. Every format begins its halves with "atm", a
// character of its own, four bytes and the CRC-32 of these eight: one that is not known here is a newer version's.
#ifndef DEVICE_STORE_H
#define DEVICE_STORE_H

#include <stdint.h>

// 1 to 15 are the core's slots, the others this runtime's.
enum { STORE_CONFIGURATION = 16, STORE_AUTHORITIES = 17, STORE_CRASH = 18, STORE_NUMBERS = 24 };
// The core's table of numbers seen: it must not be an older one than was last written. When something behind its last
// whole record can't be read, or the first page of the half that isn't valid can't, it can't be read either until it is
// written again, after a restart or a copy into the other half, too.
#define STORE_GUARDED 4u

#define STORE_FAILED (-1)
// The store has a format that is not known here, a newer version's: nothing was changed.
#define STORE_NEWER (-2)

// Finds the valid half, moves the first format's, or begins an empty one. 0, STORE_FAILED or STORE_NEWER.
int store_open(void);
// The value's length, 0 when there is none; STORE_FAILED when it is longer than cap or can't be read.
int32_t store_read(uint32_t number, uint8_t *out, uint32_t cap);
// Replaces the value (len 0 erases it); it is read back before this returns. 0 or STORE_FAILED.
int32_t store_write(uint32_t number, const uint8_t *x, uint32_t len);

// CRC-32 of IEEE 802.3 over x, continuing from crc (0 at the start).
uint32_t crc32(uint32_t crc, const uint8_t *x, uint32_t len);

#endif
