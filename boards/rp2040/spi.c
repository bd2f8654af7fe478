// SPDX-License-Identifier: BSD-3-Clause
// SPI 0, mode 0, 31.25 MHz: the W5500 takes 33.3 MHz for certain (its datasheet, 5.5.4).
#include "board.h"
#include "registers.h"
#include "w5500.h"

#define FIFO_DEPTH 8u

void spi_start(void) {
  REGISTER(SPI0_CPSR) = 4;
  REGISTER(SPI0_CR0) = 7;
  REGISTER(SPI0_CR1) = 2;
  spi_select(0);
  REGISTER(SIO_GPIO_OE_SET) = 1u << W5500_PIN_SELECT;
  REGISTER(GPIO_CTRL(W5500_PIN_SELECT)) = GPIO_FUNCTION_SIO;
  REGISTER(GPIO_CTRL(W5500_PIN_MISO)) = GPIO_FUNCTION_SPI;
  REGISTER(GPIO_CTRL(W5500_PIN_CLOCK)) = GPIO_FUNCTION_SPI;
  REGISTER(GPIO_CTRL(W5500_PIN_MOSI)) = GPIO_FUNCTION_SPI;
}

void spi_select(int selected) {
  REGISTER(selected ? SIO_GPIO_OUT_CLR : SIO_GPIO_OUT_SET) = 1u << W5500_PIN_SELECT;
}

void spi_transfer(const uint8_t *out, uint8_t *in, size_t len) {
  size_t sent = 0;
  size_t received = 0;
  while (received < len) {
    while (sent < len && sent - received < FIFO_DEPTH && (REGISTER(SPI0_SR) & SPI_SR_TNF)) {
      REGISTER(SPI0_DR) = out ? out[sent] : 0xffu;
      sent++;
    }
    while (received < sent && (REGISTER(SPI0_SR) & SPI_SR_RNE)) {
      const uint8_t byte = (uint8_t)REGISTER(SPI0_DR);
      if (in) in[received] = byte;
      received++;
    }
  }
}
