// SPDX-License-Identifier: BSD-3-Clause
// The device's loop: asks the core what to do, does it, and sleeps until the link, the time or the application wake it.
#include <string.h>

#include "address.h"
#include "atKey.h"
#include "core.h"
#include "crash.h"
#include "decimal.h"
#include "entropy.h"
#include "hal.h"
#include "memoryUsage.h"
#include "provisioning.h"
#include "retries.h"
#include "store.h"
#include "tls.h"

// Actions done before the application gets its turn.
#define BURST 64
// Longest time of a connection and its handshake.
#define OPEN_MS 45000u
// While connecting the link is looked at at least so often: name servers are asked again by it.
#define OPENING_MS 200u
// Longest sleep at a time: well below what any board's watchdog waits.
#define SLEEP_MS 4000u
// After this time without progress (nothing received, nothing tried) the watchdog is no longer fed.
#define PROGRESS_MS 900000u

extern const uint8_t core_wasm_start[];
extern const uint8_t core_wasm_end[];

static struct {
  const AtApplication *application;
  uint8_t configuration[PROVISIONED_CONFIGURATION_MAX];
  uint32_t configuration_len;
  enum { LINK_NONE, LINK_OPENING, LINK_OPEN } link;
  uint64_t open_until;
  uint64_t progress_at;
  int in_turn;
  int is_ready;
  int takes_plain;
  int32_t crash_operation;  // reports the last crash; 0: none is under way
  int has_ended;
  int has_crashed;
} loop;

void at_log(int level, const char *text) { hal_log(level, text, strlen(text)); }

void at_log_text(int level, const char *name, AtText text) {
  char line[160];
  size_t len = 0;
  while (*name && len < sizeof line) line[len++] = *name++;
  for (uint32_t i = 0; i < text.len && len < sizeof line; i++) {
    const char x = text.bytes[i];
    // What others wrote must not end the line or steer a terminal.
    line[len++] = (uint8_t)x < ' ' || x == 127 ? '?' : x;
  }
  hal_log(level, line, len);
}

// "name: number" in one line.
static void log_number(int level, const char *name, int32_t value) {
  char line[96];
  const size_t len = strlen(name);
  memcpy(line, name, len);
  hal_log(level, line, len + decimal(line + len, value));
}

AtText at_configuration(unsigned field) {
  const uint8_t *x = loop.configuration;
  for (uint32_t at = 0; at + 3 <= loop.configuration_len;) {
    const uint32_t len = (uint32_t)x[at + 1] << 8 | x[at + 2];
    if (len > loop.configuration_len - at - 3) break;
    if (x[at] == field) return (AtText){(const char *)x + at + 3, len};
    at += 3 + len;
  }
  return (AtText){"", 0};
}

static void progress(void) { loop.progress_at = hal_now_ms(); }

static void fail(void) {
  at_log_text(0, "core stopped: ", text_of(core_failure()));
  crash_remember(core_failure(), core_failed_function());
  loop.has_ended = 1;
  loop.has_crashed = 1;
}

static void drop_link(void) {
  tls_close();
  loop.link = LINK_NONE;
}

// Moves received bytes into the core; 0 when there were none.
static int receive(void) {
  uint32_t room;
  if (loop.link != LINK_OPEN) return 0;
  uint8_t *to = core_rx(&room);
  if (!to || room == 0) return 0;
  const int count = tls_receive(to, room);
  if (count == 0) return 0;
  if (count < 0) {
    at_log_text(2, "link lost: ", text_of(tls_failure()));
    drop_link();
    core_link_closed();
    return 1;
  }
  progress();
  core_rx_push((uint32_t)count);
  return 1;
}

static int open_address(void) {
  char host[ADDRESS_HOST_MAX + 1];
  uint32_t len;
  uint16_t port;
  const char *address = core_address(&len);
  if (!address) return -1;
  if (address_read(address, len, host, &port) != 0) {
    at_log_text(1, "not connected: no address: ", (AtText){address, len});
    return -1;
  }
  at_log_text(3, "connecting to ", (AtText){address, len});
  if (tls_open(host, port) == 0) return 0;
  at_log_text(1, "not connected: ", text_of(tls_failure()));
  return -1;
}

static void begin_link(void) {
  drop_link();
  progress();
  if (open_address() != 0) {
    core_link_failed();
    return;
  }
  loop.link = LINK_OPENING;
  loop.open_until = hal_now_ms() + OPEN_MS;
}

static void step_link(void) {
  if (loop.link != LINK_OPENING) return;
  const int result = tls_step();
  if (result == TLS_OPEN) {
    loop.link = LINK_OPEN;
    progress();
    core_link_opened();
  } else if (result == TLS_FAILED || hal_now_ms() > loop.open_until) {
    at_log_text(1, "not connected: ", text_of(tls_failure()));
    drop_link();
    core_link_failed();
  }
}

static AtText field(int32_t number) {
  uint32_t len;
  const uint8_t *bytes = core_event_field(number, &len);
  return bytes ? (AtText){(const char *)bytes, len} : (AtText){"", 0};
}

