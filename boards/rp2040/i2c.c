// SPDX-License-Identifier: BSD-3-Clause
// I2C 0 and 1 as controllers (RP2040 datasheet, 4.3; registers 4.3.17), polled.
#include "board.h"
#include "pins.h"
#include "registers.h"

#define BUSES 2u
#define CLOCK_HZ 125000000u
// Pulses shorter than 50 ns are noise (4.3.14, IC_FS_SPKLEN).
#define SPIKE_CYCLES 7u
// What the block itself adds to the two halves of a clock (4.3.14.1).
#define HIGH_EXTRA (SPIKE_CYCLES + 7u)
#define LOW_EXTRA 1u
// Data stay 312 ns behind a falling clock, above 400 kHz 136 ns.
#define HOLD_CYCLES 39u
#define HOLD_CYCLES_FAST 17u
#define FAST_HZ 400000u
// Half a clock of the pulses that free a bus.
#define FREEING_US 5u
#define FREEING_CLOCKS 9

typedef struct {
  uint32_t base;
  uint32_t reset;
  uint8_t data;
  uint8_t clock;
} Bus;

static const Bus buses[BUSES] = {{I2C0_BASE, RESET_I2C0, I2C0_PIN_DATA, I2C0_PIN_CLOCK},
                                 {I2C1_BASE, RESET_I2C1, I2C1_PIN_DATA, I2C1_PIN_CLOCK}};
// Clocks a second, 0: not open.
static uint32_t rates[BUSES];

static void pause_us(uint32_t us) {
  for (const uint64_t end = timer_us() + us + 1; timer_us() < end;) {
  }
}

// Lets the pull-up have the line (1) or pulls it low (0), and gives it time.
static void set_line(unsigned pin, int level) {
  REGISTER(level ? SIO_GPIO_OE_CLR : SIO_GPIO_OE_SET) = 1u << pin;
  pause_us(FREEING_US);
}

static int is_high(unsigned pin) { return (int)(REGISTER(SIO_GPIO_IN) >> pin & 1u); }

// A device that was cut off while it sent holds the data line until it has its clocks; then a stop condition (NXP UM10204,
// 3.1.16). 0, or HAL_TIMED_OUT: a line stays low.
static int free_lines(const Bus *bus) {
  const uint8_t pins[2] = {bus->data, bus->clock};
  for (unsigned i = 0; i < 2; i++) {
    gpio_take(pins[i]);
    REGISTER(SIO_GPIO_OUT_CLR) = 1u << pins[i];
    REGISTER(GPIO_PAD(pins[i])) = GPIO_PAD_INPUT | GPIO_PAD_4_MA | GPIO_PAD_SCHMITT | GPIO_PAD_PULL_UP;
    set_line(pins[i], 1);
    REGISTER(GPIO_CTRL(pins[i])) = GPIO_FUNCTION_SIO;
  }
  pause_us(FREEING_US);
  if (!is_high(bus->data)) {
    for (int i = 0; i < FREEING_CLOCKS; i++) {
      set_line(bus->clock, 0);
      set_line(bus->clock, 1);
    }
    set_line(bus->clock, 0);
    set_line(bus->data, 0);
    set_line(bus->clock, 1);
    set_line(bus->data, 1);
  }
  return is_high(bus->data) && is_high(bus->clock) ? 0 : HAL_TIMED_OUT;
}

// Three fifths of a clock low: what both standard and fast mode allow (UM10204, table 10).
static void set_rate(uint32_t base, uint32_t hertz) {
  const uint32_t period = CLOCK_HZ / hertz;
  const uint32_t low = period * 3 / 5;
  REGISTER(base + IC_FS_SCL_LCNT) = low - LOW_EXTRA;
  REGISTER(base + IC_FS_SCL_HCNT) = period - low - HIGH_EXTRA;
  REGISTER(base + IC_FS_SPKLEN) = SPIKE_CYCLES;
  REGISTER(base + IC_SDA_HOLD) = hertz > FAST_HZ ? HOLD_CYCLES_FAST : HOLD_CYCLES;
}

