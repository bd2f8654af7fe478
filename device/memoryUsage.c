// SPDX-License-Identifier: BSD-3-Clause
#include "memoryUsage.h"

#include "interpreter.h"
#include "tls.h"

MemoryUsage memory_usage;

void memory_usage_update(void) {
  InterpreterUsage usage;
  interpreter_usage(&usage);
  memory_usage = (MemoryUsage){
      .linear = usage.linear,
      .functions = usage.functions,
      .valueStack = usage.stack,
      .code = usage.code,
      .codeMost = usage.codeMost,
      .interpreterMost = usage.heapMost,
      .tlsMost = tls_heap_most(),
      .valueStackMost = usage.stackMost,
      .compiled = usage.compiled,
  };
}
