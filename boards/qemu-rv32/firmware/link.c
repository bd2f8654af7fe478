// SPDX-License-Identifier: BSD-3-Clause
// The one link of hal.h: the host connects.
#include <string.h>

#include "device/hal.h"
#include "frames.h"

#define SEND_MAX 1024u

int hal_link_open(const char *host, uint16_t port) {
  hal_link_close();
  frames_link_number++;
  const uint8_t head[3] = {frames_link_number, (uint8_t)port, (uint8_t)(port >> 8)};
  frames_write(FRAME_OPEN, head, sizeof head, host, strlen(host));
  frames_link_state = HAL_LINK_OPENING;
  return 0;
}

int hal_link_state(void) {
  frames_step();
  return frames_link_state == HAL_LINK_CLOSED && frames_waiting() > 0 ? HAL_LINK_OPEN : frames_link_state;
}

int hal_link_send(const uint8_t *x, size_t len) {
  if (frames_link_state != HAL_LINK_OPEN) return -1;
  const size_t sent = len < SEND_MAX ? len : SEND_MAX;
  if (sent > 0) frames_write(FRAME_SEND, NULL, 0, x, sent);
  return (int)sent;
}

int hal_link_receive(uint8_t *out, size_t cap) {
  frames_step();
  if (frames_waiting() > 0) return (int)frames_take(out, cap);
  return frames_link_state == HAL_LINK_OPEN ? 0 : -1;
}

void hal_link_close(void) {
  if (frames_link_state != HAL_LINK_CLOSED) frames_write(FRAME_CLOSE, NULL, 0, NULL, 0);
  frames_link_state = HAL_LINK_CLOSED;
  frames_forget();
}
