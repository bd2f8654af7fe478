// SPDX-License-Identifier: BSD-3-Clause
// Preloaded into an atServer by flush.test.ts: every flush of a file says that it begins and waits until it may.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** Opens `$FLUSH_GATE/<name>`; -1 when it isn't there. */
static int gate_open(const char *name, int flags) {
  char path[4096];
  const char *folder = getenv("FLUSH_GATE");
  if (folder == NULL) return -1;
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  return open(path, flags | O_CLOEXEC);
}

/** fdatasync(2): writes one byte to the fifo `begun` and reads one from the fifo `go`, while the file `armed` is there. */
int fdatasync(int fd) {
  int (*real)(int);
  *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
  int armed = gate_open("armed", O_RDONLY);
  if (armed >= 0) {
    char byte = 'b';
    int begun = gate_open("begun", O_RDWR);
    int go = gate_open("go", O_RDWR);
    if (begun < 0 || go < 0 || write(begun, &byte, 1) != 1 || read(go, &byte, 1) != 1) abort();
    close(begun);
    close(go);
    close(armed);
  }
  return real(fd);
}
