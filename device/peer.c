// SPDX-License-Identifier: BSD-3-Clause
// What an application has to do with its peer: sending to it, and knowing its commands.
#include "atKey.h"

int32_t at_send(int32_t kind, const char *name, const char *value, int32_t len, int64_t ttlMs) {
  char key[AT_KEY_MAX];
  if (len < 0) return len;
  const int32_t keyLen = at_key(key, at_configuration(PROVISIONED_PEER), name);
  return keyLen < 0 ? keyLen : at_submit(kind, key, value, (uint32_t)len, ttlMs);
}

static void log_verdict(const AtNotification *command) {
  if (!(command->verdict & AT_AUTHENTICATED)) at_log_text(1, "nobody vouches for a command of ", command->from);
  else if (command->verdict & AT_PROVISIONED) at_log_text(2, "a command is authenticated by the provisioned key of ", command->from);
  else at_log_text(2, "a command is authenticated by the key at first use of ", command->from);
}

int at_is_command(const AtNotification *notification, const char *name) {
  char key[AT_KEY_MAX];
  const AtText peer = at_configuration(PROVISIONED_PEER);
  if (at_key_between(key, at_configuration(PROVISIONED_ATSIGN), name, peer) < 0) return 0;
  if (!text_is(notification->key, key) || notification->is_delete) return 0;
  if (!text_equal(notification->from, peer)) {
    at_log_text(1, "ignored a command from ", notification->from);
    return 0;
  }
  if (!(notification->verdict & AT_ENCRYPTED)) {
    at_log(1, "ignored a command that was not encrypted");
    return 0;
  }
  log_verdict(notification);
  return 1;
}
