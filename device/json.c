// SPDX-License-Identifier: BSD-3-Clause
// Section numbers are RFC 8259's.
#include "json.h"

#include <string.h>

#include "decimal.h"

// What take_character answers besides a code point.
#define END_OF_TEXT (-1)
#define BROKEN (-2)

typedef struct {
  const char *at;
  const char *end;
} Reader;

// --- Characters

static int is_continuation(Reader *reader) {
  return reader->at < reader->end && ((uint8_t)*reader->at & 0xc0) == 0x80;
}

// One character of UTF-8 as RFC 3629 section 4 has it: shortest form, no surrogates, at most U+10FFFF.
static int32_t take_utf8(Reader *reader) {
  static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
  const uint8_t first = (uint8_t)*reader->at++;
  if (first < 0x80) return first;
  const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0xc2 || first > 0xf4) return BROKEN;
  int32_t point = first & (0x3f >> more);
  for (int i = 0; i < more; i++) {
    if (!is_continuation(reader)) return BROKEN;
    point = point << 6 | (*reader->at++ & 0x3f);
  }
  if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return BROKEN;
  return point;
}

// The four digits behind \u.
static int32_t take_hex4(Reader *reader) {
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    const char digit = reader->at < reader->end ? *reader->at++ : ' ';
    if (digit >= '0' && digit <= '9') value = value << 4 | (digit - '0');
    else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f') value = value << 4 | ((digit | 0x20) - 'a' + 10);
    else return BROKEN;
  }
  return value;
}

// \u: characters beyond U+FFFF are two of them (7). Half a pair is not a character.
static int32_t take_unicode_escape(Reader *reader) {
  const int32_t first = take_hex4(reader);
  if (first < 0xd800 || first > 0xdfff) return first;
  if (first > 0xdbff || reader->end - reader->at < 2 || memcmp(reader->at, "\\u", 2) != 0) return BROKEN;
  reader->at += 2;
  const int32_t second = take_hex4(reader);
  if (second < 0xdc00 || second > 0xdfff) return BROKEN;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

// The next character of a text (7) whose first quote was taken; END_OF_TEXT: its last quote.
static int32_t take_character(Reader *reader) {
  static const char escapes[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  if (reader->at == reader->end || (uint8_t)*reader->at < 0x20) return BROKEN;
  if (*reader->at == '"') {
    reader->at++;
    return END_OF_TEXT;
  }
  if (*reader->at != '\\') return take_utf8(reader);
  if (++reader->at == reader->end) return BROKEN;
  const char escape = *reader->at++;
  if (escape == 'u') return take_unicode_escape(reader);
  const char *found = escape ? strchr(escapes, escape) : NULL;
  return found ? meanings[found - escapes] : BROKEN;
}

// Bytes of a character in UTF-8, 1 to 4.
static uint32_t encode(int32_t point, char out[4]) {
  const uint32_t more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  static const uint8_t marks[] = {0, 0xc0, 0xe0, 0xf0};
  for (uint32_t i = more; i > 0; i--, point >>= 6) out[i] = (char)(0x80 | (point & 0x3f));
  out[0] = (char)(marks[more] | point);
  return more + 1;
}

// --- Reading

static void skip_space(Reader *reader) {
  while (reader->at < reader->end && *reader->at && strchr(" \t\r\n", *reader->at)) reader->at++;
}

// Takes one character behind white space; 0 when another one is there.
static int take(Reader *reader, char wanted) {
  skip_space(reader);
  if (reader->at == reader->end || *reader->at != wanted) return 0;
  reader->at++;
  return 1;
}

static int take_word(Reader *reader, const char *word) {
  const size_t len = strlen(word);
  if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, word, len) != 0) return 0;
  reader->at += len;
  return 1;
}

static int take_digits(Reader *reader) {
  const char *start = reader->at;
  while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') reader->at++;
  return reader->at > start;
}

