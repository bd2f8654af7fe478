// SPDX-License-Identifier: BSD-3-Clause
// The seam between device/ and a board: what every board implements. All functions are called from the main loop, none
// of them waits (hal_wait apart) or allocates. Results: 0 or a count when it went well, negative when not.
// The last part is for applications: pins and buses for sensors.
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

// Begins to look up the host (name, dotted or IPv6 address) and to connect to it by TCP. One link at a time; one that is
// open is closed. 0 begun, negative: also for an IPv6 address where the board knows none, which is logged.
int hal_link_open(const char *host, uint16_t port);
// One of HAL_LINK_*.
int hal_link_state(void);
// Bytes taken (0: none now), negative: the link is gone.
int hal_link_send(const uint8_t *x, size_t len);
// Bytes received (0: none now), negative: the link is gone and its last byte was delivered.
int hal_link_receive(uint8_t *out, size_t cap);
// Ends the connection at once; nothing when there is none.
void hal_link_close(void);

// The sectors kept for the store, at least two, better sixteen; offsets count from their start. Programming a page only
// turns ones into zeros; erasing a sector turns all of it into ones.
#define HAL_FLASH_SECTOR 4096u
#define HAL_FLASH_PAGE 256u
// How many there are.
uint32_t hal_flash_sectors(void);
// Reads len bytes from offset. 0; negative: beyond the sectors, or it failed.
int hal_flash_read(uint32_t offset, uint8_t *out, size_t len);
// Erases a sector, counted from 0, in some 50 ms. 0; negative: no sector has that number, or it failed.
int hal_flash_erase(uint32_t sector);
// Programs one page: offset is a multiple of HAL_FLASH_PAGE, page is HAL_FLASH_PAGE bytes. 0; negative: a wrong offset, a
// bit that would have to rise, or it failed.
int hal_flash_program(uint32_t offset, const uint8_t *page);

// One line of UTF-8, never a secret. level: 0 error, 1 warning, 2 information, 3 debug.
void hal_log(int level, const char *text, size_t len);

// Sleeps until the link has something or ms milliseconds passed; it may be woken earlier.
void hal_wait(uint32_t ms);

// Without it the board restarts after a few seconds (the board says how many).
void hal_watchdog_feed(void);
// Restarts the board; hal_reset_cause says HAL_RESET_REBOOT then. It does not return.
void hal_reboot(void);

// hal_reset_cause
#define HAL_RESET_POWER 0u
#define HAL_RESET_WATCHDOG 1u
#define HAL_RESET_REBOOT 2u
#define HAL_RESET_CRASH 3u
// Why the board started, one of HAL_RESET_*.
uint32_t hal_reset_cause(void);

// Bytes of native stack ever used; 0 when the board can't say.
uint32_t hal_stack_high_water(void);

// --- For applications. Pins, channels and buses have the numbers of the board's documentation. Those the board needs
// itself (network, log, flash) are HAL_ABSENT. Nothing is shared: a pin or bus belongs to the one that opened it.

// Why a pin or bus did not do as asked.
#define HAL_ABSENT (-1)     // the board has no such pin, channel or bus for applications
#define HAL_BAD_VALUE (-2)  // a value out of the range written here, or not opened before
#define HAL_NO_ANSWER (-3)  // no device has this address, or it refused a byte
#define HAL_TIMED_OUT (-4)  // a line is held low

// The board's own temperature in thousandths of a degree Celsius, to within some degrees. 0, or HAL_ABSENT: no sensor.
int hal_temperature(int32_t *milliCelsius);

// hal_gpio_open. Inputs float, or are pulled up or down by some 50 kilohm; outputs are driven and begin low or high.
#define HAL_GPIO_INPUT 0
#define HAL_GPIO_PULL_UP 1
#define HAL_GPIO_PULL_DOWN 2
#define HAL_GPIO_LOW 3
#define HAL_GPIO_HIGH 4
// Makes a pin one of these; may be called again at any time. 0, HAL_ABSENT, HAL_BAD_VALUE.
int hal_gpio_open(unsigned pin, int mode);
// Drives an output low (0) or high (anything else). 0, HAL_ABSENT, HAL_BAD_VALUE: it is not an output.
int hal_gpio_write(unsigned pin, int level);
// The level at the pin: 1 or 0; HAL_ABSENT; HAL_BAD_VALUE: it was not opened.
int hal_gpio_read(unsigned pin);

// Measures an analog input: millivolts, 0 to the board's reference; HAL_ABSENT. It takes less than 0.1 ms.
int32_t hal_adc_read(unsigned channel);

// Makes a bus an I2C controller of hertz clocks a second, 10,000 to 1,000,000; may be called again at any time; a device that was cut
// off in the middle of a byte is clocked free. 0, HAL_ABSENT, HAL_BAD_VALUE, HAL_TIMED_OUT: a line stays low.
int hal_i2c_open(unsigned bus, uint32_t hertz);
// Most bytes of a transfer each way.
#define HAL_I2C_MAX 32u
// What devices may hold the clock low for, together, in a transfer.
#define HAL_I2C_STRETCH_US 1000u
// Writes len bytes of x to the device of the 7-bit address (8 to 119), then, after a repeated start, reads outLen bytes
// into out; either may be 0, not both, and at most HAL_I2C_MAX. It returns after at most (len + outLen + 4) * 9 clocks
// of the bus and HAL_I2C_STRETCH_US. 0, HAL_ABSENT, HAL_BAD_VALUE, HAL_NO_ANSWER; HAL_TIMED_OUT, after which the bus has
// to be opened again. After an error out is undefined.
int hal_i2c_transfer(unsigned bus, unsigned address, const uint8_t *x, size_t len, uint8_t *out, size_t outLen);

// Makes a bus an SPI controller of at most hertz clocks a second, 8 bits, most significant first; mode 0 to 3 is
// polarity * 2 + phase. The select pin is a hal_gpio one of the caller. 0, HAL_ABSENT, HAL_BAD_VALUE: no rate this low.
int hal_spi_open(unsigned bus, uint32_t hertz, unsigned mode);
// Sends len bytes of x (NULL: ones) while the bytes that come back go to out (NULL: nowhere). It returns after 8 * len
// clocks of the bus. 0, HAL_ABSENT, HAL_BAD_VALUE: not opened.
int hal_spi_transfer(unsigned bus, const uint8_t *x, uint8_t *out, size_t len);

#endif
