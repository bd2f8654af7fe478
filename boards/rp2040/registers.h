// SPDX-License-Identifier: BSD-3-Clause
// Registers of the RP2040 this board uses. Names, offsets and bits: RP2040 datasheet, the section beside each block.
#ifndef BOARDS_RP2040_REGISTERS_H
#define BOARDS_RP2040_REGISTERS_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
// Atomic aliases of every APB register (2.1.2).
#define REGISTER_SET(address) REGISTER((address) + 0x2000u)
#define REGISTER_CLEAR(address) REGISTER((address) + 0x3000u)

// Clocks (2.15.7)
#define CLK_REF_CTRL 0x40008030u
#define CLK_REF_SELECTED 0x40008038u
#define CLK_SYS_CTRL 0x4000803cu
#define CLK_SYS_SELECTED 0x40008044u
#define CLK_PERI_CTRL 0x40008048u
#define CLK_ADC_CTRL 0x40008060u
#define CLK_REF_SRC_XOSC 2u
#define CLK_SYS_SRC_AUX 1u
#define CLK_ENABLE (1u << 11)

// Resets (2.14.3)
#define RESETS_RESET 0x4000c000u
#define RESETS_DONE 0x4000c008u
#define RESET_ADC (1u << 0)
#define RESET_I2C0 (1u << 3)
#define RESET_I2C1 (1u << 4)
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_PLL_SYS (1u << 12)
#define RESET_PLL_USB (1u << 13)
#define RESET_SPI0 (1u << 16)
#define RESET_SPI1 (1u << 17)
#define RESET_TIMER (1u << 21)
#define RESET_UART0 (1u << 22)

// Power-on state machine (2.13.5)
#define PSM_WDSEL 0x40010008u

// GPIO: function select (2.19.6.1), interrupts, pads (2.19.6.3)
#define GPIO_CTRL(pin) (0x40014004u + 8u * (pin))
#define GPIO_FUNCTION_SPI 1u
#define GPIO_FUNCTION_UART 2u
#define GPIO_FUNCTION_I2C 3u
#define GPIO_FUNCTION_SIO 5u
#define GPIO_FUNCTION_NONE 31u
#define GPIO_PROC0_INTE(pin) (0x40014100u + 4u * ((pin) / 8u))
#define GPIO_LEVEL_LOW(pin) (1u << (4u * ((pin) % 8u)))
#define GPIO_PAD(pin) (0x4001c004u + 4u * (pin))
#define GPIO_PAD_OUTPUT_OFF 0x80u
#define GPIO_PAD_INPUT 0x40u
#define GPIO_PAD_4_MA 0x10u
#define GPIO_PAD_PULL_UP 0x08u
#define GPIO_PAD_PULL_DOWN 0x04u
#define GPIO_PAD_SCHMITT 0x02u

// Crystal oscillator (2.16.7), ring oscillator (2.17.8), PLLs (2.18.4)
#define XOSC_CTRL 0x40024000u
#define XOSC_STATUS 0x40024004u
#define XOSC_STARTUP 0x4002400cu
#define ROSC_STATUS 0x40060018u
#define ROSC_RANDOMBIT 0x4006001cu
#define PLL_SYS 0x40028000u
#define PLL_USB 0x4002c000u
#define PLL_CS 0x0u
#define PLL_PWR 0x4u
#define PLL_FBDIV_INT 0x8u
#define PLL_PRIM 0xcu
#define PLL_PWR_PD (1u << 0)
#define PLL_PWR_POSTDIVPD (1u << 3)
#define PLL_PWR_VCOPD (1u << 5)
#define PLL_CS_LOCK (1u << 31)

// UART 0 (4.2.8)
#define UART0_DR 0x40034000u
#define UART0_FR 0x40034018u
#define UART0_IBRD 0x40034024u
#define UART0_FBRD 0x40034028u
#define UART0_LCR_H 0x4003402cu
#define UART0_CR 0x40034030u
#define UART_FR_TXFF (1u << 5)
#define UART_FR_RXFE (1u << 4)

