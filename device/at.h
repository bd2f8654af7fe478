// SPDX-License-Identifier: BSD-3-Clause
// What an application of a device includes: it gives callbacks and submits operations; the runtime connects, enrols,
// encrypts and reconnects by itself. Numbers and JSON come with it (decimal.h, json.h); the clock, pins and buses of
// the board are hal.h.
#ifndef DEVICE_AT_H
#define DEVICE_AT_H

#include <stdint.h>

#include "decimal.h"
#include "json.h"
#include "provisioning.h"
#include "text.h"

// What is known of a value: bits of a verdict. What may be obeyed at all the core decides, by what the device was
// provisioned with; the rest is logged and not delivered.
enum {
  // Nobody on its way has read it. Without it the value came in plain text or there is none: never to be obeyed.
  AT_ENCRYPTED = 1,
  // The sender itself wrote this value for this key: nobody on its way changed it. Without it anybody on its way may have
  // written it, encrypted or not.
  AT_AUTHENTICATED = 2,
  // Newer than every notification of the sender before it: no recording, no repetition. Never with the value of a get.
  AT_FRESH = 4,
  // The sender's public key is the one it always had, at least since it was looked up first.
  AT_PINNED = 8,
  // It has the fingerprint this device was provisioned with.
  AT_PROVISIONED = 16,
};

// What somebody notified. Texts of the runtime are valid during the callback.
typedef struct {
  // "@device:name.namespace@sender"
  AtText key;
  // Decrypted; any bytes.
  AtText value;
  // The sender's atSign.
  AtText from;
  // The same one again has the same id.
  AtText id;
  // 1: a key was deleted instead of updated.
  int is_delete;
  // What is known of it, bits of AT_ENCRYPTED to AT_PROVISIONED.
  unsigned verdict;
} AtNotification;

// Kinds of operations.
enum { AT_PUT = 2, AT_GET = 3, AT_DELETE = 4, AT_SCAN = 5, AT_NOTIFY = 6 };

// at_submit: one is running; the session is not ready, or this is not turn(). Both mean: again at a later turn.
enum { AT_BUSY = -2, AT_NOT_READY = -3 };

typedef struct {
  // The session is ready for operations (1), or not (0).
  void (*ready)(int is_ready);
  // Called often, the only place for at_submit. Answers milliseconds until it wants to be called again; it is called
  // earlier when something happened.
  uint32_t (*turn)(void);
  // The operation ended: 0 or a negative status (core/status.ts), a get's or scan's value, and what is known of a get's;
  // status 1: it came unencrypted.
  void (*finished)(int32_t operation, int32_t status, AtText value, unsigned verdict);
  // Somebody shared, changed or deleted a record of the device's namespace. Any atSign may: at_is_command says whom to obey.
  void (*notified)(const AtNotification *notification);
} AtApplication;

// The application: every application defines this function, once. Called by the board after at_start; what it answers
// stays valid.
const AtApplication *at_application(void);

// Values that others did not encrypt are delivered as well, marked; without it they are not. For at_application.
void at_take_plain(void);

// Starts an operation: its number, positive; AT_BUSY or AT_NOT_READY; another negative status: never (limits). key is
// terminated, at most 248 bytes; value at most 2,048 bytes; both are copied. ttlMs: life of the record or notification,
// 0: for ever.
int32_t at_submit(int32_t kind, const char *key, const char *value, uint32_t valueLen, int64_t ttlMs);

// Bytes of a key with its end; at_key: it would be longer.
#define AT_KEY_MAX 256u
#define AT_KEY_TOO_LONG (-8)

// Writes the key of a record of the device in its namespace, terminated: "@alice:reading.greenhouse@greenhouse" for
// `with` @alice, "reading.greenhouse@greenhouse" for an empty `with`. Its length, or AT_KEY_TOO_LONG; then it is empty.
int32_t at_key(char key[AT_KEY_MAX], AtText with, const char *name);

// at_submit of the record `name` that is shared with the device's peer (provisioning.h). len is what json_close
// answered: negative is passed on. Errors of at_key and at_submit.
int32_t at_send(int32_t kind, const char *name, const char *value, int32_t len, int64_t ttlMs);

// 1: the notification is about the peer's record `name` in the device's namespace, encrypted and, unless the device was
// provisioned to take others too, authenticated and fresh: what a device may obey; what is known of it is logged. 0: it is
// another key, another sender's or a plain value (which is logged), or is about a deletion.
int at_is_command(const AtNotification *notification, const char *name);

// A value of the configuration, by the number of provisioning.h; the text is empty when it has none. It stays valid.
AtText at_configuration(unsigned field);

// A line for the board's log, never a secret. level: 0 error, 1 warning, 2 information, 3 debug.
void at_log(int level, const char *text);
// The same with a text behind it, whose control characters are shown as "?"; the line is cut after 160 bytes.
void at_log_text(int level, const char *name, AtText text);

// Reads what the device was provisioned with and tests its entropy. Once, before everything else. 0, or negative with
// the reason in the log.
int at_start(void);

// Runs the device. Returns only when it can't go on: 0 when the session ended for good, negative after a crash that a
// restart may mend; the reason is in the log.
int at_run(const AtApplication *application);
// Waits as retries.h says, by what at_run answered (0 also for a start that failed), and restarts the board.
void at_restart(int result);

#endif
