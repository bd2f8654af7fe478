// SPDX-License-Identifier: BSD-3-Clause
// The device as a process: atmicro-device <flash file> [--peripherals <file>] [--speed <times>]
//   [--cut-at <flash operation>] [--system-stack]
// The flash file is what device/js/provisioning.ts makes; the peripherals are what pins and buses read. --speed lets time
// pass faster and --cut-at lets the power go, for tests; --system-stack is for sanitizers and valgrind.
// It runs until it is killed, which may happen at any moment: the flash is like that.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "device/at.h"
#include "device/hal.h"
#include "device/interpreter.h"
#include "device/tls.h"
#include "peripheralFile.h"

static const AtApplication *application;

// What this board can say of the RAM used so far, in bytes; read by the tests and benchmarks.
static void log_memory(void) {
  char line[192];
  InterpreterUsage usage;
  interpreter_usage(&usage);
  const int len = snprintf(
      line, sizeof line, "memory: linear %u code %u interpreter %u tls %u stack %u", (unsigned)usage.linear,
      (unsigned)usage.codeMost, (unsigned)usage.heapMost, (unsigned)tls_heap_most(), (unsigned)hal_stack_high_water());
  if (len > 0) hal_log(3, line, (size_t)len);
}

static void ready(int is_ready) {
  log_memory();
  application->ready(is_ready);
}

static uint32_t turn(void) { return application->turn(); }

static void finished(int32_t operation, int32_t status, AtText value, unsigned verdict) {
  application->finished(operation, status, value, verdict);
  log_memory();
}

static void notified(const AtNotification *notification) { application->notified(notification); }

static void device(void) {
  static const AtApplication measured = {ready, turn, finished, notified};
  if (at_start() != 0) return;
  application = at_application();
  at_restart(at_run(&measured));
}

static int usage(void) {
  fputs("usage: atmicro-device <flash file> [--peripherals <file>] [--speed <times>] [--cut-at <flash operation>]\n"
        "       [--system-stack]\n",
        stderr);
  return 2;
}

int main(int argc, char **argv) {
  static const char *const causes[] = {"power", "watchdog", "reboot", "crash"};
  const char *path = NULL;
  long speed = 1;
  long cut_at = -1;
  long cause = HAL_RESET_POWER;
  int on_system_stack = 0;
  for (int i = 1; i < argc; i++) {
    const int has_value = i + 1 < argc;
    if (strcmp(argv[i], "--speed") == 0 && has_value) speed = strtol(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--peripherals") == 0 && has_value) peripheral_file_start(argv[++i]);
    else if (strcmp(argv[i], "--cut-at") == 0 && has_value) cut_at = strtol(argv[++i], NULL, 10);
    else if (strcmp(argv[i], CAUSE_OPTION) == 0 && has_value) cause = strtol(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--system-stack") == 0) on_system_stack = 1;
    else if (!path && argv[i][0] != '-') path = argv[i];
    else return usage();
  }
  if (!path || speed < 1 || speed > 100000 || cause < 0 || cause > 3) return usage();
  clock_start((uint32_t)speed);
  board_start(argc, argv, (uint32_t)cause);
  if (flash_start(path, cut_at) != 0) {
    perror(path);
    return 1;
  }
  printf("I (0) start after %s\n", causes[cause]);
  fflush(stdout);
  board_run(device, on_system_stack);
  return 1;
}
