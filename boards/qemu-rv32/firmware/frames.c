// SPDX-License-Identifier: BSD-3-Clause
#include "frames.h"

#include <string.h>

#include "../virt.h"
#include "device/hal.h"

int frames_link_state = HAL_LINK_CLOSED;
uint8_t frames_link_number;

// Bytes of the link, a ring; the window keeps the host from overrunning it.
static uint8_t data[FRAMES_WINDOW];
static size_t first;
static size_t count;

// The frame that is coming in.
static struct {
  uint8_t head[3];
  uint8_t got;   // bytes of head
  uint16_t left;  // bytes of payload still to come
  int is_first;   // of the payload
  int is_late;    // it belongs to an earlier link
} incoming;

// Payload of the answer that is awaited.
static struct {
  uint8_t kind;  // 0: none
  uint8_t *out;
  size_t cap;
  size_t len;
  int is_there;
} answer;

static void write_bytes(const uint8_t *x, size_t len) {
  for (size_t i = 0; i < len; i++) virt_uart_write(x[i]);
}

void frames_write(uint8_t kind, const void *head, size_t headLen, const void *x, size_t len) {
  const size_t all = headLen + len;
  const uint8_t start[3] = {kind, (uint8_t)all, (uint8_t)(all >> 8)};
  write_bytes(start, sizeof start);
  write_bytes(head, headLen);
  write_bytes(x, len);
}

static int is_of_link(uint8_t kind) {
  return kind == FRAME_OPENED || kind == FRAME_FAILED || kind == FRAME_DATA || kind == FRAME_CLOSED;
}

static void frame_ended(uint8_t kind) {
  if (kind == answer.kind) answer.is_there = 1;
  if (incoming.is_late) return;
  if (kind == FRAME_OPENED) frames_link_state = HAL_LINK_OPEN;
  if (kind == FRAME_FAILED) frames_link_state = HAL_LINK_FAILED;
  if (kind == FRAME_CLOSED) frames_link_state = HAL_LINK_CLOSED;
}

static void payload_byte(uint8_t kind, uint8_t byte) {
  if (is_of_link(kind) && incoming.is_first) incoming.is_late = byte != frames_link_number;
  else if (kind == FRAME_DATA && !incoming.is_late && count < sizeof data) data[(first + count++) % sizeof data] = byte;
  else if (kind == answer.kind && answer.len < answer.cap) answer.out[answer.len++] = byte;
  incoming.is_first = 0;
}

static void begin_payload(void) {
  incoming.left = (uint16_t)(incoming.head[1] | incoming.head[2] << 8);
  incoming.is_first = 1;
  incoming.is_late = 0;
}

static void take_byte(uint8_t byte) {
  if (incoming.got < sizeof incoming.head) {
    incoming.head[incoming.got++] = byte;
    if (incoming.got < sizeof incoming.head) return;
    begin_payload();
  } else {
    payload_byte(incoming.head[0], byte);
    incoming.left--;
  }
  if (incoming.left > 0) return;
  incoming.got = 0;
  frame_ended(incoming.head[0]);
}

void frames_step(void) {
  while (virt_uart_ready()) take_byte(virt_uart_read());
}

size_t frames_await(uint8_t kind, uint8_t *out, size_t cap) {
  answer.kind = kind;
  answer.out = out;
  answer.cap = cap;
  answer.len = 0;
  answer.is_there = 0;
  while (!answer.is_there) take_byte(virt_uart_read());
  answer.kind = 0;
  return answer.len;
}

size_t frames_waiting(void) { return count; }

size_t frames_take(uint8_t *out, size_t cap) {
  const size_t taken = cap < count ? cap : count;
  for (size_t i = 0; i < taken; i++) out[i] = data[(first + i) % sizeof data];
  first = (first + taken) % sizeof data;
  count -= taken;
  const uint8_t told[2] = {(uint8_t)taken, (uint8_t)(taken >> 8)};
  if (taken > 0) frames_write(FRAME_TAKEN, told, sizeof told, NULL, 0);
  return taken;
}

void frames_forget(void) {
  first = 0;
  count = 0;
}
