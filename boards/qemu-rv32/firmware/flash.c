// SPDX-License-Identifier: BSD-3-Clause
// Flash in RAM, where QEMU's loader puts it; every change is sent to the host, which keeps it, before it counts as done.
#include <string.h>

#include "device/hal.h"
#include "frames.h"

extern uint8_t store_start[];

uint32_t hal_flash_sectors(void) { return STORE_BYTES / HAL_FLASH_SECTOR; }

int hal_flash_read(uint32_t offset, uint8_t *out, size_t len) {
  if (offset > STORE_BYTES || len > STORE_BYTES - offset) return -1;
  memcpy(out, store_start + offset, len);
  return 0;
}

static void tell(uint8_t kind, uint32_t place, const uint8_t *x, size_t len) {
  const uint8_t head[4] = {(uint8_t)place, (uint8_t)(place >> 8), (uint8_t)(place >> 16), (uint8_t)(place >> 24)};
  frames_write(kind, head, sizeof head, x, len);
  frames_await(FRAME_DONE, NULL, 0);
}

int hal_flash_erase(uint32_t sector) {
  if (sector >= hal_flash_sectors()) return -1;
  memset(store_start + sector * HAL_FLASH_SECTOR, 0xff, HAL_FLASH_SECTOR);
  tell(FRAME_ERASE, sector, NULL, 0);
  return 0;
}

int hal_flash_program(uint32_t offset, const uint8_t *page) {
  if (offset % HAL_FLASH_PAGE != 0 || offset > STORE_BYTES - HAL_FLASH_PAGE) return -1;
  for (uint32_t i = 0; i < HAL_FLASH_PAGE; i++) {
    if ((page[i] & ~store_start[offset + i]) != 0) return -1;
  }
  memcpy(store_start + offset, page, HAL_FLASH_PAGE);
  tell(FRAME_PROGRAM, offset, page, HAL_FLASH_PAGE);
  return 0;
}
