// SPDX-License-Identifier: BSD-3-Clause
// A file as flash, as strict as a chip: bits are only programmed from one to zero, whole pages and sectors at a time.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "device/hal.h"

static int file = -1;
static long until_cut = -1;

int flash_start(const char *path, long cut_at) {
  struct stat status;
  until_cut = cut_at;
  file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) != 0) return -1;
  if (status.st_size == (off_t)STORE_BYTES) return 0;
  errno = EINVAL;
  return -1;
}

static int put(uint32_t offset, const uint8_t *x, size_t len) {
  if (pwrite(file, x, len, (off_t)offset) != (ssize_t)len) return -1;
  return fdatasync(file);
}

// The power goes in the middle of this operation: how much of it is done. Otherwise all of it.
static size_t done_of(size_t len) { return until_cut == 0 ? len / 3 : len; }

static void end_operation(void) {
  if (until_cut == 0) _exit(FLASH_CUT_EXIT);
  if (until_cut > 0) until_cut--;
}

uint32_t hal_flash_sectors(void) { return STORE_BYTES / HAL_FLASH_SECTOR; }

int hal_flash_read(uint32_t offset, uint8_t *out, size_t len) {
  if (offset > STORE_BYTES || len > STORE_BYTES - offset) return -1;
  return pread(file, out, len, (off_t)offset) == (ssize_t)len ? 0 : -1;
}

int hal_flash_erase(uint32_t sector) {
  uint8_t ones[HAL_FLASH_SECTOR];
  if (sector >= hal_flash_sectors()) return -1;
  memset(ones, 0xff, sizeof ones);
  const int result = put(sector * HAL_FLASH_SECTOR, ones, done_of(sizeof ones));
  end_operation();
  return result;
}

int hal_flash_program(uint32_t offset, const uint8_t *page) {
  uint8_t before[HAL_FLASH_PAGE];
  if (offset % HAL_FLASH_PAGE != 0 || hal_flash_read(offset, before, sizeof before) != 0) return -1;
  for (unsigned i = 0; i < HAL_FLASH_PAGE; i++) {
    if ((page[i] & ~before[i]) != 0) return -1;
  }
  const int result = put(offset, page, done_of(HAL_FLASH_PAGE));
  end_operation();
  return result;
}