// What an operator has to do about the statuses he can do something about; NULL for the others.
static const char *sentence_of(int32_t status) {
  switch (status) {
    case STATUS_INSECURE_ANSWER:
      return "the approving client sent the keys without IVs, so the atServer can read them: approve with a newer "
             "client, or provision with --accept-legacy-answer";
    case STATUS_NOT_ENCRYPTED: return "it was not encrypted: anybody on its way may have written it";
    case STATUS_NOT_AUTHENTIC:
      return "nobody vouches for it, or it was seen or overtaken: for a sender whose software can't vouch for values, "
             "provision with --accept-unauthenticated";
    case STATUS_PEER_KEY_CHANGED:
      return "the peer's key is another one: the peer was reset, or somebody is in between; provision anew to accept it";
    case STATUS_OTHER_ISSUER:
      return "another device or program of this atSign answers for the peer in this namespace: give each its own";
    case STATUS_BAD_CHALLENGE: return "what the atServer wanted signed is no login challenge for this atSign";
    default: return NULL;
  }
}

static void log_status(int level, const char *name, int32_t status) {
  const char *sentence = sentence_of(status);
  log_number(level, name, status);
  if (sentence) at_log(level, sentence);
}

static void state_changed(int32_t state, int32_t reason) {
  static const char *const names[] = {"stopped", "directory", "connecting", "login", "enrolling",
                                      "waiting for approval", "ready", "pausing"};
  const char *name = state >= 0 && state <= STATE_PAUSING ? names[state] : "unknown";
  at_log_text(2, "state: ", text_of(name));
  if (reason < 0) log_status(1, "because of status ", reason);
  loop.is_ready = state == STATE_READY;
  loop.application->ready(state == STATE_READY);
  if (state != STATE_STOPPED) return;
  at_log(0, "the session ended");
  loop.has_ended = 1;
}

static void notified(void) {
  const AtText kind = field(FIELD_KIND);
  const AtNotification notification = {
      .key = field(FIELD_KEY),
      .value = field(FIELD_VALUE),
      .from = field(FIELD_FROM),
      .id = field(FIELD_ID),
      .is_delete = kind.len > 0 && kind.bytes[0] == 'd',
      .verdict = core_event_verdict(),
  };
  loop.application->notified(&notification);
}

static void finished(int32_t operation, int32_t status) {
  if (operation != loop.crash_operation) {
    loop.application->finished(operation, status, field(FIELD_VALUE), core_event_verdict());
    return;
  }
  loop.crash_operation = 0;
  if (status < 0) log_number(1, "the last crash could not be told, status ", status);
  // Told or refused: it is not tried for ever.
  crash_forget();
}

static void take_event(void) {
  const int32_t status = core_event_status();
  switch (core_event_kind()) {
    case EVENT_STATE: state_changed(status, core_event_op()); break;
    case EVENT_OPERATION: finished(core_event_op(), status); break;
    case EVENT_NOTIFICATION: notified(); break;
    default: log_status(1, "a notification was not delivered, status ", status); break;
  }
  core_event_done();
}

static int send_bytes(void) {
  uint32_t len;
  const uint8_t *x = core_tx(&len);
  const int count = loop.link == LINK_OPEN && x ? tls_send(x, len) : 0;
  if (count < 0) {
    drop_link();
    core_link_closed();
    return 1;
  }
  if (count > 0) core_tx_pop((uint32_t)count);
  return count > 0;
}

// 0 when the action has to wait.
static int act(int32_t action) {
  switch (action) {
    case ACTION_OPEN: begin_link(); return 1;
    case ACTION_CLOSE: drop_link(); return 1;
    case ACTION_EVENT: take_event(); return 1;
    case ACTION_SEND: return send_bytes();
    default: return 0;
  }
}

int32_t at_submit(int32_t kind, const char *key, const char *value, uint32_t valueLen,
                  int64_t ttlMs) {
  if (!loop.in_turn) return STATUS_WRONG_STATE;
  return core_op_start(kind, (const uint8_t *)key, (uint32_t)strlen(key), (const uint8_t *)value,
                       valueLen, ttlMs);
}

// Begins to report the last crash: a record "crash.<device>.<namespace>" of the device's own.
static void tell_crash(void) {
  char text[CRASH_TEXT_MAX];
  char key[AT_KEY_MAX];
  const uint32_t len = crash_text(text);
  const AtText parts[] = {text_of("crash."), at_configuration(PROVISIONED_DEVICE), text_of("."),
                          at_configuration(PROVISIONED_NAMESPACE), at_configuration(PROVISIONED_ATSIGN)};
  const int32_t keyLen = at_key_join(key, parts, sizeof parts / sizeof parts[0]);
  if (len == 0 || keyLen < 0) return;
  const int32_t operation =
      core_op_start(OPERATION_PUT, (const uint8_t *)key, (uint32_t)keyLen, (const uint8_t *)text, len, 0);
  if (operation == STATUS_BUSY || operation == STATUS_WRONG_STATE) return;
  at_log_text(1, "telling of the last crash: ", (AtText){text, len});
  if (operation > 0) loop.crash_operation = operation;
  else crash_forget();
}

