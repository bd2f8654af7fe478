// SPDX-License-Identifier: BSD-3-Clause
// Test program: speaks every function of hal.h on the RP2040 board once and reports by lines and marks.
// Restarts itself twice (reboot, then silence until the watchdog bites).
#include <string.h>

#include "boards/rp2040/board.h"
#include "boards/w5500/link.h"

#define PORT 7
#define RECORD 512u

static void say(const char *text) { hal_log(2, text, strlen(text)); }

static void say_number(const char *name, uint32_t value) {
  char line[48];
  char digits[10];
  size_t count = 0;
  size_t at = strlen(name);
  memcpy(line, name, at);
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count > 0) line[at++] = digits[--count];
  hal_log(2, line, at);
}

static void check_flash(void) {
  static uint8_t page[HAL_FLASH_PAGE];
  uint8_t back[HAL_FLASH_PAGE];
  say_number("sectors ", hal_flash_sectors());
  for (unsigned i = 0; i < sizeof page; i++) page[i] = (uint8_t)(i * 7);
  int ok = hal_flash_erase(1) == 0 && hal_flash_program(HAL_FLASH_SECTOR + RECORD, page) == 0;
  ok = ok && hal_flash_read(HAL_FLASH_SECTOR + RECORD, back, sizeof back) == 0 &&
       memcmp(page, back, sizeof page) == 0;
  ok = ok && hal_flash_read(HAL_FLASH_SECTOR, back, 1) == 0 && back[0] == 0xff;
  ok = ok && hal_flash_program(1, page) < 0 && hal_flash_erase(hal_flash_sectors()) < 0;
  say(ok ? "flash good" : "flash bad");
}

static int wait_open(void) {
  while (hal_link_state() == HAL_LINK_OPENING) {
    hal_watchdog_feed();
    hal_wait(1000);
  }
  return hal_link_state();
}

// Sends 5,000 bytes, more than two of the chip's buffers, and compares what comes back.
static void check_echo(void) {
  enum { TOTAL = 5000 };
  uint8_t chunk[700];
  unsigned sent = 0;
  unsigned received = 0;
  int good = 1;
  while (received < TOTAL) {
    size_t len = TOTAL - sent < sizeof chunk ? TOTAL - sent : sizeof chunk;
    for (size_t i = 0; i < len; i++) chunk[i] = (uint8_t)((sent + i) * 13u);
    int n = len > 0 ? hal_link_send(chunk, len) : 0;
    if (n < 0) break;
    sent += (unsigned)n;
    n = hal_link_receive(chunk, sizeof chunk);
    if (n < 0) break;
    for (int i = 0; i < n; i++) {
      if (chunk[i] != (uint8_t)((received + (unsigned)i) * 13u)) good = 0;
    }
    received += (unsigned)n;
    hal_watchdog_feed();
    if (n == 0) hal_wait(1000);
  }
  say_number(good ? "echoed " : "garbled ", received);
}

static void check_link(void) {
  const LinkConfiguration configuration = {.mac = {2, 0, 0, 0, 0, 1}};
  uint8_t byte;
  if (link_start(&configuration) != 0) {
    say("no W5500");
    return;
  }
  if (hal_link_open("nowhere.test", PORT) == 0) {
    say_number("nowhere ", (uint32_t)wait_open());
  }
  say_number("IPv6 ", hal_link_open("2001:db8::1", PORT) == 0);
  if (hal_link_open("echo.test", PORT) != 0 || wait_open() != HAL_LINK_OPEN) {
    say("no link");
    return;
  }
  say("link open");
  check_echo();
  hal_watchdog_feed();
  // The peer answers "end" by closing.
  hal_link_send((const uint8_t *)"end", 3);
  int n;
  while ((n = hal_link_receive(&byte, 1)) == 0) hal_wait(1000);
  say(n < 0 ? "peer closed" : "stray byte");
  hal_link_close();
  say_number("closed ", (uint32_t)hal_link_state());
}

int main(void) {
  uint8_t random[16] = {0};
  int32_t milli;
  say_number("reset ", hal_reset_cause());
  if (hal_reset_cause() == HAL_RESET_REBOOT) {
    say("waiting for the watchdog");
    for (;;) hal_wait(60000);
  }
  if (hal_reset_cause() == HAL_RESET_WATCHDOG) return 0;
  say("hello");
  if (hal_temperature(&milli) == 0) say_number(milli < 0 ? "below " : "above ", (uint32_t)(milli < 0 ? -milli : milli));
  say(hal_entropy(random, sizeof random) == 0 ? "entropy" : "no entropy");
  hal_watchdog_feed();
  check_flash();
  check_link();
  const uint64_t before = hal_now_ms();
  hal_wait(250);
  say_number("waited ", (uint32_t)(hal_now_ms() - before));
  say_number("stack ", hal_stack_high_water());
  hal_reboot();
  return 1;
}
