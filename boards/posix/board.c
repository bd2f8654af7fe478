// SPDX-License-Identifier: BSD-3-Clause
// Log, restarts, watchdog, entropy, temperature and the measure of the stack.
#include "board.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "device/hal.h"

#define ARGUMENTS_MAX 16
#define WATCHDOG_SECONDS 10
#define STACK_BYTES 131072u
#define UNUSED 0xa5

static char *arguments[ARGUMENTS_MAX + 3];
static char cause_text[2];
static uint32_t reset_cause;

// Only what a signal handler may do.
static void restart(uint32_t cause) {
  cause_text[0] = (char)('0' + cause);
  execv("/proc/self/exe", arguments);
  _exit(1);
}

static void watchdog_bites(int number) {
  (void)number;
  static const char text[] = "the watchdog restarts the device\n";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
  restart(HAL_RESET_WATCHDOG);
}

void board_start(int argc, char **argv, uint32_t cause) {
  int count = 0;
  for (int i = 0; i < argc && count < ARGUMENTS_MAX; i++) {
    if (strcmp(argv[i], CAUSE_OPTION) == 0) i++;
    else arguments[count++] = argv[i];
  }
  static char option[] = CAUSE_OPTION;
  arguments[count++] = option;
  arguments[count++] = cause_text;
  arguments[count] = NULL;
  reset_cause = cause;
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = watchdog_bites;
  // The handler's program begins with this signal unblocked.
  action.sa_flags = SA_NODEFER;
  sigaction(SIGALRM, &action, NULL);
  hal_watchdog_feed();
}

void hal_watchdog_feed(void) { alarm(WATCHDOG_SECONDS); }

void hal_reboot(void) { restart(HAL_RESET_REBOOT); }

uint32_t hal_reset_cause(void) { return reset_cause; }

void hal_log(int level, const char *text, size_t len) {
  static const char letters[] = "EWID";
  const char letter = level >= 0 && level < 4 ? letters[level] : 'D';
  printf("%c (%llu) %.*s\n", letter, (unsigned long long)hal_now_ms(), (int)len, text);
}

int hal_entropy(uint8_t *out, size_t len) {
  const int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  size_t done = 0;
  while (done < len) {
    const ssize_t count = read(file, out + done, len - done);
    if (count <= 0) break;
    done += (size_t)count;
  }
  close(file);
  return done == len ? 0 : -1;
}

const char *hal_entropy_source(void) { return "/dev/urandom"; }

int hal_temperature(int32_t *milliCelsius) {
  long milli = 0;
  FILE *file = fopen("/sys/class/thermal/thermal_zone0/temp", "re");
  if (!file) return HAL_ABSENT;
  const int found = fscanf(file, "%ld", &milli);
  fclose(file);
  if (found != 1 || milli < 0 || milli > 200000) return HAL_ABSENT;
  *milliCelsius = (int32_t)milli;
  return 0;
}

static uint8_t stack[STACK_BYTES];
static int is_counted;
static ucontext_t before;
static ucontext_t inside;

void board_run(void (*program)(void), int on_system_stack) {
  if (on_system_stack) {
    program();
    return;
  }
  is_counted = 1;
  memset(stack, UNUSED, sizeof stack);
  if (getcontext(&inside) != 0) abort();
  inside.uc_stack.ss_sp = stack;
  inside.uc_stack.ss_size = sizeof stack;
  inside.uc_link = &before;
  makecontext(&inside, program, 0);
  if (swapcontext(&before, &inside) != 0) abort();
}

uint32_t hal_stack_high_water(void) {
  uint32_t untouched = 0;
  if (!is_counted) return 0;
  while (untouched < STACK_BYTES && stack[untouched] == UNUSED) untouched++;
  return STACK_BYTES - untouched;
}
