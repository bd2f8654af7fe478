// SPDX-License-Identifier: BSD-3-Clause
// What at.h gives applications, asked from outside: a question a line, bytes in hexadecimal ("-": none), an answer a line.
// Inputs lie in blocks of their own size, so that a sanitizer sees every byte read beyond them.
//   check x | find name x | integer name x | decimal name places x | boolean name x | text name cap x | is name word x
//   write cap member…   with t:name:x, i:name:n, d:name:n:places, b:name:n, n:name, r:name:x
//   fixed n places | read places x | round n unit
//   key with name | command key from isDelete verdict | log name x
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at.h"
#include "hal.h"

#define WORDS_MAX 64

typedef struct {
  uint8_t *bytes;
  uint32_t len;
} Block;

static Block blocks[WORDS_MAX];
static unsigned block_count;
static char logged[256];

static Block *unhex(const char *text) {
  Block *block = &blocks[block_count++];
  block->len = strcmp(text, "-") == 0 ? 0 : (uint32_t)strlen(text) / 2;
  block->bytes = malloc(block->len);
  for (uint32_t i = 0; i < block->len; i++) {
    unsigned byte;
    sscanf(text + 2 * i, "%2x", &byte);
    block->bytes[i] = (uint8_t)byte;
  }
  return block;
}

static AtText view(const char *text) {
  const Block *block = unhex(text);
  return (AtText){(const char *)block->bytes, block->len};
}

// A terminated word.
static const char *word(const char *text) {
  Block *block = unhex(text);
  block->bytes = realloc(block->bytes, block->len + 1);
  block->bytes[block->len] = 0;
  return (const char *)block->bytes;
}

static void free_blocks(void) {
  while (block_count > 0) free(blocks[--block_count].bytes);
}

static void print_bytes(const void *x, size_t len) {
  const uint8_t *bytes = x;
  if (len == 0) printf("-");
  for (size_t i = 0; i < len; i++) printf("%02x", bytes[i]);
}

AtText at_configuration(unsigned field) {
  switch (field) {
    case PROVISIONED_ATSIGN: return text_of("@greenhouse");
    case PROVISIONED_NAMESPACE: return text_of("green");
    case PROVISIONED_PEER: return text_of("@alice");
    default: return text_of("");
  }
}

int32_t at_submit(int32_t kind, const char *key, const char *value, uint32_t valueLen, int64_t ttlMs) {
  printf("submit %d %s %.*s %lld ", (int)kind, key, (int)valueLen, value, (long long)ttlMs);
  return 7;
}

void at_log_text(int level, const char *name, AtText text) {
  snprintf(logged, sizeof logged, " %d %s%.*s", level, name, (int)text.len, text.bytes);
}

void at_log(int level, const char *text) { at_log_text(level, text, (AtText){"", 0}); }

static void put_member(JsonWriter *writer, char *member) {
  char kind = member[0];
  char *parts[4];
  unsigned count = 0;
  for (char *part = strtok(member, ":"); part && count < 4; part = strtok(NULL, ":")) parts[count++] = part;
  const char *name = word(parts[1]);
  if (kind == 't') json_put_text(writer, name, view(parts[2]));
  if (kind == 'r') json_put_raw(writer, name, view(parts[2]));
  if (kind == 'i') json_put_integer(writer, name, atoi(parts[2]));
  if (kind == 'd') json_put_decimal(writer, name, atoi(parts[2]), (unsigned)atoi(parts[3]));
  if (kind == 'b') json_put_boolean(writer, name, atoi(parts[2]));
  if (kind == 'n') json_put_null(writer, name);
}

static void write_object(uint32_t cap, char *members) {
  JsonWriter writer;
  char *out = malloc(cap);
  char *rest[WORDS_MAX];
  unsigned count = 0;
  for (char *at = strtok(members, " "); at; at = strtok(NULL, " ")) rest[count++] = at;
  json_open(&writer, out, cap);
  for (unsigned i = 0; i < count; i++) put_member(&writer, rest[i]);
  const int32_t len = json_close(&writer);
  printf("%d ", len);
  print_bytes(out, len > 0 ? (size_t)len : 0);
  free(out);
}

static void read_member(const char *what, char **words, unsigned count) {
  const AtText object = view(words[count - 1]);
  const char *name = count > 1 ? word(words[0]) : NULL;
  int32_t number = 12345;
  int boolean = 12345;
  AtText found = {"", 0};
  if (strcmp(what, "check") == 0) printf("%d", json_check(object));
  if (strcmp(what, "find") == 0) {
    printf("%d ", json_find(object, name, &found));
    print_bytes(found.bytes, found.len);
  }
  if (strcmp(what, "integer") == 0) printf("%d ", json_integer(object, name, &number));
  if (strcmp(what, "decimal") == 0) printf("%d ", json_decimal(object, name, (unsigned)atoi(words[1]), &number));
  if (strcmp(what, "integer") == 0 || strcmp(what, "decimal") == 0) printf("%d", number);
  if (strcmp(what, "boolean") == 0) {
    const int32_t status = json_boolean(object, name, &boolean);
    printf("%d %d", status, boolean);
  }
  if (strcmp(what, "is") == 0) printf("%d", json_is(object, name, word(words[1])));
  if (strcmp(what, "text") == 0) {
    const uint32_t cap = (uint32_t)atoi(words[1]);
    char *out = malloc(cap);
    printf("%d ", json_text(object, name, out, cap));
    print_bytes(out, strlen(out));
    free(out);
  }
}

static void answer(const char *what, char **words, unsigned count) {
  char out[AT_KEY_MAX];
  int32_t number = 12345;
  if (strcmp(what, "fixed") == 0) {
    printf("%.*s", (int)decimal_fixed(out, atoi(words[0]), (unsigned)atoi(words[1])), out);
  } else if (strcmp(what, "read") == 0) {
    printf("%d ", decimal_read(view(words[1]), (unsigned)atoi(words[0]), &number));
    printf("%d", number);
  } else if (strcmp(what, "round") == 0) {
    printf("%d", decimal_round(atoi(words[0]), atoi(words[1])));
  } else if (strcmp(what, "key") == 0) {
    printf("%d ", at_key(out, view(words[0]), word(words[1])));
    print_bytes(out, strlen(out));
  } else if (strcmp(what, "send") == 0) {
    printf("%d", at_send(AT_PUT, word(words[0]), "value", atoi(words[1]), 5));
  } else if (strcmp(what, "command") == 0) {
    const AtNotification notification = {
        .key = view(words[0]), .from = view(words[1]), .is_delete = atoi(words[2]), .verdict = (unsigned)atoi(words[3])};
    logged[0] = '\0';
    const int is_command = at_is_command(&notification, "command");
    printf("%d%s", is_command, logged);
  } else {
    read_member(what, words, count);
  }
}

int main(void) {
  static char line[1 << 16];
  while (fgets(line, sizeof line, stdin)) {
    char *words[WORDS_MAX];
    unsigned count = 0;
    line[strcspn(line, "\n")] = '\0';
    char *what = strtok(line, " ");
    if (strcmp(what, "write") == 0) {
      const uint32_t cap = (uint32_t)atoi(strtok(NULL, " "));
      write_object(cap, strtok(NULL, ""));
    } else {
      for (char *at = strtok(NULL, " "); at && count < WORDS_MAX; at = strtok(NULL, " ")) words[count++] = at;
      answer(what, words, count);
    }
    printf("\n");
    free_blocks();
  }
  return 0;
}
