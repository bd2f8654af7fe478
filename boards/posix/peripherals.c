// SPDX-License-Identifier: BSD-3-Clause
// Pins and buses of a process: what they read comes from a file, what the device does to them goes to the log.
#include <stdio.h>

#include "device/hal.h"
#include "peripheralFile.h"

#define PINS 64u
#define BUSES 2u

static int modes[PINS];  // HAL_GPIO_* and 1 more; 0: not opened
static int levels[PINS];
static int is_i2c_open[BUSES];
static int is_spi_open[BUSES];

// "i2c 0 76 = f4 23", "spi 1 = 9f"
static void tell(const char *what, unsigned number, int address, const uint8_t *x, size_t len) {
  char text[256];
  int at = snprintf(text, sizeof text, "%s %u", what, number);
  if (address >= 0) at += snprintf(text + at, sizeof text - (size_t)at, " %02x", (unsigned)address);
  at += snprintf(text + at, sizeof text - (size_t)at, " =");
  for (size_t i = 0; i < len && (size_t)at < sizeof text - 4; i++) {
    at += snprintf(text + at, sizeof text - (size_t)at, " %02x", x[i]);
  }
  hal_log(3, text, (size_t)at);
}

static int has_pin(unsigned pin) { return peripheral_file_is_named() && pin < PINS; }

static void drive(unsigned pin, int level) {
  char text[32];
  levels[pin] = level != 0;
  const int len = snprintf(text, sizeof text, "gpio %u = %d", pin, levels[pin]);
  hal_log(3, text, (size_t)len);
}

int hal_gpio_open(unsigned pin, int mode) {
  if (!has_pin(pin)) return HAL_ABSENT;
  if (mode < HAL_GPIO_INPUT || mode > HAL_GPIO_HIGH) return HAL_BAD_VALUE;
  modes[pin] = mode + 1;
  if (mode >= HAL_GPIO_LOW) drive(pin, mode == HAL_GPIO_HIGH);
  return 0;
}

int hal_gpio_write(unsigned pin, int level) {
  if (!has_pin(pin)) return HAL_ABSENT;
  if (modes[pin] <= HAL_GPIO_LOW) return HAL_BAD_VALUE;
  drive(pin, level);
  return 0;
}

int hal_gpio_read(unsigned pin) {
  unsigned level;
  if (!has_pin(pin)) return HAL_ABSENT;
  if (modes[pin] == 0) return HAL_BAD_VALUE;
  if (modes[pin] > HAL_GPIO_LOW) return levels[pin];
  if (peripheral_value("gpio", pin, &level)) return level != 0;
  return modes[pin] == HAL_GPIO_PULL_UP + 1;
}

int32_t hal_adc_read(unsigned channel) {
  unsigned millivolts;
  if (!peripheral_value("adc", channel, &millivolts) || millivolts > 100000) return HAL_ABSENT;
  return (int32_t)millivolts;
}

int hal_i2c_open(unsigned bus, uint32_t hertz) {
  if (!peripheral_file_is_named() || bus >= BUSES) return HAL_ABSENT;
  if (hertz < 10000 || hertz > 1000000) return HAL_BAD_VALUE;
  is_i2c_open[bus] = 1;
  return 0;
}

int hal_i2c_transfer(unsigned bus, unsigned address, const uint8_t *x, size_t len, uint8_t *out, size_t outLen) {
  if (!peripheral_file_is_named() || bus >= BUSES) return HAL_ABSENT;
  if (!is_i2c_open[bus] || address < 8 || address > 119) return HAL_BAD_VALUE;
  if (len > HAL_I2C_MAX || outLen > HAL_I2C_MAX || len + outLen == 0) return HAL_BAD_VALUE;
  if (peripheral_answer("i2c", bus, address, x, len, out, outLen) < 0) return HAL_NO_ANSWER;
  if (outLen == 0) tell("i2c", bus, (int)address, x, len);
  return 0;
}

int hal_spi_open(unsigned bus, uint32_t hertz, unsigned mode) {
  if (!peripheral_file_is_named() || bus >= BUSES) return HAL_ABSENT;
  if (hertz == 0 || mode > 3) return HAL_BAD_VALUE;
  is_spi_open[bus] = 1;
  return 0;
}

int hal_spi_transfer(unsigned bus, const uint8_t *x, uint8_t *out, size_t len) {
  if (!peripheral_file_is_named() || bus >= BUSES) return HAL_ABSENT;
  if (!is_spi_open[bus]) return HAL_BAD_VALUE;
  if (peripheral_answer("spi", bus, 0, x, x ? len : 0, out, out ? len : 0) != 1 && x) tell("spi", bus, -1, x, len);
  return 0;
}
