// SPDX-License-Identifier: BSD-3-Clause
// What an application of a device includes: it gives callbacks and submits operations; the runtime connects, enrols,
// encrypts and reconnects by itself.
#ifndef DEVICE_AT_H
#define DEVICE_AT_H

#include <stdint.h>

// Bytes of the runtime, valid during the callback. UTF-8, not terminated.
typedef struct {
  const char *bytes;
  uint32_t len;
} AtText;

typedef struct {
  AtText key;
  AtText value;
  AtText from;
  AtText id;
  // 1: a key was deleted instead of updated.
  int is_delete;
} AtNotification;

enum { AT_PUT = 2, AT_GET = 3, AT_DELETE = 4, AT_SCAN = 5, AT_NOTIFY = 6 };

typedef struct {
  // The session is ready for operations (1), or not (0).
  void (*ready)(int is_ready);
  // Called often, the only place for at_submit. Answers milliseconds until it wants to be called again.
  uint32_t (*turn)(void);
  // The operation ended: 0 or a negative status, a get's or scan's value.
  void (*finished)(int32_t operation, int32_t status, AtText value);
  void (*notified)(const AtNotification *notification);
} AtApplication;

// Starts an operation: its number; negative: not now (one is running, or the session is not ready), or never (limits).
// ttlMs 0: for ever.
int32_t at_submit(int32_t kind, const char *key, const char *value, uint32_t valueLen, int64_t ttlMs);

// A value of the configuration, by the number of provisioning.h; the text is empty when it has none.
AtText at_configuration(unsigned field);

// A line for the board's log.
void at_log(int level, const char *text);

// Reads what the device was provisioned with and tests its entropy. Once, before everything else. 0, or negative with
// the reason in the log.
int at_start(void);

// Runs the device. Returns only when it can't go on: 0 when the session ended for good, negative after a crash that a
// restart may mend; the reason is in the log.
int at_run(const AtApplication *application);

#endif