// SPI 0 and 1, offsets from a base (4.4.4)
#define SPI0_BASE 0x4003c000u
#define SPI1_BASE 0x40040000u
#define SPI_CR0 0x00u
#define SPI_CR1 0x04u
#define SPI_DR 0x08u
#define SPI_SR 0x0cu
#define SPI_CPSR 0x10u
#define SPI_CR0_8_BITS 7u
#define SPI_CR0_SPO (1u << 6)
#define SPI_CR0_SPH (1u << 7)
#define SPI_CR0_SCR(divider) ((divider) << 8)
#define SPI_CR1_SSE (1u << 1)
#define SPI_SR_TNF (1u << 1)
#define SPI_SR_RNE (1u << 2)

// I2C 0 and 1, offsets from a base (4.3.17)
#define I2C0_BASE 0x40044000u
#define I2C1_BASE 0x40048000u
#define IC_CON 0x00u
#define IC_TAR 0x04u
#define IC_DATA_CMD 0x10u
#define IC_FS_SCL_HCNT 0x1cu
#define IC_FS_SCL_LCNT 0x20u
#define IC_RAW_INTR_STAT 0x34u
#define IC_CLR_INTR 0x40u
#define IC_ENABLE 0x6cu
#define IC_STATUS 0x70u
#define IC_RXFLR 0x78u
#define IC_SDA_HOLD 0x7cu
#define IC_FS_SPKLEN 0xa0u
#define IC_CON_CONTROLLER (1u << 0)
#define IC_CON_FAST (2u << 1)
#define IC_CON_RESTART (1u << 5)
#define IC_CON_NO_TARGET (1u << 6)
#define IC_DATA_CMD_READ (1u << 8)
#define IC_DATA_CMD_STOP (1u << 9)
#define IC_DATA_CMD_RESTART (1u << 10)
#define IC_INTR_ABORT (1u << 6)
#define IC_INTR_STOP (1u << 9)
#define IC_STATUS_TFNF (1u << 1)

// ADC (4.9.6)
#define ADC_CS 0x4004c000u
#define ADC_RESULT 0x4004c004u
#define ADC_CS_EN (1u << 0)
#define ADC_CS_TS_EN (1u << 1)
#define ADC_CS_START_ONE (1u << 2)
#define ADC_CS_READY (1u << 8)
#define ADC_CS_AINSEL(channel) ((channel) << 12)

// Timer (4.6.5), watchdog (4.7.6), chip reset (2.10.6)
#define TIMER_ALARM0 0x40054010u
#define TIMER_ARMED 0x40054020u
#define TIMER_RAWH 0x40054024u
#define TIMER_RAWL 0x40054028u
#define TIMER_INTR 0x40054034u
#define TIMER_INTE 0x40054038u
#define WATCHDOG_CTRL 0x40058000u
#define WATCHDOG_LOAD 0x40058004u
#define WATCHDOG_REASON 0x40058008u
#define WATCHDOG_SCRATCH(n) (0x4005800cu + 4u * (n))
#define WATCHDOG_TICK 0x4005802cu
#define WATCHDOG_CTRL_ENABLE (1u << 30)
#define WATCHDOG_CTRL_TRIGGER (1u << 31)
#define CHIP_RESET 0x40064008u

// SIO (2.3.1.7) and the processor (2.4.8)
#define SIO_GPIO_IN 0xd0000004u
#define SIO_GPIO_OUT_SET 0xd0000014u
#define SIO_GPIO_OUT_CLR 0xd0000018u
#define SIO_GPIO_OE_SET 0xd0000024u
#define SIO_GPIO_OE_CLR 0xd0000028u
#define NVIC_ISER 0xe000e100u
#define NVIC_ICPR 0xe000e280u
#define IRQ_TIMER0 (1u << 0)
#define IRQ_IO_BANK0 (1u << 13)

#endif
