// SPDX-License-Identifier: BSD-3-Clause
// How at.h makes keys, for the runtime itself.
#ifndef DEVICE_AT_KEY_H
#define DEVICE_AT_KEY_H

#include "at.h"

// Writes `count` parts one behind the other, terminated. The length, or AT_KEY_TOO_LONG; then the key is empty.
int32_t at_key_join(char key[AT_KEY_MAX], const AtText *parts, unsigned count);

// Writes "<with>:<name>.<namespace><by>", without its first part when `with` is empty; as at_key_join.
int32_t at_key_between(char key[AT_KEY_MAX], AtText with, const char *name, AtText by);

#endif
