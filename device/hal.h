// SPDX-License-Identifier: BSD-3-Clause
// The seam between device/ and a board: what every board implements. All functions are called from the main loop, none
// of them waits (hal_wait apart) or allocates. Results: 0 or a count when it went well, negative when not.
#ifndef DEVICE_HAL_H
#define DEVICE_HAL_H

#include <stddef.h>
#include <stdint.h>

// Milliseconds since some moment, never going back.
uint64_t hal_now_ms(void);

// Fills out with raw entropy of the board. 0, or negative: there is none.
int hal_entropy(uint8_t *out, size_t len);
// Where it comes from, in words for the log; never NULL.
const char *hal_entropy_source(void);

// hal_link_state
#define HAL_LINK_CLOSED 0
#define HAL_LINK_OPENING 1
#define HAL_LINK_OPEN 2
#define HAL_LINK_FAILED 3

// Begins to look up the host (name or dotted address) and to connect to it by TCP. One link at a time; one that is open
// is closed. 0 begun, negative.
int hal_link_open(const char *host, uint16_t port);
// One of HAL_LINK_*.
int hal_link_state(void);
// Bytes taken (0: none now), negative: the link is gone.
int hal_link_send(const uint8_t *x, size_t len);
// Bytes received (0: none now), negative: the link is gone and its last byte was delivered.
int hal_link_receive(uint8_t *out, size_t cap);
void hal_link_close(void);

// The sectors kept for the store, at least two; offsets count from their start. Programming a page only turns ones into
// zeros; erasing a sector turns all of it into ones.
#define HAL_FLASH_SECTOR 4096u
#define HAL_FLASH_PAGE 256u
uint32_t hal_flash_sectors(void);
int hal_flash_read(uint32_t offset, uint8_t *out, size_t len);
int hal_flash_erase(uint32_t sector);
// offset is a multiple of HAL_FLASH_PAGE, page is HAL_FLASH_PAGE bytes.
int hal_flash_program(uint32_t offset, const uint8_t *page);

// One line of UTF-8, never a secret. level: 0 error, 1 warning, 2 information, 3 debug.
void hal_log(int level, const char *text, size_t len);

// Sleeps until the link has something or so many milliseconds passed; it may be woken earlier.
void hal_wait(uint32_t ms);

// Without it the board restarts after a few seconds (the board says how many).
void hal_watchdog_feed(void);
void hal_reboot(void);

// hal_reset_cause
#define HAL_RESET_POWER 0u
#define HAL_RESET_WATCHDOG 1u
#define HAL_RESET_REBOOT 2u
#define HAL_RESET_CRASH 3u
uint32_t hal_reset_cause(void);

// The board's default reading as text ("21.5"), its length; negative: it has none.
int32_t hal_read_sensor(char *out, size_t cap);

// Bytes of native stack ever used; 0 when the board can't say.
uint32_t hal_stack_high_water(void);

#endif
