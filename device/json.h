// SPDX-License-Identifier: BSD-3-Clause
// Flat JSON objects (RFC 8259) both ways: {"n":1,"temperatureC":26.4,"name":"bed 2","on":true,"error":null}. Members are
// texts, numbers, booleans and null; an object or array inside is refused. Nothing is allocated, nothing recurses.
#ifndef DEVICE_JSON_H
#define DEVICE_JSON_H

#include <stdint.h>

#include "text.h"

// Why something can't be read or written; 0 is done.
enum {
  JSON_SYNTAX = -1,      // it is not an object of RFC 8259, or text of it is not UTF-8 (RFC 3629)
  JSON_NESTED = -2,      // a member is an object or an array
  JSON_MISSING = -3,     // there is no member of that name
  JSON_OTHER_KIND = -4,  // the member is of another kind than asked for
  JSON_RANGE = -5,       // the number does not fit, or the text holds U+0000
  JSON_NO_ROOM = -6,     // the buffer is too small
};

typedef enum { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_TEXT } JsonKind;

// --- Writing. The first error stays and is what json_close answers; calls after it do nothing.

// An object that is being written; its fields are json.c's own.
typedef struct {
  char *out;
  uint32_t cap;
  uint32_t len;
  int32_t error;
} JsonWriter;

// Begins an object in out, which the caller keeps until json_close.
void json_open(JsonWriter *writer, char *out, uint32_t cap);
// Each of these appends one member. name is terminated and UTF-8; a name is the caller's to use once.
// A text: its quotes and escapes are written here. One that is not UTF-8 is JSON_SYNTAX.
void json_put_text(JsonWriter *writer, const char *name, AtText value);
// A whole number.
void json_put_integer(JsonWriter *writer, const char *name, int32_t value);
// value / 10^places, places 0 to 9: (264, 1) is 26.4.
void json_put_decimal(JsonWriter *writer, const char *name, int32_t value, unsigned places);
// value 0: false, else true.
void json_put_boolean(JsonWriter *writer, const char *name, int value);
// null: there is no value.
void json_put_null(JsonWriter *writer, const char *name);
// A value as it was written elsewhere, from json_find: it is not checked again.
void json_put_raw(JsonWriter *writer, const char *name, AtText value);
// Ends the object: its length (not terminated), at most cap; JSON_NO_ROOM, or JSON_SYNTAX: a text was not UTF-8.
int32_t json_close(JsonWriter *writer);

// --- Reading. In a text that json_check refuses the others find nothing. Names are compared as characters, however they
// are escaped. Of members with the same name the last one counts.

// Whether the whole text is one flat object. 0, JSON_SYNTAX or JSON_NESTED.
int32_t json_check(AtText object);
// The member's value as it is written, quotes and escapes included. A JsonKind, or JSON_MISSING.
int32_t json_find(AtText object, const char *name, AtText *value);
// The member as a number without fraction or exponent. 0, JSON_MISSING, JSON_OTHER_KIND, JSON_RANGE: beyond 32 bits.
// After an error *value is untouched, here and below.
int32_t json_integer(AtText object, const char *name, int32_t *value);
// The member as value * 10^places, places 0 to 9; further digits are rounded, a half away from zero. A number with an
// exponent is of another kind. Errors as json_integer.
int32_t json_decimal(AtText object, const char *name, unsigned places, int32_t *value);
// The member as 1 or 0. 0, JSON_MISSING or JSON_OTHER_KIND.
int32_t json_boolean(AtText object, const char *name, int *value);
// The member's text, escapes resolved, UTF-8 and terminated, in out of cap bytes, at least 1. Its length without the
// end; JSON_MISSING, JSON_OTHER_KIND, JSON_NO_ROOM, JSON_RANGE; then out is "".
int32_t json_text(AtText object, const char *name, char *out, uint32_t cap);
// 1: the member is this text; 0: it is not, or is missing or of another kind.
int json_is(AtText object, const char *name, const char *word);

#endif
