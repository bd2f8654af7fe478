// SPDX-License-Identifier: BSD-3-Clause
// How the W5500 is wired to the RP2040; its SPI is in spi.c.
#include "board.h"
#include "boards/w5500/bus.h"
#include "pins.h"
#include "registers.h"

void bus_reset(int held) {
  if (!held) {
    REGISTER(SIO_GPIO_OUT_SET) = 1u << W5500_PIN_RESET;
    return;
  }
  REGISTER(SIO_GPIO_OUT_CLR) = 1u << W5500_PIN_RESET;
  REGISTER(SIO_GPIO_OE_SET) = 1u << W5500_PIN_RESET;
  REGISTER(GPIO_CTRL(W5500_PIN_RESET)) = GPIO_FUNCTION_SIO;
  REGISTER(GPIO_CTRL(W5500_PIN_INTERRUPT)) = GPIO_FUNCTION_SIO;
  REGISTER(GPIO_PAD(W5500_PIN_INTERRUPT)) =
      GPIO_PAD_INPUT | GPIO_PAD_PULL_UP | GPIO_PAD_SCHMITT;
}

int bus_interrupt(void) { return !(REGISTER(SIO_GPIO_IN) & 1u << W5500_PIN_INTERRUPT); }

uint64_t bus_us(void) { return timer_us(); }
