// SPDX-License-Identifier: BSD-3-Clause
#include "store.h"

#include <string.h>

#include "hal.h"

#define PAGE HAL_FLASH_PAGE
#define HEADER 12u
#define NOWHERE 0xffffu

static const uint8_t half_mark[4] = {'a', 't', 'm', 's'};
static const uint8_t record_mark[4] = {'r', 'e', 'c', 1};

static struct {
  uint32_t pages;       // of one half
  uint32_t half;        // 0 or 1
  uint32_t generation;
  uint32_t free;        // first page nothing was written to
  uint16_t at[STORE_NUMBERS];  // page of the record that counts, NOWHERE
} store;

uint32_t crc32(uint32_t crc, const uint8_t *x, uint32_t len) {
  crc = ~crc;
  while (len-- > 0) {
    crc ^= *x++;
    for (unsigned bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

static uint32_t little32(const uint8_t *x) {
  return (uint32_t)x[0] | (uint32_t)x[1] << 8 | (uint32_t)x[2] << 16 | (uint32_t)x[3] << 24;
}

static uint32_t little16(const uint8_t *x) { return (uint32_t)x[0] | (uint32_t)x[1] << 8; }

static void put32(uint8_t *to, uint32_t value) {
  for (unsigned i = 0; i < 4; i++) to[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t offset_of(uint32_t half, uint32_t page) { return (half * store.pages + page) * PAGE; }

// Generation of a half, 0 when it has no whole first page.
static uint32_t generation_of(uint32_t half) {
  uint8_t head[HEADER];
  if (hal_flash_read(offset_of(half, 0), head, sizeof head) != 0) return 0;
  if (memcmp(head, half_mark, 4) != 0 || little32(head + 8) != crc32(0, head, 8)) return 0;
  return little32(head + 4);
}

// Pages a record of len bytes takes.
static uint32_t pages_for(uint32_t len) { return (HEADER + len + PAGE - 1) / PAGE; }

// Reads the head of a record at a page of the half; its length in pages, 0 when no whole record begins there.
static uint32_t record_at(uint32_t half, uint32_t page, uint32_t *number, uint32_t *len) {
  uint8_t part[64];
  const uint32_t at = offset_of(half, page);
  if (hal_flash_read(at, part, HEADER) != 0 || memcmp(part, record_mark, 4) != 0) return 0;
  *number = little16(part + 4);
  *len = little16(part + 6);
  const uint32_t expected = little32(part + 8);
  if (*number >= STORE_NUMBERS || pages_for(*len) > store.pages - page) return 0;
  uint32_t crc = crc32(0, part + 4, 4);
  for (uint32_t done = 0; done < *len;) {
    const uint32_t count = *len - done < sizeof part ? *len - done : (uint32_t)sizeof part;
    if (hal_flash_read(at + HEADER + done, part, count) != 0) return 0;
    crc = crc32(crc, part, count);
    done += count;
  }
  return crc == expected ? pages_for(*len) : 0;
}

static int is_blank(uint32_t half, uint32_t page) {
  uint8_t part[64];
  for (uint32_t done = 0; done < PAGE; done += sizeof part) {
    if (hal_flash_read(offset_of(half, page) + done, part, sizeof part) != 0) return 0;
    for (unsigned i = 0; i < sizeof part; i++) {
      if (part[i] != 0xff) return 0;
    }
  }
  return 1;
}

static void scan(void) {
  for (unsigned i = 0; i < STORE_NUMBERS; i++) store.at[i] = NOWHERE;
  store.free = 1;
  for (uint32_t page = 1; page < store.pages;) {
    uint32_t number;
    uint32_t len;
    const uint32_t pages = record_at(store.half, page, &number, &len);
    if (pages > 0) store.at[number] = len > 0 ? (uint16_t)page : NOWHERE;
    // What a power cut left of a record is passed over, page by page.
    if (pages > 0 || !is_blank(store.half, page)) store.free = page + (pages > 0 ? pages : 1);
    page += pages > 0 ? pages : 1;
  }
}

static int erase_half(uint32_t half) {
  const uint32_t sectors = store.pages * PAGE / HAL_FLASH_SECTOR;
  for (uint32_t sector = 0; sector < sectors; sector++) {
    if (hal_flash_erase(half * sectors + sector) != 0) return STORE_FAILED;
  }
  return 0;
}

// Makes a half the valid one.
static int commit(uint32_t half, uint32_t generation) {
  uint8_t page[PAGE];
  memset(page, 0xff, sizeof page);
  memcpy(page, half_mark, 4);
  put32(page + 4, generation);
  put32(page + 8, crc32(0, page, 8));
  if (hal_flash_program(offset_of(half, 0), page) != 0) return STORE_FAILED;
  if (generation_of(half) != generation) return STORE_FAILED;
  store.half = half;
  store.generation = generation;
  return 0;
}

int store_open(void) {
  store.pages = hal_flash_sectors() / 2 * (HAL_FLASH_SECTOR / PAGE);
  const uint32_t first = generation_of(0);
  const uint32_t second = generation_of(1);
  store.half = second > first ? 1 : 0;
  store.generation = second > first ? second : first;
  if (store.generation == 0 && (erase_half(0) != 0 || commit(0, 1) != 0)) return STORE_FAILED;
  scan();
  return 0;
}

int32_t store_read(uint32_t number, uint8_t *out, uint32_t cap) {
  uint32_t found;
  uint32_t len;
  if (number >= STORE_NUMBERS) return STORE_FAILED;
  if (store.at[number] == NOWHERE) return 0;
  if (record_at(store.half, store.at[number], &found, &len) == 0 || found != number) {
    return STORE_FAILED;
  }
  if (len > cap) return STORE_FAILED;
  const uint32_t at = offset_of(store.half, store.at[number]) + HEADER;
  return hal_flash_read(at, out, len) == 0 ? (int32_t)len : STORE_FAILED;
}

// Copies the records that count into the other half and makes it valid.
static int compact(void) {
  const uint32_t other = 1 - store.half;
  uint32_t to = 1;
  uint8_t page[PAGE];
  if (erase_half(other) != 0) return STORE_FAILED;
  for (uint32_t number = 0; number < STORE_NUMBERS; number++) {
    uint32_t found;
    uint32_t len;
    if (store.at[number] == NOWHERE) continue;
    const uint32_t pages = record_at(store.half, store.at[number], &found, &len);
    if (pages == 0) return STORE_FAILED;
    for (uint32_t i = 0; i < pages; i++, to++) {
      if (hal_flash_read(offset_of(store.half, store.at[number] + i), page, PAGE) != 0 ||
          hal_flash_program(offset_of(other, to), page) != 0) {
        return STORE_FAILED;
      }
    }
  }
  if (commit(other, store.generation + 1) != 0) return STORE_FAILED;
  scan();
  return 0;
}

// Programs a record at the free pages.
static int append(uint32_t number, const uint8_t *x, uint32_t len) {
  uint8_t page[PAGE];
  memcpy(page, record_mark, 4);
  page[4] = (uint8_t)number;
  page[5] = (uint8_t)(number >> 8);
  page[6] = (uint8_t)len;
  page[7] = (uint8_t)(len >> 8);
  put32(page + 8, crc32(crc32(0, page + 4, 4), x, len));
  uint32_t filled = HEADER;
  int result = 0;
  for (uint32_t i = 0, done = 0; i < pages_for(len) && result == 0; i++, filled = 0) {
    const uint32_t count = len - done < PAGE - filled ? len - done : PAGE - filled;
    if (count > 0) memcpy(page + filled, x + done, count);
    memset(page + filled + count, 0xff, PAGE - filled - count);
    done += count;
    result = hal_flash_program(offset_of(store.half, store.free + i), page);
  }
  // Values are keys: none of them stays on the stack.
  volatile uint8_t *wiped = page;
  for (unsigned i = 0; i < PAGE; i++) wiped[i] = 0;
  return result;
}

int32_t store_write(uint32_t number, const uint8_t *x, uint32_t len) {
  uint32_t found;
  uint32_t kept;
  if (number >= STORE_NUMBERS || pages_for(len) >= store.pages) return STORE_FAILED;
  if (len == 0 && store.at[number] == NOWHERE) return 0;
  if (pages_for(len) > store.pages - store.free && compact() != 0) return STORE_FAILED;
  if (pages_for(len) > store.pages - store.free) return STORE_FAILED;
  const uint32_t at = store.free;
  if (append(number, x, len) != 0 || record_at(store.half, at, &found, &kept) == 0) {
    scan();
    return STORE_FAILED;
  }
  store.free = at + pages_for(len);
  store.at[number] = len > 0 ? (uint16_t)at : NOWHERE;
  return 0;
}
