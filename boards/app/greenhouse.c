// SPDX-License-Identifier: BSD-3-Clause
#include "greenhouse.h"

#include <string.h>

#include "../../device/hal.h"
#include "../../device/provisioning.h"
#include "command.h"

#define INTERVAL_MS 10000u
#define NEVER_MS 60000u
#define KEY_MAX 256u
#define SHORTEST_TTL_MS 60000u

// What is sent next: a reply to a command first, then a reading as notification and as record.
typedef enum { NOTHING, REPLY, READING, LATEST } Step;

static struct {
  int is_ready;
  uint32_t interval_ms;
  uint64_t next_at;
  uint32_t count;
  Step running;
  int32_t operation;
  int latest_waits;
  int reply_waits;
  char id[COMMAND_ID_MAX];
  uint32_t id_len;
  int obeyed;
  char reading[64];
  uint32_t reading_len;
} app;

static uint32_t put_text(char *out, const char *text, uint32_t len) {
  memcpy(out, text, len);
  return len;
}

static uint32_t put_word(char *out, const char *word) {
  return put_text(out, word, (uint32_t)strlen(word));
}

static uint32_t put_number(char *out, uint32_t value) {
  char digits[10];
  uint32_t count = 0;
  uint32_t len = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count > 0) out[len++] = digits[--count];
  return len;
}

// "@alice:<name>.greenhouse@greenhouse"; 0 when it does not fit.
static int make_key(char *out, const char *name) {
  const AtText peer = at_configuration(PROVISIONED_PEER);
  const AtText space = at_configuration(PROVISIONED_NAMESPACE);
  const AtText self = at_configuration(PROVISIONED_ATSIGN);
  if (peer.len + space.len + self.len + strlen(name) + 3 > KEY_MAX) return 0;
  uint32_t at = put_text(out, peer.bytes, peer.len);
  out[at++] = ':';
  at += put_word(out + at, name);
  out[at++] = '.';
  at += put_text(out + at, space.bytes, space.len);
  at += put_text(out + at, self.bytes, self.len);
  out[at] = '\0';
  return 1;
}

static void submit(Step step, int32_t kind, const char *name, const char *value, uint32_t len,
                   int64_t ttlMs) {
  char key[KEY_MAX];
  if (!make_key(key, name)) return;
  const int32_t operation = at_submit(kind, key, value, len, ttlMs);
  if (operation <= 0) return;
  app.running = step;
  app.operation = operation;
}

static void make_reading(void) {
  char *out = app.reading;
  uint32_t at = put_word(out, "{\"n\":");
  at += put_number(out + at, ++app.count);
  at += put_word(out + at, ",\"temperatureC\":");
  const int32_t len = hal_read_sensor(out + at, 12);
  at += len > 0 ? (uint32_t)len : put_word(out + at, "null");
  out[at++] = '}';
  app.reading_len = at;
}

static void send_reply(void) {
  char value[COMMAND_ID_MAX + 64];
  uint32_t at = put_word(value, "{\"id\":");
  at += put_text(value + at, app.id, app.id_len);
  if (app.obeyed) {
    at += put_word(value + at, ",\"ok\":true,\"intervalMs\":");
    at += put_number(value + at, app.interval_ms);
  } else {
    at += put_word(value + at, ",\"ok\":false");
  }
  value[at++] = '}';
  submit(REPLY, AT_NOTIFY, "reply", value, at, 0);
}

static uint32_t turn(void) {
  const uint64_t now = hal_now_ms();
  if (!app.is_ready) return NEVER_MS;
  if (app.running != NOTHING) return NEVER_MS;
  if (app.reply_waits) {
    send_reply();
  } else if (app.latest_waits) {
    const uint32_t ttl = 10 * app.interval_ms;
    submit(LATEST, AT_PUT, "latest", app.reading, app.reading_len,
           ttl > SHORTEST_TTL_MS ? ttl : SHORTEST_TTL_MS);
  } else if (now >= app.next_at) {
    make_reading();
    submit(READING, AT_NOTIFY, "reading", app.reading, app.reading_len, 0);
    app.next_at = now + app.interval_ms;
  }
  if (app.running != NOTHING || app.next_at <= now) return NEVER_MS;
  return (uint32_t)(app.next_at - now);
}

static void ready(int is_ready) { app.is_ready = is_ready; }

static void finished(int32_t operation, int32_t status, AtText value) {
  (void)value;
  if (operation != app.operation) return;
  const Step step = app.running;
  app.running = NOTHING;
  if (status < 0) at_log(1, "an operation failed");
  if (step == REPLY) app.reply_waits = 0;
  if (step == READING) {
    app.latest_waits = 1;
    at_log(2, "reading sent");
  }
  if (step == LATEST) app.latest_waits = 0;
}

static int is(AtText text, AtText other) {
  return text.len == other.len && memcmp(text.bytes, other.bytes, text.len) == 0;
}

// Ends the key with "command.<namespace><peer>"?
static int is_command(AtText key) {
  static const char name[] = "command.";
  const AtText space = at_configuration(PROVISIONED_NAMESPACE);
  const AtText peer = at_configuration(PROVISIONED_PEER);
  const uint32_t len = (uint32_t)sizeof name - 1 + space.len + peer.len;
  if (key.len < len || (key.len > len && key.bytes[key.len - len - 1] != ':')) return 0;
  const char *at = key.bytes + key.len - len;
  return memcmp(at, name, sizeof name - 1) == 0 &&
         memcmp(at + sizeof name - 1, space.bytes, space.len) == 0 &&
         memcmp(at + sizeof name - 1 + space.len, peer.bytes, peer.len) == 0;
}

static void notified(const AtNotification *notification) {
  Command command;
  if (notification->is_delete || !is_command(notification->key)) return;
  if (!is(notification->from, at_configuration(PROVISIONED_PEER))) {
    at_log(1, "a command from a stranger was ignored");
    return;
  }
  if (!command_read(&command, notification->value.bytes, notification->value.len)) {
    at_log(1, "a command that can't be read was ignored");
    return;
  }
  app.obeyed = command.interval_ms != 0;
  if (app.obeyed) {
    app.interval_ms = command.interval_ms;
    app.next_at = hal_now_ms() + app.interval_ms;
  }
  app.id_len = command.id_len;
  memcpy(app.id, command.id, command.id_len);
  app.reply_waits = 1;
  at_log(2, app.obeyed ? "command obeyed" : "command refused");
}

const AtApplication *greenhouse(void) {
  static const AtApplication application = {ready, turn, finished, notified};
  const AtText interval = at_configuration(PROVISIONED_INTERVAL);
  memset(&app, 0, sizeof app);
  app.interval_ms = command_interval(interval.bytes, interval.len);
  if (app.interval_ms == 0) app.interval_ms = INTERVAL_MS;
  return &application;
}
