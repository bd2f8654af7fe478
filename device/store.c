// SPDX-License-Identifier: BSD-3-Clause
#include "store.h"

#include <string.h>

#include "hal.h"

#define PAGE HAL_FLASH_PAGE
#define HEADER 12u
#define NOWHERE 0xffffu

#define SECTOR_PAGES (HAL_FLASH_SECTOR / PAGE)
// The last byte of a half's mark: this format, and the first one, whose eight sectors are now the last ones.
#define FORMAT '2'
#define FIRST_FORMAT 's'
#define FIRST_FORMAT_SECTORS 8u

static const uint8_t half_mark[3] = {'a', 't', 'm'};
static const uint8_t record_mark[4] = {'r', 'e', 'c', 1};

static struct {
  uint32_t first;       // page of the flash where the valid half begins
  uint32_t pages;       // of it
  uint32_t generation;
  uint32_t free;        // first page nothing was written to
  int is_damaged;       // something behind the last record of STORE_GUARDED can't be read
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

// Pages of a half in this format; the second half begins there.
static uint32_t half_pages(void) { return hal_flash_sectors() / 2 * SECTOR_PAGES; }

// The half that is not the valid one.
static uint32_t other_half(void) { return store.first == 0 ? half_pages() : 0; }

static uint32_t offset_of(uint32_t page) { return page * PAGE; }

// Format of the half that begins at a page and its generation; 0: no whole first page.
static uint8_t format_of(uint32_t first, uint32_t *generation) {
  uint8_t head[HEADER];
  *generation = 0;
  if (hal_flash_read(offset_of(first), head, sizeof head) != 0) return 0;
  if (memcmp(head, half_mark, sizeof half_mark) != 0) return 0;
  if (little32(head + 8) != crc32(0, head, 8)) return 0;
  *generation = little32(head + 4);
  return head[3];
}

static int is_format(uint32_t first, uint8_t format) {
  uint32_t generation;
  return format_of(first, &generation) == format;
}

// A whole first page of neither this format (0) nor that one.
static int is_unknown(uint32_t first, uint8_t other) {
  uint32_t generation;
  const uint8_t format = format_of(first, &generation);
  return format != 0 && format != FORMAT && format != other;
}

// Pages a record of len bytes takes.
static uint32_t pages_for(uint32_t len) { return (HEADER + len + PAGE - 1) / PAGE; }

// Reads the head of a record at a page of the valid half; its length in pages, 0 when no whole record begins there.
static uint32_t record_at(uint32_t page, uint32_t *number, uint32_t *len) {
  uint8_t part[64];
  const uint32_t at = offset_of(store.first + page);
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

static int is_blank(uint32_t page) {
  uint8_t part[64];
  for (uint32_t done = 0; done < PAGE; done += sizeof part) {
    if (hal_flash_read(offset_of(page) + done, part, sizeof part) != 0) return 0;
    for (unsigned i = 0; i < sizeof part; i++) {
      if (part[i] != 0xff) return 0;
    }
  }
  return 1;
}

// Takes in what was found at a page: a whole record, or what a power cut or a worn cell left of one.
static void note(uint32_t page, uint32_t pages, uint32_t number, uint32_t len) {
  if (pages == 0) {
    store.free = page + 1;
    store.is_damaged = 1;
    return;
  }
  store.free = page + pages;
  store.at[number] = len > 0 ? (uint16_t)page : NOWHERE;
  if (number == STORE_GUARDED) store.is_damaged = 0;
}

static void scan(void) {
  for (unsigned i = 0; i < STORE_NUMBERS; i++) store.at[i] = NOWHERE;
  store.is_damaged = 0;
  store.free = 1;
  for (uint32_t page = 1; page < store.pages;) {
    uint32_t number = 0;
    uint32_t len = 0;
    const uint32_t pages = record_at(page, &number, &len);
    if (pages > 0 || !is_blank(store.first + page)) note(page, pages, number, len);
    page += pages > 0 ? pages : 1;
  }
}

static int erase_half(uint32_t first) {
  for (uint32_t sector = 0; sector < half_pages() / SECTOR_PAGES; sector++) {
    // Old flash takes 0.4 s a sector.
    hal_watchdog_feed();
    if (hal_flash_erase(first / SECTOR_PAGES + sector) != 0) return STORE_FAILED;
  }
  return 0;
}

// Makes a half the valid one.
static int commit(uint32_t first, uint32_t generation) {
  uint8_t page[PAGE];
  uint32_t written;
  memset(page, 0xff, sizeof page);
  memcpy(page, half_mark, sizeof half_mark);
  page[3] = FORMAT;
  put32(page + 4, generation);
  put32(page + 8, crc32(0, page, 8));
  if (hal_flash_program(offset_of(first), page) != 0) return STORE_FAILED;
  if (format_of(first, &written) != FORMAT || written != generation) return STORE_FAILED;
  store.first = first;
  store.pages = half_pages();
  store.generation = generation;
  scan();
  return 0;
}

// Copies a record of the valid half to a page of the flash.
static int copy(uint32_t page, uint32_t pages, uint32_t to) {
  uint8_t content[PAGE];
  for (uint32_t i = 0; i < pages; i++) {
    if (hal_flash_read(offset_of(store.first + page + i), content, PAGE) != 0 ||
        hal_flash_program(offset_of(to + i), content) != 0) {
      return STORE_FAILED;
    }
  }
  return 0;
}

// Programs a page that is not a record, so that the next start sees the damage too.
static int copy_damage(uint32_t to) {
  uint8_t page[PAGE];
  memset(page, 0, sizeof page);
  return hal_flash_program(offset_of(to), page);
}

// Copies the records that count into the other half and makes it valid.
static int compact(void) {
  const uint32_t other = other_half();
  uint32_t to = 1;
  if (erase_half(other) != 0) return STORE_FAILED;
  for (uint32_t i = 0; i < STORE_NUMBERS; i++) {
    uint32_t number;
    uint32_t len;
    if (store.at[i] == NOWHERE) continue;
    const uint32_t pages = record_at(store.at[i], &number, &len);
    if (pages == 0 || copy(store.at[i], pages, other + to) != 0) return STORE_FAILED;
    to += pages;
  }
  if (store.is_damaged && copy_damage(other + to) != 0) return STORE_FAILED;
  return commit(other, store.generation + 1);
}

// Opens the newer of two halves of a format, which follow each other. 0: there is none.
static int open_newer(uint8_t format, uint32_t first, uint32_t pages) {
  store.generation = 0;
  store.pages = pages;
  for (unsigned i = 0; i < 2; i++, first += pages) {
    uint32_t generation;
    if (format_of(first, &generation) != format || generation <= store.generation) continue;
    store.first = first;
    store.generation = generation;
  }
  if (store.generation > 0) scan();
  return store.generation > 0;
}

// Where the first format's store is, 0: the flash is too small to have it beside a half of this format.
static uint32_t first_format_at(void) {
  const uint32_t sectors = hal_flash_sectors();
  return sectors < 2 * FIRST_FORMAT_SECTORS ? 0 : (sectors - FIRST_FORMAT_SECTORS) * SECTOR_PAGES;
}

// What lies in the half that is not valid must not be taken for the store later, when a page of this one can't be read.
static int settle(void) {
  const uint32_t other = other_half();
  const uint32_t old = first_format_at();
  const uint32_t old_half = FIRST_FORMAT_SECTORS / 2 * SECTOR_PAGES;
  if (store.first == 0 && old > 0 && (is_format(old, FIRST_FORMAT) || is_format(old + old_half, FIRST_FORMAT))) {
    return erase_half(other);
  }
  if (is_format(other, FORMAT) || is_blank(other)) return 0;
  // Whether this was the newest half nobody can say.
  store.is_damaged = 1;
  return compact();
}

// Moves the first format's store into the first half of this one, which leaves the old one as it is until it is done.
static int move_first_format(uint32_t old) {
  const uint32_t pages = FIRST_FORMAT_SECTORS / 2 * SECTOR_PAGES;
  if (is_unknown(old, FIRST_FORMAT) || is_unknown(old + pages, FIRST_FORMAT)) return STORE_NEWER;
  if (!open_newer(FIRST_FORMAT, old, pages)) return 0;
  return compact() != 0 ? STORE_FAILED : settle();
}

int store_open(void) {
  const uint32_t pages = half_pages();
  const uint32_t old = first_format_at();
  if (is_unknown(0, 0) || is_unknown(pages, pages == old ? FIRST_FORMAT : 0)) return STORE_NEWER;
  if (open_newer(FORMAT, 0, pages)) return settle();
  const int moved = old > 0 ? move_first_format(old) : 0;
  if (moved != 0 || store.generation > 0) return moved;
  return erase_half(0) != 0 ? STORE_FAILED : commit(0, 1);
}

int32_t store_read(uint32_t number, uint8_t *out, uint32_t cap) {
  uint32_t found;
  uint32_t len;
  if (number >= STORE_NUMBERS) return STORE_FAILED;
  if (number == STORE_GUARDED && store.is_damaged) return STORE_FAILED;
  if (store.at[number] == NOWHERE) return 0;
  if (record_at(store.at[number], &found, &len) == 0 || found != number) return STORE_FAILED;
  if (len > cap) return STORE_FAILED;
  const uint32_t at = offset_of(store.first + store.at[number]) + HEADER;
  return hal_flash_read(at, out, len) == 0 ? (int32_t)len : STORE_FAILED;
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
    result = hal_flash_program(offset_of(store.first + store.free + i), page);
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
  const int is_unreadable = number == STORE_GUARDED && store.is_damaged;
  if (len == 0 && store.at[number] == NOWHERE && !is_unreadable) return 0;
  if (pages_for(len) > store.pages - store.free && compact() != 0) return STORE_FAILED;
  if (pages_for(len) > store.pages - store.free) return STORE_FAILED;
  const uint32_t at = store.free;
  if (append(number, x, len) != 0 || record_at(at, &found, &kept) == 0) {
    scan();
    return STORE_FAILED;
  }
  note(at, pages_for(len), number, len);
  return 0;
}
