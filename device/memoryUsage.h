// SPDX-License-Identifier: BSD-3-Clause
// Use of the heaps in bytes, for a debugger or emulator that reads a running device; kept up to date by the loop.
#ifndef DEVICE_MEMORY_USAGE_H
#define DEVICE_MEMORY_USAGE_H

#include <stdint.h>

typedef struct {
  // The interpreter's heap: its parts now, and the most of all of it so far.
  uint32_t linear;
  uint32_t functions;
  uint32_t valueStack;
  uint32_t code;
  uint32_t codeMost;
  uint32_t interpreterMost;
  // The TLS heap: the most so far.
  uint32_t tlsMost;
  // Of the value stack, the most ever used; how often a function was compiled.
  uint32_t valueStackMost;
  uint32_t compiled;
} MemoryUsage;

extern MemoryUsage memory_usage;

// Brings memory_usage up to date.
void memory_usage_update(void);

#endif
