// SPDX-License-Identifier: BSD-3-Clause
#include "atKey.h"

#include <string.h>

int32_t at_key_join(char key[AT_KEY_MAX], const AtText *parts, unsigned count) {
  uint32_t len = 0;
  for (unsigned i = 0; i < count; i++) {
    if (parts[i].len >= AT_KEY_MAX - len) {
      key[0] = '\0';
      return AT_KEY_TOO_LONG;
    }
    memcpy(key + len, parts[i].bytes, parts[i].len);
    len += parts[i].len;
  }
  key[len] = '\0';
  return (int32_t)len;
}

int32_t at_key_between(char key[AT_KEY_MAX], AtText with, const char *name, AtText by) {
  const AtText space = at_configuration(PROVISIONED_NAMESPACE);
  const AtText parts[] = {with, text_of(with.len > 0 ? ":" : ""), text_of(name), text_of("."), space, by};
  return at_key_join(key, parts, sizeof parts / sizeof parts[0]);
}

int32_t at_key(char key[AT_KEY_MAX], AtText with, const char *name) {
  return at_key_between(key, with, name, at_configuration(PROVISIONED_ATSIGN));
}