// A number (6): no zeros in front, digits on both sides of the point and behind the exponent.
static int32_t take_number(Reader *reader) {
  take_word(reader, "-");
  if (!take_word(reader, "0") && !take_digits(reader)) return JSON_SYNTAX;
  if (take_word(reader, ".") && !take_digits(reader)) return JSON_SYNTAX;
  if (take_word(reader, "e") || take_word(reader, "E")) {
    if (!take_word(reader, "-")) take_word(reader, "+");
    if (!take_digits(reader)) return JSON_SYNTAX;
  }
  return JSON_NUMBER;
}

static int32_t take_text(Reader *reader) {
  int32_t point;
  do point = take_character(reader);
  while (point >= 0);
  return point == END_OF_TEXT ? JSON_TEXT : JSON_SYNTAX;
}

// One value, its place in *value. A JsonKind, JSON_SYNTAX or JSON_NESTED.
static int32_t take_value(Reader *reader, AtText *value) {
  int32_t kind;
  skip_space(reader);
  const char *start = reader->at;
  if (start == reader->end) return JSON_SYNTAX;
  if (take_word(reader, "\"")) kind = take_text(reader);
  else if (take_word(reader, "null")) kind = JSON_NULL;
  else if (take_word(reader, "true") || take_word(reader, "false")) kind = JSON_BOOLEAN;
  else if (*start == '{' || *start == '[') kind = JSON_NESTED;
  else kind = take_number(reader);
  *value = (AtText){start, (uint32_t)(reader->at - start)};
  return kind;
}

// 1: the text at the reader, whose first quote was taken, is the word. The reader stays.
static int is_word(Reader reader, const char *word) {
  Reader wanted = {word, word + strlen(word)};
  for (;;) {
    const int32_t point = take_character(&reader);
    if (point < 0) return point == END_OF_TEXT && wanted.at == wanted.end;
    if (wanted.at == wanted.end || take_utf8(&wanted) != point) return 0;
  }
}

// The last member of the name, or with NULL none: then 0 after the whole object. A JsonKind, JSON_MISSING, or what is
// wrong with the object.
static int32_t walk(AtText object, const char *name, AtText *found) {
  Reader reader = {object.bytes, object.bytes + object.len};
  int32_t result = name ? JSON_MISSING : 0;
  if (!take(&reader, '{')) return JSON_SYNTAX;
  int is_over = take(&reader, '}');
  while (!is_over) {
    AtText value;
    if (!take(&reader, '"')) return JSON_SYNTAX;
    const int is_wanted = name && is_word(reader, name);
    if (take_text(&reader) < 0 || !take(&reader, ':')) return JSON_SYNTAX;
    const int32_t kind = take_value(&reader, &value);
    if (kind < 0) return kind;
    if (is_wanted) {
      *found = value;
      result = kind;
    }
    is_over = take(&reader, '}');
    if (!is_over && !take(&reader, ',')) return JSON_SYNTAX;
  }
  skip_space(&reader);
  return reader.at == reader.end ? result : JSON_SYNTAX;
}

int32_t json_check(AtText object) { return walk(object, NULL, NULL); }

int32_t json_find(AtText object, const char *name, AtText *value) {
  const int32_t kind = walk(object, name, value);
  return kind < 0 ? JSON_MISSING : kind;
}

// 0: the member is of the kind.
static int32_t find_kind(AtText object, const char *name, JsonKind wanted, AtText *value) {
  const int32_t kind = json_find(object, name, value);
  if (kind < 0) return kind;
  return kind == (int32_t)wanted ? 0 : JSON_OTHER_KIND;
}

int32_t json_decimal(AtText object, const char *name, unsigned places, int32_t *value) {
  AtText text;
  const int32_t result = find_kind(object, name, JSON_NUMBER, &text);
  if (result < 0) return result;
  const int read = decimal_read(text, places, value);
  return read == DECIMAL_SYNTAX ? JSON_OTHER_KIND : read == DECIMAL_RANGE ? JSON_RANGE : 0;
}

int32_t json_integer(AtText object, const char *name, int32_t *value) {
  AtText text;
  const int32_t result = find_kind(object, name, JSON_NUMBER, &text);
  if (result < 0) return result;
  if (memchr(text.bytes, '.', text.len)) return JSON_OTHER_KIND;
  return json_decimal(object, name, 0, value);
}

