// SPDX-License-Identifier: BSD-3-Clause
// Entropy from the ring oscillator, which runs beside the crystal and is no clock here (RP2040 datasheet, 2.17.5).
// Its bit is sampled at times of the crystal's clock; von Neumann's pairs remove the bias. What the runtime does with
// the bytes (health tests, generator) is in device/.
#include "board.h"
#include "registers.h"

// Pairs tried for one byte before the source counts as broken; a fair one needs 32 on average.
#define MOST_PAIRS 1024u
// Processor cycles between two samples: several periods of the oscillator, never a multiple of it.
#define GAP_CYCLES 37u
#define STABLE (1u << 31)

static unsigned sample(void) {
  for (volatile unsigned i = 0; i < GAP_CYCLES / 4u; i++) {
  }
  return REGISTER(ROSC_RANDOMBIT) & 1u;
}

// One byte, or negative.
static int random_byte(void) {
  unsigned byte = 0;
  unsigned bits = 0;
  for (unsigned pair = 0; pair < MOST_PAIRS; pair++) {
    const unsigned first = sample();
    if (first == sample()) continue;
    byte = byte << 1 | first;
    if (++bits == 8) return (int)byte;
  }
  return -1;
}

int hal_entropy(uint8_t *out, size_t len) {
  if (!(REGISTER(ROSC_STATUS) & STABLE)) return -1;
  for (size_t i = 0; i < len; i++) {
    const int byte = random_byte();
    if (byte < 0) return -1;
    out[i] = (uint8_t)byte;
  }
  return 0;
}

const char *hal_entropy_source(void) { return "ring oscillator, von Neumann corrected"; }
