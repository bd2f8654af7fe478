// SPDX-License-Identifier: BSD-3-Clause
// Which pin is what on the W5500-EVB-Pico (its schematic), and which ones applications get. One list for all drivers.
#ifndef BOARDS_RP2040_PINS_H
#define BOARDS_RP2040_PINS_H

#define UART_PIN_TRANSMIT 0u
#define UART_PIN_RECEIVE 1u

// SPI 0, soldered to the W5500.
#define W5500_PIN_MISO 16u
#define W5500_PIN_SELECT 17u
#define W5500_PIN_CLOCK 18u
#define W5500_PIN_MOSI 19u
#define W5500_PIN_RESET 20u
#define W5500_PIN_INTERRUPT 21u

// Buses for applications; their pins are ordinary ones until the bus is opened (function select, 2.19.2).
#define I2C0_PIN_DATA 4u
#define I2C0_PIN_CLOCK 5u
#define I2C1_PIN_DATA 6u
#define I2C1_PIN_CLOCK 7u
#define SPI1_PIN_CLOCK 10u
#define SPI1_PIN_MOSI 11u
#define SPI1_PIN_MISO 12u

// Analog inputs 0 to 2 are GPIO 26 to 28; 3 measures a third of the supply on the board.
#define ADC_PIN(channel) (26u + (channel))
#define ADC_CHANNELS 4u

// GPIO 2 to 15, 22, 25 (the lamp) and 26 to 28; 23, 24 and 29 belong to the board's power supply.
#define PINS_FOR_APPLICATIONS 0x1e40fffcu

#endif
