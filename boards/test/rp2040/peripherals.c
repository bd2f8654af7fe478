// SPDX-License-Identifier: BSD-3-Clause
// Test program: what hal.h has for applications, on the RP2040 board, and the BME280's driver on top of it. Reports by
// lines; "again" asks the test to change what is connected.
#include <string.h>

#include "boards/app/sensors/bme280.h"
#include "boards/rp2040/board.h"

#define LAMP 25u
#define BUTTON 2u
#define OTHER 3u

static void say(const char *text) { hal_log(2, text, strlen(text)); }

static void say_numbers(const char *name, const int32_t *values, size_t count) {
  char line[128];
  size_t at = strlen(name);
  memcpy(line, name, at);
  for (size_t i = 0; i < count; i++) {
    char digits[10];
    size_t len = 0;
    uint32_t rest = values[i] < 0 ? 0u - (uint32_t)values[i] : (uint32_t)values[i];
    line[at++] = ' ';
    if (values[i] < 0) line[at++] = '-';
    do {
      digits[len++] = (char)('0' + rest % 10);
      rest /= 10;
    } while (rest > 0);
    while (len > 0) line[at++] = digits[--len];
  }
  hal_log(2, line, at);
}

static void check_pins(void) {
  const int32_t absent[] = {hal_gpio_open(0, HAL_GPIO_INPUT), hal_gpio_open(17, HAL_GPIO_LOW), hal_gpio_read(23),
                            hal_gpio_write(30, 1)};
  say_numbers("not for applications", absent, 4);
  const int32_t bad[] = {hal_gpio_read(BUTTON), hal_gpio_open(BUTTON, 5), hal_gpio_open(BUTTON, HAL_GPIO_PULL_UP),
                         hal_gpio_write(BUTTON, 1)};
  say_numbers("pin used wrongly", bad, 4);
  const int32_t pulled[] = {hal_gpio_read(BUTTON), hal_gpio_open(OTHER, HAL_GPIO_PULL_DOWN), hal_gpio_read(OTHER)};
  say_numbers("pulled", pulled, 3);
  const int32_t driven[] = {hal_gpio_open(LAMP, HAL_GPIO_HIGH), hal_gpio_read(LAMP), hal_gpio_write(LAMP, 0),
                            hal_gpio_read(LAMP)};
  say_numbers("driven", driven, 4);
}

static void check_analog(void) {
  const int32_t values[] = {hal_adc_read(0), hal_adc_read(1), hal_adc_read(3), hal_adc_read(4)};
  say_numbers("millivolts", values, 4);
}

static void check_bus(void) {
  uint8_t id[2] = {0xd0, 0};
  const int32_t bad[] = {hal_i2c_open(2, 100000), hal_i2c_open(0, 9999), hal_i2c_transfer(1, 0x76, id, 1, NULL, 0)};
  say_numbers("bus used wrongly", bad, 3);
  const int32_t answers[] = {hal_i2c_open(0, 400000), hal_i2c_transfer(0, 0x76, id, 1, id + 1, 1), id[1],
                             hal_i2c_transfer(0, 0x44, id, 1, id + 1, 1), hal_i2c_transfer(0, 120, id, 1, NULL, 0),
                             hal_i2c_transfer(0, 0x76, id, 33, NULL, 0)};
  say_numbers("bus", answers, 6);
}

static void check_spi(void) {
  static const uint8_t out[20] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
  uint8_t in[20];
  const int32_t bad[] = {hal_spi_open(0, 1000000, 0), hal_spi_transfer(1, out, in, 1), hal_spi_open(1, 1000, 0),
                         hal_spi_open(1, 1000000, 4)};
  say_numbers("spi used wrongly", bad, 4);
  const int32_t opened = hal_spi_open(1, 1000000, 3);
  hal_gpio_open(13, HAL_GPIO_HIGH);
  hal_gpio_write(13, 0);
  const int32_t done = hal_spi_transfer(1, out, in, sizeof in);
  hal_gpio_write(13, 1);
  const int32_t values[] = {opened, done, in[0], in[19], hal_spi_transfer(1, NULL, NULL, 9)};
  say_numbers("spi", values, 5);
}

static void check_sensor(void) {
  Bme280 sensor = {.address = BME280_ADDRESS};
  for (int i = 0; i < 7; i++) {
    int32_t sample[3] = {0, 0, 0};
    const uint64_t before = timer_us();
    sample[0] = bme280_read(&sensor, &sample[1], &sample[2]);
    if (timer_us() - before > 20000) say("it waited");
    say_numbers("sensor", sample, 3);
    hal_watchdog_feed();
    hal_wait(50);
  }
}

int main(void) {
  check_pins();
  check_analog();
  check_bus();
  check_spi();
  check_sensor();
  return 0;
}