int32_t json_boolean(AtText object, const char *name, int *value) {
  AtText text;
  const int32_t result = find_kind(object, name, JSON_BOOLEAN, &text);
  if (result == 0) *value = text.bytes[0] == 't';
  return result;
}

int32_t json_text(AtText object, const char *name, char *out, uint32_t cap) {
  AtText text = {"", 0};
  uint32_t len = 0;
  int32_t point;
  char bytes[4];
  int32_t result = find_kind(object, name, JSON_TEXT, &text);
  // Behind its first quote.
  Reader reader = {text.bytes + 1, text.bytes + text.len};
  while (result == 0 && (point = take_character(&reader)) >= 0) {
    const uint32_t count = encode(point, bytes);
    if (point == 0) result = JSON_RANGE;
    else if (count >= cap - len) result = JSON_NO_ROOM;
    else memcpy(out + len, bytes, count);
    len += count;
  }
  if (result < 0) len = 0;
  out[len] = '\0';
  return result < 0 ? result : (int32_t)len;
}

int json_is(AtText object, const char *name, const char *word) {
  AtText text;
  if (find_kind(object, name, JSON_TEXT, &text) < 0) return 0;
  return is_word((Reader){text.bytes + 1, text.bytes + text.len}, word);
}

// --- Writing

static void put(JsonWriter *writer, const char *x, uint32_t len) {
  if (writer->error < 0) return;
  if (len > writer->cap - writer->len) {
    writer->error = JSON_NO_ROOM;
    return;
  }
  memcpy(writer->out + writer->len, x, len);
  writer->len += len;
}

// Characters that have to be escaped (7): the quote, the backslash, and those below U+0020.
static void put_character(JsonWriter *writer, int32_t point) {
  static const char meanings[] = "\"\\\b\f\n\r\t";
  static const char escapes[] = "\"\\bfnrt";
  static const char hex[] = "0123456789abcdef";
  char out[6] = "\\u00";
  const char *found = point > 0 && point < 0x80 ? strchr(meanings, (char)point) : NULL;
  if (found) {
    out[1] = escapes[found - meanings];
    put(writer, out, 2);
  } else if (point < 0x20) {
    out[4] = hex[point >> 4];
    out[5] = hex[point & 15];
    put(writer, out, 6);
  } else {
    put(writer, out, encode(point, out));
  }
}

static void put_quoted(JsonWriter *writer, AtText text) {
  Reader reader = {text.bytes, text.bytes + text.len};
  put(writer, "\"", 1);
  while (reader.at < reader.end && writer->error == 0) {
    const int32_t point = take_utf8(&reader);
    if (point < 0) writer->error = JSON_SYNTAX;
    else put_character(writer, point);
  }
  put(writer, "\"", 1);
}

void json_open(JsonWriter *writer, char *out, uint32_t cap) {
  *writer = (JsonWriter){out, cap, 0, 0};
  put(writer, "{", 1);
}

static void put_name(JsonWriter *writer, const char *name) {
  if (writer->len > 1) put(writer, ",", 1);
  put_quoted(writer, text_of(name));
  put(writer, ":", 1);
}

void json_put_raw(JsonWriter *writer, const char *name, AtText value) {
  put_name(writer, name);
  put(writer, value.bytes, value.len);
}

void json_put_text(JsonWriter *writer, const char *name, AtText value) {
  put_name(writer, name);
  put_quoted(writer, value);
}

void json_put_decimal(JsonWriter *writer, const char *name, int32_t value, unsigned places) {
  char text[DECIMAL_FIXED_MAX];
  json_put_raw(writer, name, (AtText){text, decimal_fixed(text, value, places)});
}

void json_put_integer(JsonWriter *writer, const char *name, int32_t value) {
  json_put_decimal(writer, name, value, 0);
}

void json_put_boolean(JsonWriter *writer, const char *name, int value) {
  json_put_raw(writer, name, text_of(value ? "true" : "false"));
}

void json_put_null(JsonWriter *writer, const char *name) { json_put_raw(writer, name, text_of("null")); }

int32_t json_close(JsonWriter *writer) {
  put(writer, "}", 1);
  return writer->error < 0 ? writer->error : (int32_t)writer->len;
}
