// SPDX-License-Identifier: BSD-3-Clause
// Bosch BME280: temperature and relative humidity over I2C. Register and section numbers: its data sheet,
// BST-BME280-DS002. The sensor measures by itself eight times a second; reading never waits for it.
#ifndef BOARDS_APP_SENSORS_BME280_H
#define BOARDS_APP_SENSORS_BME280_H

#include <stdint.h>

// Addresses with SDO at ground and at the supply (6.2).
#define BME280_ADDRESS 0x76u
#define BME280_OTHER_ADDRESS 0x77u

// Besides the errors of hal_i2c_open and hal_i2c_transfer.
#define BME280_NO_SAMPLE (-100)  // it was just started: the first sample is there in 10 ms
#define BME280_UNKNOWN (-101)    // another chip answers

typedef struct {
  // Where it is connected, set before the first call; the rest is zero then and bme280.c's own.
  unsigned bus;
  unsigned address;
  int is_started;
  uint16_t t1;
  int16_t t2, t3;
  int16_t h2, h4, h5;
  uint8_t h1, h3;
  int8_t h6;
} Bme280;

// Opens the bus at 100 kHz and starts the sensor, at any time anew; the first sample is there 10 ms later. 0, or
// BME280_UNKNOWN, HAL_ABSENT, HAL_NO_ANSWER, HAL_TIMED_OUT.
int bme280_start(Bme280 *sensor);

// The latest sample: hundredths of a degree Celsius (-4,000 to 8,500) and of a percent (0 to 10,000). A sensor that is not
// running is started, so that it may be plugged in at any time. 0; BME280_NO_SAMPLE, or an error of bme280_start; then
// nothing is written.
int bme280_read(Bme280 *sensor, int32_t *centiCelsius, int32_t *centiPercent);

#endif
