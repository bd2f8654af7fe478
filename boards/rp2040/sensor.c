// SPDX-License-Identifier: BSD-3-Clause
// The chip's temperature: ADC channel 4 (RP2040 datasheet, 4.9.5).
#include "board.h"
#include "registers.h"

#define CHANNEL 4u
#define SAMPLES 16u
#define CONVERSION_US 1000u

void sensor_start(void) {
  REGISTER(ADC_CS) = ADC_CS_EN | ADC_CS_TS_EN | ADC_CS_AINSEL(CHANNEL);
}

// One conversion, 0 to 4095, or negative.
static int convert(void) {
  const uint64_t end = timer_us() + CONVERSION_US;
  REGISTER_SET(ADC_CS) = ADC_CS_START_ONE;
  while (!(REGISTER(ADC_CS) & ADC_CS_READY)) {
    if (timer_us() > end) return -1;
  }
  return (int)(REGISTER(ADC_RESULT) & 0xfffu);
}

int32_t hal_read_sensor(char *out, size_t cap) {
  int32_t sum = 0;
  for (unsigned i = 0; i < SAMPLES; i++) {
    const int value = convert();
    if (value < 0) return -1;
    sum += value;
  }
  // T = 27 - (V - 0.706 V) / 1.721 mV/K at 3.3 V for 4096; here in tenths of a degree, V in microvolts.
  const int32_t microvolts = (int32_t)((int64_t)sum * 3300000 / (4096 * (int32_t)SAMPLES));
  int32_t tenths = 270 - ((microvolts - 706000) * 10 + 860) / 1721;
  char digits[8];
  size_t len = 0;
  const int is_negative = tenths < 0;
  if (is_negative) tenths = -tenths;
  digits[len++] = (char)('0' + tenths % 10);
  digits[len++] = '.';
  tenths /= 10;
  do {
    digits[len++] = (char)('0' + tenths % 10);
    tenths /= 10;
  } while (tenths > 0);
  if (is_negative) digits[len++] = '-';
  if (len > cap) return -1;
  for (size_t i = 0; i < len; i++) out[i] = digits[len - 1 - i];
  return (int32_t)len;
}
