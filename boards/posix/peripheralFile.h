// SPDX-License-Identifier: BSD-3-Clause
// The text file that plays the sensors (boards/README.md describes it). It is read again at every use, so that it may
// change while the device runs. A line that can't be read is reported in the log and ignored; of several that fit the last
// one counts.
#ifndef BOARDS_POSIX_PERIPHERAL_FILE_H
#define BOARDS_POSIX_PERIPHERAL_FILE_H

#include <stddef.h>
#include <stdint.h>

// Names the file; it need not be there yet. NULL, as at the start: there is none.
void peripheral_file_start(const char *path);
// 1: a file was named.
int peripheral_file_is_named(void);

// The value of "gpio <number> <value>" or "adc <number> <value>". 1, or 0: there is no such line.
int peripheral_value(const char *kind, unsigned number, unsigned *value);

// What "i2c <bus> <address> <sent> : <answer>" or "spi <bus> <sent> : <answer>" (address 0) answers to the len bytes
// sent, in out; bytes it does not give are ones. 1; 0: there is a line of the bus and address, but none for these bytes;
// negative: there is none at all.
int peripheral_answer(const char *kind, unsigned bus, unsigned address, const uint8_t *sent, size_t len, uint8_t *out,
                      size_t outLen);

#endif
