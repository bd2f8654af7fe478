// SPDX-License-Identifier: BSD-3-Clause
#include "bme280.h"

#include "device/hal.h"

#define HERTZ 100000u
// Registers (5.4) and what is written to them.
#define CALIBRATION_1 0x88u  // T1 to H1
#define CALIBRATION_1_LEN 26u
#define ID 0xd0u
#define ID_BME280 0x60u
#define CALIBRATION_2 0xe1u  // H2 to H6
#define CALIBRATION_2_LEN 7u
#define CTRL_HUM 0xf2u
#define CTRL_HUM_ONCE 0x01u
#define CTRL_MEAS 0xf4u
#define CTRL_MEAS_SLEEP 0x00u
#define CTRL_MEAS_NORMAL 0x23u  // temperature once, pressure never, normal mode
#define CONFIG 0xf5u
#define CONFIG_125_MS 0x40u
#define TEMPERATURE 0xfau  // and humidity behind it
#define SAMPLE_LEN 5u
// What the data registers hold before the first sample.
#define NO_TEMPERATURE 0x80000
#define NO_HUMIDITY 0x8000

static int read_registers(const Bme280 *sensor, uint8_t first, uint8_t *out, size_t len) {
  return hal_i2c_transfer(sensor->bus, sensor->address, &first, 1, out, len);
}

static int write_register(const Bme280 *sensor, uint8_t number, uint8_t value) {
  const uint8_t bytes[2] = {number, value};
  return hal_i2c_transfer(sensor->bus, sensor->address, bytes, sizeof bytes, NULL, 0);
}

static int16_t little16(const uint8_t *x) { return (int16_t)(x[0] | x[1] << 8); }

// 12 bits with their sign: eight and, below them, four.
static int16_t signed12(uint8_t high, unsigned low) { return (int16_t)((int8_t)high * 16 + (int)low); }

// The factory's coefficients (4.2.2, table 16).
static int read_calibration(Bme280 *sensor) {
  uint8_t x[CALIBRATION_1_LEN];
  int result = read_registers(sensor, CALIBRATION_1, x, sizeof x);
  if (result < 0) return result;
  sensor->t1 = (uint16_t)little16(x);
  sensor->t2 = little16(x + 2);
  sensor->t3 = little16(x + 4);
  sensor->h1 = x[25];
  result = read_registers(sensor, CALIBRATION_2, x, CALIBRATION_2_LEN);
  sensor->h2 = little16(x);
  sensor->h3 = x[2];
  sensor->h4 = signed12(x[3], x[4] & 15u);
  sensor->h5 = signed12(x[5], x[4] >> 4);
  sensor->h6 = (int8_t)x[6];
  return result;
}

// CTRL_HUM counts from the next write of CTRL_MEAS on (5.4.3), CONFIG only in sleep mode (5.4.6).
int bme280_start(Bme280 *sensor) {
  static const uint8_t settings[][2] = {{CTRL_MEAS, CTRL_MEAS_SLEEP},
                                        {CONFIG, CONFIG_125_MS},
                                        {CTRL_HUM, CTRL_HUM_ONCE},
                                        {CTRL_MEAS, CTRL_MEAS_NORMAL}};
  uint8_t id = 0;
  int result = hal_i2c_open(sensor->bus, HERTZ);
  if (result == 0) result = read_registers(sensor, ID, &id, 1);
  if (result == 0 && id != ID_BME280) result = BME280_UNKNOWN;
  if (result == 0) result = read_calibration(sensor);
  for (unsigned i = 0; i < sizeof settings / sizeof settings[0] && result == 0; i++) {
    result = write_register(sensor, settings[i][0], settings[i][1]);
  }
  sensor->is_started = result == 0;
  return result;
}

static int64_t clamp(int64_t x, int64_t least, int64_t most) { return x < least ? least : x > most ? most : x; }

// The formulas of section 8.1 with 64-bit products. The temperature in 1/5120 degrees, kept within the sensor's limits
// of -40 and 85 degrees, so that whatever coefficients it has nothing overflows.
static int32_t fine_temperature(const Bme280 *sensor, int32_t raw) {
  const int64_t above = raw - 16 * (int32_t)sensor->t1;
  const int64_t fine = above * sensor->t2 / (1 << 14) + above * above * sensor->t3 / ((int64_t)1 << 34);
  return (int32_t)clamp(fine, -40 * 5120, 85 * 5120);
}

static int32_t humidity(const Bme280 *sensor, int32_t raw, int32_t fine) {
  const int64_t one = 1 << 26;
  const int64_t warmth = fine - 76800;
  const int64_t above = (int64_t)(raw - 64 * sensor->h4) * (1 << 14) - sensor->h5 * warmth;
  const int64_t bend = sensor->h6 * warmth * (one + sensor->h3 * warmth) / one;
  const int64_t scale = sensor->h2 * (one + bend) / (1 << 16);
  // Percent, 16 bits behind the point.
  const int64_t straight = clamp(above * scale / (1 << 24), 0, 200 << 16);
  const int64_t percent = straight - sensor->h1 * straight * straight / ((int64_t)1 << 35);
  return (int32_t)clamp((percent * 100 + (1 << 15)) >> 16, 0, 10000);
}

static int start_first(Bme280 *sensor) {
  const int result = bme280_start(sensor);
  return result < 0 ? result : BME280_NO_SAMPLE;
}

int bme280_read(Bme280 *sensor, int32_t *centiCelsius, int32_t *centiPercent) {
  uint8_t x[SAMPLE_LEN];
  if (!sensor->is_started) return start_first(sensor);
  const int result = read_registers(sensor, TEMPERATURE, x, sizeof x);
  sensor->is_started = result == 0;
  if (result < 0) return result;
  const int32_t raw = x[0] << 12 | x[1] << 4 | x[2] >> 4;
  const int32_t raw_humidity = x[3] << 8 | x[4];
  // It lost its power since.
  if (raw == NO_TEMPERATURE || raw_humidity == NO_HUMIDITY) return start_first(sensor);
  const int32_t fine = fine_temperature(sensor, raw);
  *centiCelsius = (fine * 5 + 128) >> 8;
  *centiPercent = humidity(sensor, raw_humidity, fine);
  return 0;
}