int hal_i2c_open(unsigned bus, uint32_t hertz) {
  if (bus >= BUSES) return HAL_ABSENT;
  if (hertz < 10000 || hertz > 1000000) return HAL_BAD_VALUE;
  const Bus *which = &buses[bus];
  rates[bus] = 0;
  REGISTER_SET(RESETS_RESET) = which->reset;
  const int result = free_lines(which);
  board_release(which->reset);
  if (result < 0) return result;
  REGISTER(which->base + IC_ENABLE) = 0;
  REGISTER(which->base + IC_CON) = IC_CON_CONTROLLER | IC_CON_FAST | IC_CON_RESTART | IC_CON_NO_TARGET;
  set_rate(which->base, hertz);
  REGISTER(GPIO_CTRL(which->data)) = GPIO_FUNCTION_I2C;
  REGISTER(GPIO_CTRL(which->clock)) = GPIO_FUNCTION_I2C;
  rates[bus] = hertz;
  return 0;
}

// Bytes of a transfer: first those to write, then those to read, of which the first one needs a repeated start.
typedef struct {
  const uint8_t *x;
  size_t len;
  uint8_t *out;
  size_t outLen;
} Transfer;

// The value of IC_DATA_CMD for byte `at`.
static uint32_t command(const Transfer *transfer, size_t at) {
  const int is_last = at + 1 == transfer->len + transfer->outLen;
  const uint32_t stop = is_last ? IC_DATA_CMD_STOP : 0;
  if (at < transfer->len) return stop | transfer->x[at];
  return stop | IC_DATA_CMD_READ | (at == transfer->len && at > 0 ? IC_DATA_CMD_RESTART : 0);
}

// Runs until the stop condition, which follows a refusal as well.
static int run(uint32_t base, const Transfer *transfer, uint64_t end) {
  size_t sent = 0;
  size_t received = 0;
  uint32_t status = 0;
  while (!(status & IC_INTR_STOP)) {
    if (timer_us() > end) return HAL_TIMED_OUT;
    status |= REGISTER(base + IC_RAW_INTR_STAT);
    while (received < transfer->outLen && REGISTER(base + IC_RXFLR) > 0) {
      transfer->out[received++] = (uint8_t)REGISTER(base + IC_DATA_CMD);
    }
    // Commands are taken faster than the bus is; without one the block holds the clock.
    const int has_room = sent < transfer->len + transfer->outLen && (REGISTER(base + IC_STATUS) & IC_STATUS_TFNF);
    if (has_room && !(status & IC_INTR_ABORT)) REGISTER(base + IC_DATA_CMD) = command(transfer, sent++);
  }
  return status & IC_INTR_ABORT || received < transfer->outLen ? HAL_NO_ANSWER : 0;
}

int hal_i2c_transfer(unsigned bus, unsigned address, const uint8_t *x, size_t len, uint8_t *out, size_t outLen) {
  const Transfer transfer = {x, len, out, outLen};
  if (bus >= BUSES) return HAL_ABSENT;
  if (rates[bus] == 0 || address < 8 || address > 119) return HAL_BAD_VALUE;
  if (len > HAL_I2C_MAX || outLen > HAL_I2C_MAX || len + outLen == 0) return HAL_BAD_VALUE;
  const uint32_t base = buses[bus].base;
  const uint32_t clocks = (uint32_t)(len + outLen + 4) * 9;
  const uint64_t end = timer_us() + clocks * 1000000u / rates[bus] + HAL_I2C_STRETCH_US;
  // The address is only taken while the block is off (4.3.10.2.1).
  REGISTER(base + IC_ENABLE) = 0;
  REGISTER(base + IC_TAR) = address;
  REGISTER(base + IC_ENABLE) = 1;
  // Also the abort of the transfer before, which keeps the FIFO empty.
  (void)REGISTER(base + IC_CLR_INTR);
  const int result = run(base, &transfer, end);
  // Whatever holds the line may do so for long: the bus has to be opened again.
  if (result == HAL_TIMED_OUT) rates[bus] = 0;
  return result;
}
