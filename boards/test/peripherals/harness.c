// SPDX-License-Identifier: BSD-3-Clause
// Pins and buses of the posix board, asked from outside: a question a line, its answer a line, the log on standard error.
// The argument is the file of the peripherals; without it there are none.
//   open pin mode | write pin level | read pin | adc channel | i2cOpen bus hertz | i2c bus address x outLen
//   spiOpen bus hertz mode | spi bus x     (x: bytes in hexadecimal, "-" none; decimal numbers otherwise)
//   bme280                                 starts and reads one on bus 0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boards/app/sensors/bme280.h"
#include "boards/posix/peripheralFile.h"
#include "device/hal.h"

static uint8_t bytes[64];
static uint8_t back[64];

void hal_log(int level, const char *text, size_t len) { fprintf(stderr, "%d %.*s\n", level, (int)len, text); }

static size_t unhex(const char *text) {
  size_t len = 0;
  unsigned byte;
  while (sscanf(text + 2 * len, "%2x", &byte) == 1) bytes[len++] = (uint8_t)byte;
  return len;
}

static void print_back(int status, size_t len) {
  printf("%d", status);
  for (size_t i = 0; i < len; i++) printf("%s%02x", i == 0 ? " " : "", back[i]);
}

static void sensor(void) {
  Bme280 bme280 = {.address = BME280_ADDRESS};
  int32_t celsius = 0, percent = 0;
  const int started = bme280_start(&bme280);
  const int status = bme280_read(&bme280, &celsius, &percent);
  printf("%d %d %d %d", started, status, (int)celsius, (int)percent);
}

int main(int argc, char **argv) {
  static char line[512];
  if (argc > 1) peripheral_file_start(argv[1]);
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (fgets(line, sizeof line, stdin)) {
    char what[16] = "", text[160] = "-";
    unsigned a = 0, b = 0, c = 0;
    sscanf(line, "%15s %u %u %u", what, &a, &b, &c);
    if (strcmp(what, "i2c") == 0) sscanf(line, "%*s %*u %*u %159s %u", text, &c);
    if (strcmp(what, "spi") == 0) sscanf(line, "%*s %*u %159s", text);
    const size_t len = unhex(text);
    if (strcmp(what, "open") == 0) printf("%d", hal_gpio_open(a, (int)b));
    if (strcmp(what, "write") == 0) printf("%d", hal_gpio_write(a, (int)b));
    if (strcmp(what, "read") == 0) printf("%d", hal_gpio_read(a));
    if (strcmp(what, "adc") == 0) printf("%d", (int)hal_adc_read(a));
    if (strcmp(what, "i2cOpen") == 0) printf("%d", hal_i2c_open(a, b));
    if (strcmp(what, "i2c") == 0) print_back(hal_i2c_transfer(a, b, bytes, len, back, c), c);
    if (strcmp(what, "spiOpen") == 0) printf("%d", hal_spi_open(a, b, c));
    if (strcmp(what, "spi") == 0) print_back(hal_spi_transfer(a, bytes, back, len), len);
    if (strcmp(what, "bme280") == 0) sensor();
    printf("\n");
  }
  return 0;
}
