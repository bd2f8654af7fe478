// SPDX-License-Identifier: BSD-3-Clause
// Analog inputs and the chip's temperature (RP2040 datasheet, 4.9). The reference is the board's 3.3 V.
#include "board.h"
#include "pins.h"
#include "registers.h"

#define TEMPERATURE 4u
// Conversions of 2 us each for one result, against the converter's noise.
#define SAMPLES 16
#define CONVERSION_US 100u
#define REFERENCE_UV 3300000

void adc_start(void) { REGISTER(ADC_CS) = ADC_CS_EN | ADC_CS_TS_EN; }

// One conversion of the selected input, 0 to 4095, or negative.
static int32_t convert(void) {
  const uint64_t end = timer_us() + CONVERSION_US;
  REGISTER_SET(ADC_CS) = ADC_CS_START_ONE;
  while (!(REGISTER(ADC_CS) & ADC_CS_READY)) {
    if (timer_us() > end) return -1;
  }
  return (int32_t)(REGISTER(ADC_RESULT) & 0xfffu);
}

// Microvolts, or negative.
static int32_t measure(unsigned channel) {
  int32_t sum = 0;
  REGISTER(ADC_CS) = ADC_CS_EN | ADC_CS_TS_EN | ADC_CS_AINSEL(channel);
  for (int i = 0; i < SAMPLES; i++) {
    const int32_t value = convert();
    if (value < 0) return -1;
    sum += value;
  }
  return (int32_t)((int64_t)sum * REFERENCE_UV / (4096 * SAMPLES));
}

int hal_temperature(int32_t *milliCelsius) {
  const int32_t microvolts = measure(TEMPERATURE);
  if (microvolts < 0) return HAL_ABSENT;
  // T = 27 - (V - 0.706 V) / 1.721 mV (4.9.5)
  *milliCelsius = 27000 - (int32_t)((int64_t)(microvolts - 706000) * 1000 / 1721);
  return 0;
}

int32_t hal_adc_read(unsigned channel) {
  if (channel >= ADC_CHANNELS) return HAL_ABSENT;
  // Of a pin that measures, everything digital is off (4.9.1).
  if (PINS_FOR_APPLICATIONS >> ADC_PIN(channel) & 1u) {
    gpio_take(ADC_PIN(channel));
    REGISTER(GPIO_CTRL(ADC_PIN(channel))) = GPIO_FUNCTION_NONE;
    REGISTER(GPIO_PAD(ADC_PIN(channel))) = GPIO_PAD_OUTPUT_OFF;
  }
  const int32_t microvolts = measure(channel);
  return microvolts < 0 ? HAL_ABSENT : (microvolts + 500) / 1000;
}
