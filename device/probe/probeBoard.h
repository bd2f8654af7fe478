// SPDX-License-Identifier: BSD-3-Clause
// What the probe asks of a board: a serial line and a counter.

#ifndef ATMICRO_ENGINE_BOARD_H
#define ATMICRO_ENGINE_BOARD_H

#include <stdint.h>

/** Clocks and the serial line, before anything else. */
void probe_board_start(void);

/** The next byte of the serial line; waits for it. */
uint8_t probe_board_read(void);

/** Sends a byte; waits while the line is full. */
void probe_board_write(uint8_t byte);

/** A counter of the board: clock cycles, or instructions where no cycles are known. Differences are what counts. */
uint64_t probe_board_count(void);

/** Bytes of native stack used since the last call of this function (it fills the free stack), 0 when the board can't say. */
uint32_t probe_board_stack(void);

#endif
