// SPDX-License-Identifier: BSD-3-Clause
// A file as flash, as strict as a chip: bits are only programmed from one to zero, whole pages and sectors at a time.
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "device/hal.h"

// What a flash had before it had STORE_BYTES.
#define EIGHT_SECTORS (8u * HAL_FLASH_SECTOR)

static int file = -1;
static long until_cut = -1;

// Makes the file of a rename outlive a power cut.
static int sync_folder(const char *path) {
  char copy[PATH_MAX];
  snprintf(copy, sizeof copy, "%s", path);
  const int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return -1;
  const int result = fsync(folder);
  close(folder);
  return result;
}

// Writes erased sectors and, behind them, the shorter flash.
static int write_longer(int to) {
  uint8_t sector[HAL_FLASH_SECTOR];
  for (off_t at = 0; at < (off_t)STORE_BYTES; at += (off_t)sizeof sector) {
    const off_t from = at - (off_t)(STORE_BYTES - EIGHT_SECTORS);
    memset(sector, 0xff, sizeof sector);
    if (from >= 0 && pread(file, sector, sizeof sector, from) != (ssize_t)sizeof sector) return -1;
    if (write(to, sector, sizeof sector) != (ssize_t)sizeof sector) return -1;
  }
  return fsync(to);
}

// The flash of an older version is the last eight sectors of this one, as on a chip, where the store keeps its end. The
// file takes the other one's place when it is whole.
static int lengthen(const char *path) {
  char temporary[PATH_MAX];
  if (snprintf(temporary, sizeof temporary, "%s.tmp", path) >= (int)sizeof temporary) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (unlink(temporary) != 0 && errno != ENOENT) return -1;
  const int longer = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (longer < 0) return -1;
  if (write_longer(longer) != 0 || rename(temporary, path) != 0 || sync_folder(path) != 0) {
    close(longer);
    return -1;
  }
  close(file);
  file = longer;
  return 0;
}

int flash_start(const char *path, long cut_at) {
  struct stat status;
  until_cut = cut_at;
  file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) != 0) return -1;
  if (status.st_size == (off_t)STORE_BYTES) return 0;
  if (status.st_size == (off_t)EIGHT_SECTORS) return lengthen(path);
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
