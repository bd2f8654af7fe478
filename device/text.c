// SPDX-License-Identifier: BSD-3-Clause
#include "text.h"

#include <string.h>

AtText text_of(const char *word) { return (AtText){word, (uint32_t)strlen(word)}; }

int text_equal(AtText x, AtText y) { return x.len == y.len && memcmp(x.bytes, y.bytes, x.len) == 0; }

int text_is(AtText text, const char *word) { return text_equal(text, text_of(word)); }
