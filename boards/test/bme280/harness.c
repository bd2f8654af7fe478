// SPDX-License-Identifier: BSD-3-Clause
// The BME280's driver over registers given a line, 512 hexadecimal digits: the sensor is started and read, and status,
// temperature and humidity are printed. "-" is a bus on which nobody answers; writes are told on standard error.
#include <stdio.h>
#include <string.h>

#include "boards/app/sensors/bme280.h"
#include "device/hal.h"

static uint8_t registers[256];
static int is_there;

int hal_i2c_open(unsigned bus, uint32_t hertz) { return bus == 1 && hertz <= 3400000 ? 0 : HAL_ABSENT; }

int hal_i2c_transfer(unsigned bus, unsigned address, const uint8_t *x, size_t len, uint8_t *out, size_t outLen) {
  if (bus != 1 || address != BME280_OTHER_ADDRESS || !is_there) return HAL_NO_ANSWER;
  if (outLen == 0 && len == 2) fprintf(stderr, "%02x %02x\n", x[0], x[1]);
  for (size_t i = 0; i < outLen; i++) out[i] = registers[(x[0] + i) & 0xff];
  return 0;
}

int main(void) {
  static char line[1024];
  while (fgets(line, sizeof line, stdin)) {
    Bme280 sensor = {.bus = 1, .address = BME280_OTHER_ADDRESS};
    int32_t celsius = 0, percent = 0;
    is_there = line[0] != '-';
    for (size_t i = 0; is_there && i < sizeof registers; i++) {
      unsigned byte;
      if (sscanf(line + 2 * i, "%2x", &byte) == 1) registers[i] = (uint8_t)byte;
    }
    const int started = bme280_start(&sensor);
    const int status = bme280_read(&sensor, &celsius, &percent);
    printf("%d %d %d %d\n", started, status, (int)celsius, (int)percent);
  }
  return 0;
}
