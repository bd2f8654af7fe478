// SPDX-License-Identifier: BSD-3-Clause
// SPI 0 for the W5500, SPI 1 for applications (RP2040 datasheet, 4.4), both as controllers of 8 bits, polled.
#include "board.h"
#include "boards/w5500/bus.h"
#include "pins.h"
#include "registers.h"

#define FIFO_DEPTH 8u
#define CLOCK_HZ 125000000u
// The number of the bus applications get.
#define APPLICATION_BUS 1u

static int is_open;

// Sends len bytes of x (NULL: ones); what comes back goes to out (NULL: nowhere).
static void exchange(uint32_t base, const uint8_t *x, uint8_t *out, size_t len) {
  size_t sent = 0;
  size_t received = 0;
  while (received < len) {
    while (sent < len && sent - received < FIFO_DEPTH && (REGISTER(base + SPI_SR) & SPI_SR_TNF)) {
      REGISTER(base + SPI_DR) = x ? x[sent] : 0xffu;
      sent++;
    }
    while (received < sent && (REGISTER(base + SPI_SR) & SPI_SR_RNE)) {
      const uint8_t byte = (uint8_t)REGISTER(base + SPI_DR);
      if (out) out[received] = byte;
      received++;
    }
  }
}

// Mode 0, 31.25 MHz: the W5500 takes 33.3 MHz for certain (its datasheet, 5.5.4).
void spi_start(void) {
  REGISTER(SPI0_BASE + SPI_CPSR) = 4;
  REGISTER(SPI0_BASE + SPI_CR0) = SPI_CR0_8_BITS;
  REGISTER(SPI0_BASE + SPI_CR1) = SPI_CR1_SSE;
  bus_select(0);
  REGISTER(SIO_GPIO_OE_SET) = 1u << W5500_PIN_SELECT;
  REGISTER(GPIO_CTRL(W5500_PIN_SELECT)) = GPIO_FUNCTION_SIO;
  REGISTER(GPIO_CTRL(W5500_PIN_MISO)) = GPIO_FUNCTION_SPI;
  REGISTER(GPIO_CTRL(W5500_PIN_CLOCK)) = GPIO_FUNCTION_SPI;
  REGISTER(GPIO_CTRL(W5500_PIN_MOSI)) = GPIO_FUNCTION_SPI;
}

void bus_select(int selected) {
  REGISTER(selected ? SIO_GPIO_OUT_CLR : SIO_GPIO_OUT_SET) = 1u << W5500_PIN_SELECT;
}

void bus_transfer(const uint8_t *x, uint8_t *out, size_t len) { exchange(SPI0_BASE, x, out, len); }

static void take_pin(unsigned pin) {
  gpio_take(pin);
  REGISTER(GPIO_PAD(pin)) = GPIO_PAD_INPUT | GPIO_PAD_4_MA | GPIO_PAD_SCHMITT;
  REGISTER(GPIO_CTRL(pin)) = GPIO_FUNCTION_SPI;
}

// The rate is CLOCK_HZ / (prescaler * (1 + divider)), prescaler even, 2 to 254, divider 0 to 255 (4.4.3.4).
int hal_spi_open(unsigned bus, uint32_t hertz, unsigned mode) {
  if (bus != APPLICATION_BUS) return HAL_ABSENT;
  is_open = 0;
  if (hertz == 0 || mode > 3) return HAL_BAD_VALUE;
  const uint32_t ratio = CLOCK_HZ / hertz + (CLOCK_HZ % hertz != 0);
  const uint32_t prescaler = 2 * (ratio / 512 + 1);
  const uint32_t divider = (ratio + prescaler - 1) / prescaler;
  if (prescaler > 254) return HAL_BAD_VALUE;
  board_release(RESET_SPI1);
  REGISTER(SPI1_BASE + SPI_CR1) = 0;
  REGISTER(SPI1_BASE + SPI_CPSR) = prescaler;
  REGISTER(SPI1_BASE + SPI_CR0) = SPI_CR0_8_BITS | (mode & 2u ? SPI_CR0_SPO : 0) | (mode & 1u ? SPI_CR0_SPH : 0) |
                                  SPI_CR0_SCR(divider > 0 ? divider - 1 : 0);
  REGISTER(SPI1_BASE + SPI_CR1) = SPI_CR1_SSE;
  take_pin(SPI1_PIN_CLOCK);
  take_pin(SPI1_PIN_MOSI);
  take_pin(SPI1_PIN_MISO);
  is_open = 1;
  return 0;
}

int hal_spi_transfer(unsigned bus, const uint8_t *x, uint8_t *out, size_t len) {
  if (bus != APPLICATION_BUS) return HAL_ABSENT;
  if (!is_open) return HAL_BAD_VALUE;
  exchange(SPI1_BASE, x, out, len);
  return 0;
}
