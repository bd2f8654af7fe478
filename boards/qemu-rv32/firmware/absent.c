// SPDX-License-Identifier: BSD-3-Clause
// The virtual machine has no sensor, no pins and no buses.
#include "device/hal.h"

int hal_temperature(int32_t *milliCelsius) {
  (void)milliCelsius;
  return HAL_ABSENT;
}

int hal_gpio_open(unsigned pin, int mode) {
  (void)pin, (void)mode;
  return HAL_ABSENT;
}

int hal_gpio_write(unsigned pin, int level) {
  (void)pin, (void)level;
  return HAL_ABSENT;
}

int hal_gpio_read(unsigned pin) {
  (void)pin;
  return HAL_ABSENT;
}

int32_t hal_adc_read(unsigned channel) {
  (void)channel;
  return HAL_ABSENT;
}

int hal_i2c_open(unsigned bus, uint32_t hertz) {
  (void)bus, (void)hertz;
  return HAL_ABSENT;
}

int hal_i2c_transfer(unsigned bus, unsigned address, const uint8_t *x, size_t len, uint8_t *out, size_t outLen) {
  (void)bus, (void)address, (void)x, (void)len, (void)out, (void)outLen;
  return HAL_ABSENT;
}

int hal_spi_open(unsigned bus, uint32_t hertz, unsigned mode) {
  (void)bus, (void)hertz, (void)mode;
  return HAL_ABSENT;
}

int hal_spi_transfer(unsigned bus, const uint8_t *x, uint8_t *out, size_t len) {
  (void)bus, (void)x, (void)out, (void)len;
  return HAL_ABSENT;
}