static uint32_t application_turn(void) {
  if (loop.is_ready && loop.crash_operation == 0) tell_crash();
  // One operation runs at a time, and the application need not know of this one.
  if (loop.crash_operation != 0) return SLEEP_MS;
  loop.in_turn = 1;
  const uint32_t wanted = loop.application->turn();
  loop.in_turn = 0;
  return wanted;
}

// One round; milliseconds to sleep afterwards.
static uint32_t turn(void) {
  const uint32_t wanted = application_turn();
  step_link();
  for (int i = 0; i < BURST; i++) {
    const int received = receive();
    const int32_t action = core_session_poll();
    if (action == CORE_TRAP) {
      fail();
      return 0;
    }
    if (loop.has_ended) return 0;
    if (action == ACTION_IDLE ? received : act(action)) continue;
    uint32_t delay = (uint32_t)core_poll_delay_ms();
    if (loop.link == LINK_OPENING && delay > OPENING_MS) delay = OPENING_MS;
    return delay < wanted ? delay : wanted;
  }
  return 0;
}

void at_take_plain(void) { loop.takes_plain = 1; }

static int configure_field(int32_t number, AtText text) {
  if (text.len == 0) return 0;
  const int32_t status = core_config_set(number, (const uint8_t *)text.bytes, text.len);
  if (status >= 0) return 0;
  log_number(0, "the configuration is refused, status ", status);
  return -1;
}

// A device that was provisioned before there was a list of peers knows its own at first use; what others send it is marked.
static int configure_peers(void) {
  char text[AT_KEY_MAX];
  const AtText peers = at_configuration(PROVISIONED_PEERS);
  const AtText parts[] = {at_configuration(PROVISIONED_PEER), text_of(" *")};
  if (peers.len > 0 || parts[0].len == 0) return configure_field(CONFIG_PEERS, peers);
  const int32_t len = at_key_join(text, parts, sizeof parts / sizeof parts[0]);
  return len < 0 ? -1 : configure_field(CONFIG_PEERS, (AtText){text, (uint32_t)len});
}

static int configure(void) {
  if (loop.takes_plain) core_config_set(CONFIG_PLAINTEXT, (const uint8_t *)"1", 1);
  for (int32_t number = CONFIG_ATSIGN; number <= CONFIG_LEGACY_ANSWER; number++) {
    if (configure_field(number, at_configuration((unsigned)number)) != 0) return -1;
  }
  return configure_peers();
}

static int32_t read_authorities(uint8_t *out, uint32_t cap) {
  return store_read(STORE_AUTHORITIES, out, cap);
}

int at_start(void) {
  memset(&loop, 0, sizeof loop);
  at_log_text(2, "entropy: ", text_of(hal_entropy_source()));
  // Without it no key is made, and no handshake succeeds: there is nothing to go on for.
  if (tls_prepare() != 0 || entropy_start() != 0) {
    at_log(0, "the entropy source is missing or broken");
    return -1;
  }
  const int opened = store_open();
  if (opened != 0) {
    at_log(0, opened == STORE_NEWER ? "another version wrote the store: nothing was changed"
                                    : "the store can't be read or written");
    return -1;
  }
  const int32_t len = store_read(STORE_CONFIGURATION, loop.configuration, sizeof loop.configuration);
  if (len <= 0) {
    at_log(0, "the device is not provisioned");
    return -1;
  }
  loop.configuration_len = (uint32_t)len;
  if (tls_start(read_authorities, PROVISIONED_AUTHORITIES_MAX) == 0) return 0;
  at_log(0, "there is no trusted certificate that can be read");
  return -1;
}

static int start_core(void) {
  if (core_open(core_wasm_start, (uint32_t)(core_wasm_end - core_wasm_start)) != 0) {
    fail();
    return -1;
  }
  const int32_t status = core_init();
  if (status < 0 && status != STATUS_NOT_ENROLLED) {
    log_number(0, "the core does not start, status ", status);
    return -1;
  }
  at_log(2, status == 0 ? "enrolled" : "not enrolled yet");
  if (configure() != 0) return -1;
  const int32_t started = core_session_start(1);
  if (started >= 0) return 0;
  log_number(0, "the session does not start, status ", started);
  return -1;
}

int at_run(const AtApplication *application) {
  loop.application = application;
  if (start_core() != 0) return loop.has_ended ? -1 : 0;
  progress();
  memory_usage_update();
  while (!loop.has_ended) {
    const uint32_t delay = turn();
    memory_usage_update();
    if (hal_now_ms() - loop.progress_at < PROGRESS_MS) hal_watchdog_feed();
    hal_wait(delay < SLEEP_MS ? delay : SLEEP_MS);
  }
  drop_link();
  return loop.has_crashed ? -1 : 0;
}

void at_restart(int result) {
  const uint32_t pause = result < 0 ? RETRY_CRASH_MS : RETRY_RESTART_MS;
  for (const uint64_t end = hal_now_ms() + pause; hal_now_ms() < end;) {
    hal_watchdog_feed();
    hal_wait(1000);
  }
  hal_reboot();
}
