// SPDX-License-Identifier: BSD-3-Clause
// The demonstration: readings of a BME280, or of the board itself where there is none, go to a peer, and the peer may
// change how often. boards/README.md has the commands and their answers.
#include <string.h>

#include "boards/app/sensors/bme280.h"
#include "device/at.h"
#include "device/hal.h"

// Bytes of an id as it is written; commands that may wait for their reply.
enum { ID_MAX = 40, REPLIES = 4, MINUTE_MS = 60000 };

typedef struct {
  char id[ID_MAX];
  uint32_t id_len;
  int32_t interval_ms;
  const char *error;  // NULL: obeyed
} Reply;

static struct {
  Bme280 sensor;
  int is_ready, latest_waits;
  int32_t interval_ms, count;
  uint64_t next_at;
  int32_t operation;  // positive: it runs
  enum { REPLY, READING, LATEST } step;
  char reading[80];
  int32_t reading_len;
  unsigned waiting;
  Reply replies[REPLIES];
} app = {.sensor = {.address = BME280_ADDRESS}, .interval_ms = 10000};

static int is_interval(int32_t ms) { return ms >= 200 && ms <= 3600000; }

static void ready(int is_ready) { app.is_ready = is_ready; }

static void finished(int32_t operation, int32_t status, AtText value, unsigned verdict) {
  (void)value, (void)verdict;
  if (operation != app.operation) return;
  app.operation = 0;
  if (status < 0) at_log(1, "an operation failed");
  else if (app.step == READING) at_log(2, "reading sent");
  if (app.step == REPLY) memmove(app.replies, app.replies + 1, --app.waiting * sizeof(Reply));
  else app.latest_waits = app.step == READING;
}

static void make_reading(void) {
  JsonWriter json;
  int32_t celsius, percent;
  json_open(&json, app.reading, sizeof app.reading);
  json_put_integer(&json, "n", ++app.count);
  if (bme280_read(&app.sensor, &celsius, &percent) == 0) {
    json_put_decimal(&json, "temperatureC", decimal_round(celsius, 10), 1);
    json_put_integer(&json, "humidityPercent", decimal_round(percent, 100));
  } else if (hal_temperature(&celsius) == 0) {
    json_put_decimal(&json, "temperatureC", decimal_round(celsius, 100), 1);
  } else {
    json_put_null(&json, "temperatureC");
  }
  app.reading_len = json_close(&json);
}

static int32_t send_reply(const Reply *reply) {
  char value[128];
  JsonWriter json;
  json_open(&json, value, sizeof value);
  json_put_raw(&json, "id", (AtText){reply->id, reply->id_len});
  json_put_boolean(&json, "ok", !reply->error);
  if (reply->error) json_put_text(&json, "error", text_of(reply->error));
  else json_put_integer(&json, "intervalMs", reply->interval_ms);
  return at_send(AT_NOTIFY, "reply", value, json_close(&json), 0);
}

static uint32_t turn(void) {
  const uint64_t now = hal_now_ms();
  if (!app.is_ready || app.operation > 0) return MINUTE_MS;
  if (app.waiting > 0) {
    app.step = REPLY;
    app.operation = send_reply(&app.replies[0]);
  } else if (app.latest_waits) {
    const int32_t ttl = 10 * app.interval_ms > MINUTE_MS ? 10 * app.interval_ms : MINUTE_MS;
    app.step = LATEST;
    app.operation = at_send(AT_PUT, "latest", app.reading, app.reading_len, ttl);
  } else if (now >= app.next_at) {
    make_reading();
    app.next_at = now + (uint32_t)app.interval_ms;
    app.step = READING;
    app.operation = at_send(AT_NOTIFY, "reading", app.reading, app.reading_len, 0);
  }
  if (app.operation == 0) return (uint32_t)(app.next_at - now);
  if (app.operation < 0) finished(app.operation, app.operation, text_of(""), 0);
  return 0;
}

// Reads {"id":…,"set":"interval","ms":…} and sets the interval. NULL, or what is wrong with it.
static const char *obey(AtText command, Reply *reply) {
  AtText id;
  int32_t ms;
  const int32_t kind = json_find(command, "id", &id);
  const int has_id = (kind == JSON_NUMBER || kind == JSON_TEXT) && id.len <= ID_MAX;
  if (!has_id) id = text_of("null");
  reply->id_len = id.len;
  memcpy(reply->id, id.bytes, id.len);
  if (json_check(command) < 0) return "the command is not a flat JSON object";
  if (!has_id) return "id must be a number or a text of at most 40 bytes as written";
  if (!json_is(command, "set", "interval")) return "set must be \"interval\"";
  if (json_integer(command, "ms", &ms) < 0 || !is_interval(ms)) return "ms must be a whole number from 200 to 3600000";
  reply->interval_ms = app.interval_ms = ms;
  app.next_at = hal_now_ms() + (uint32_t)ms;
  return NULL;
}

static void notified(const AtNotification *notification) {
  if (!at_is_command(notification, "command")) return;
  if (app.waiting < REPLIES) {
    Reply *reply = &app.replies[app.waiting++];
    reply->error = obey(notification->value, reply);
    at_log(2, reply->error ? "command refused" : "command obeyed");
  } else {
    at_log(1, "ignored a command: too many wait for their replies");
  }
}

const AtApplication *at_application(void) {
  static const AtApplication application = {ready, turn, finished, notified};
  int32_t ms;
  bme280_start(&app.sensor);
  if (decimal_read(at_configuration(PROVISIONED_INTERVAL), 0, &ms) == 0 && is_interval(ms)) app.interval_ms = ms;
  return &application;
}
