// SPDX-License-Identifier: BSD-3-Clause
// Text that belongs to somebody else: a view, copied nowhere.
#ifndef DEVICE_TEXT_H
#define DEVICE_TEXT_H

#include <stdint.h>

// len bytes of UTF-8, not terminated; valid as long as its giver says.
typedef struct {
  const char *bytes;
  uint32_t len;
} AtText;

// A view of a terminated word.
AtText text_of(const char *word);
// 1: the same bytes; 0: not.
int text_equal(AtText x, AtText y);
// 1: the text is this terminated word; 0: not.
int text_is(AtText text, const char *word);

#endif
