// SPDX-License-Identifier: BSD-3-Clause
// The board's one wire to the outside is its UART, so everything goes over it in frames: kind, length (u16,
// little-endian), payload. qemuBoard.ts is the other end.
#ifndef BOARDS_QEMU_RV32_FRAMES_H
#define BOARDS_QEMU_RV32_FRAMES_H

#include <stddef.h>
#include <stdint.h>

// To the host.
enum {
  FRAME_LOG = 'L',      // level, text
  FRAME_OPEN = 'O',     // number of the link (u8), port (u16), host: connect by TCP
  FRAME_SEND = 'S',     // bytes for the link
  FRAME_TAKEN = 'K',    // u16: bytes of the link that were taken, as many more may come
  FRAME_CLOSE = 'C',    // the link
  FRAME_ERASE = 'E',    // sector (u32) of the flash
  FRAME_PROGRAM = 'P',  // offset (u32), page
  FRAME_NOISE = 'N',    // u16: how many random bytes are wanted
  FRAME_REBOOT = 'R',   // the cause of the reset, for the next start
};

// From the host. Those of the link begin with its number, so that what is late for an earlier one is known.
enum {
  FRAME_OPENED = 'o',
  FRAME_FAILED = 'f',
  FRAME_DATA = 'd',    // bytes of the link, at most FRAMES_WINDOW that are not taken yet
  FRAME_CLOSED = 'c',  // by the peer; all its bytes were sent
  FRAME_DONE = 'a',    // the flash operation is durable
  FRAME_RANDOM = 'n',  // bytes asked for
};

#define FRAMES_WINDOW 4096u

void frames_write(uint8_t kind, const void *head, size_t headLen, const void *x, size_t len);

// Takes in what has come; never waits.
void frames_step(void);

// Waits until a frame of this kind came and copies its payload, at most cap bytes; its length.
size_t frames_await(uint8_t kind, uint8_t *out, size_t cap);

// One of HAL_LINK_*, as the frames told, and the number of the link; the link's own file sets them when it opens or
// closes.
extern int frames_link_state;
extern uint8_t frames_link_number;
// Bytes of the link that came and were not taken; frames_take gives them, at most cap, and tells the host.
size_t frames_waiting(void);
size_t frames_take(uint8_t *out, size_t cap);
// Forgets the link's bytes.
void frames_forget(void);

#endif
