// SPDX-License-Identifier: BSD-3-Clause
// DNS client (RFC 1035, 4): one question for an A record at a time.
#include "dns.h"

#include <string.h>

#include "bus.h"
#include "device/retries.h"
#include "w5500.h"

#define SERVER_PORT 53u
#define LOCAL_PORT 49153u
#define HEADER 12u
#define LONGEST_NAME 253u
#define LONGEST_LABEL 63u
#define TYPE_A 1u
#define CLASS_IN 1u
#define POINTER 0xc0u

// The question as it is sent, kept for repeating it and for comparing the answer's.
static struct {
  uint8_t message[HEADER + LONGEST_NAME + 2u + 4u];
  size_t len;
  uint8_t server[4];
  unsigned tries;
  uint64_t retry_at;
} question;

static int write_name(const char *name) {
  size_t at = HEADER;
  while (*name != '\0') {
    const char *end = strchr(name, '.');
    const size_t label = end ? (size_t)(end - name) : strlen(name);
    if (label == 0 || label > LONGEST_LABEL) return -1;
    question.message[at] = (uint8_t)label;
    memcpy(question.message + at + 1, name, label);
    at += 1 + label;
    name += label + (end ? 1u : 0u);
  }
  question.message[at] = 0;
  question.len = at + 1;
  return 0;
}

static int ask(void) {
  question.tries++;
  question.retry_at = bus_us() + RETRY_DNS_MS * 1000u;
  return w5500_udp_send(question.server, SERVER_PORT, question.message, question.len);
}

int dns_begin(const uint8_t server[4], const char *name, uint16_t id) {
  static const uint8_t tail[4] = {0, TYPE_A, 0, CLASS_IN};
  const size_t len = strlen(name);
  if (len == 0 || len > LONGEST_NAME) return -1;
  memset(&question, 0, sizeof question);
  memcpy(question.server, server, 4);
  question.message[0] = (uint8_t)(id >> 8);
  question.message[1] = (uint8_t)id;
  question.message[2] = 0x01;  // RD
  question.message[5] = 1;     // one question
  if (write_name(name) != 0) return -1;
  memcpy(question.message + question.len, tail, sizeof tail);
  question.len += sizeof tail;
  if (w5500_udp_open(LOCAL_PORT) != 0) return -1;
  return ask();
}

// Where the record after a name begins; 0 beyond the end.
static size_t skip_name(const uint8_t *message, size_t len, size_t at) {
  while (at < len) {
    const unsigned label = message[at];
    if (label == 0) return at + 1;
    if (label >= POINTER) return at + 2;
    at += 1u + label;
  }
  return 0;
}

static unsigned half(const uint8_t *x) { return (unsigned)x[0] << 8 | x[1]; }

// The first address among the answers: a CNAME's target stands there too.
static int find_address(const uint8_t *message, size_t len, uint8_t ip[4]) {
  size_t at = question.len;
  for (unsigned answers = half(message + 6); answers > 0; answers--) {
    at = skip_name(message, len, at);
    if (at == 0 || at + 10 > len) return DNS_FAILED;
    const size_t data = at + 10;
    const size_t size = half(message + at + 8);
    if (data + size > len) return DNS_FAILED;
    if (half(message + at) == TYPE_A && half(message + at + 2) == CLASS_IN && size == 4) {
      memcpy(ip, message + data, 4);
      return DNS_FOUND;
    }
    at = data + size;
  }
  return DNS_FAILED;
}

// An answer to our question, or something to pass over.
static int is_answer(const uint8_t *message, size_t len, const uint8_t from[4], unsigned port) {
  return len >= question.len && port == SERVER_PORT && memcmp(from, question.server, 4) == 0 &&
         memcmp(message, question.message, 2) == 0 && (message[2] & 0x80u) != 0 &&
         memcmp(message + HEADER, question.message + HEADER, question.len - HEADER) == 0;
}

int dns_step(uint8_t ip[4]) {
  uint8_t message[512];
  uint8_t from[4];
  uint16_t port;
  const size_t len = w5500_udp_receive(from, &port, message, sizeof message);
  if (len > 0 && is_answer(message, len, from, port)) {
    w5500_close(W5500_UDP);
    return (message[3] & 0x0fu) == 0 ? find_address(message, len, ip) : DNS_FAILED;
  }
  if (bus_us() < question.retry_at) return DNS_PENDING;
  if (question.tries < RETRY_DNS_TRIES && ask() == 0) return DNS_PENDING;
  w5500_close(W5500_UDP);
  return DNS_FAILED;
}
