// SPDX-License-Identifier: BSD-3-Clause
// UART 0 on GPIO 0 and 1: the log, 115,200 baud, 8 bits, no parity.
#include "board.h"
#include "pins.h"
#include "registers.h"

void uart_start(void) {
  // 125 MHz / (16 * 115,200) = 67 + 52/64
  REGISTER(UART0_IBRD) = 67;
  REGISTER(UART0_FBRD) = 52;
  REGISTER(UART0_LCR_H) = 0x70;
  REGISTER(UART0_CR) = 0x301;
  REGISTER(GPIO_CTRL(UART_PIN_TRANSMIT)) = GPIO_FUNCTION_UART;
  REGISTER(GPIO_CTRL(UART_PIN_RECEIVE)) = GPIO_FUNCTION_UART;
}

void uart_write(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    while (REGISTER(UART0_FR) & UART_FR_TXFF) {
    }
    REGISTER(UART0_DR) = (uint8_t)text[i];
  }
}

void hal_log(int level, const char *text, size_t len) {
  static const char *const names[] = {"error: ", "warning: ", "", "debug: "};
  static const uint8_t lengths[] = {7, 9, 0, 7};
  const unsigned at = level < 0 || level > 3 ? 3u : (unsigned)level;
  uart_write(names[at], lengths[at]);
  uart_write(text, len);
  uart_write("\r\n", 2);
}
