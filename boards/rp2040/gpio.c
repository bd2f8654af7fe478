// SPDX-License-Identifier: BSD-3-Clause
// Pins of applications, by SIO (RP2040 datasheet, 2.3.1.2) and their pads (2.19.4).
#include "board.h"
#include "pins.h"
#include "registers.h"

// Pins an application opened, and those of them that are outputs.
static uint32_t opened;
static uint32_t outputs;

static int is_free(unsigned pin) { return pin < 30 && (PINS_FOR_APPLICATIONS >> pin & 1u); }

int hal_gpio_open(unsigned pin, int mode) {
  static const uint8_t pulls[] = {0, GPIO_PAD_PULL_UP, GPIO_PAD_PULL_DOWN, 0, 0};
  if (!is_free(pin)) return HAL_ABSENT;
  if (mode < HAL_GPIO_INPUT || mode > HAL_GPIO_HIGH) return HAL_BAD_VALUE;
  const uint32_t bit = 1u << pin;
  const int is_output = mode >= HAL_GPIO_LOW;
  // The level is there before the pin is an output.
  REGISTER(mode == HAL_GPIO_HIGH ? SIO_GPIO_OUT_SET : SIO_GPIO_OUT_CLR) = bit;
  REGISTER(is_output ? SIO_GPIO_OE_SET : SIO_GPIO_OE_CLR) = bit;
  REGISTER(GPIO_PAD(pin)) = GPIO_PAD_INPUT | GPIO_PAD_4_MA | GPIO_PAD_SCHMITT | pulls[mode];
  REGISTER(GPIO_CTRL(pin)) = GPIO_FUNCTION_SIO;
  opened |= bit;
  outputs = is_output ? outputs | bit : outputs & ~bit;
  return 0;
}

void gpio_take(unsigned pin) {
  opened &= ~(1u << pin);
  outputs &= ~(1u << pin);
}

int hal_gpio_write(unsigned pin, int level) {
  if (!is_free(pin)) return HAL_ABSENT;
  if (!(outputs >> pin & 1u)) return HAL_BAD_VALUE;
  REGISTER(level ? SIO_GPIO_OUT_SET : SIO_GPIO_OUT_CLR) = 1u << pin;
  return 0;
}

int hal_gpio_read(unsigned pin) {
  if (!is_free(pin)) return HAL_ABSENT;
  if (!(opened >> pin & 1u)) return HAL_BAD_VALUE;
  return (int)(REGISTER(SIO_GPIO_IN) >> pin & 1u);
}
