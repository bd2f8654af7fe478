// SPDX-License-Identifier: BSD-3-Clause
// DHCP client (RFC 2131, options of RFC 2132): discover and request, or request of a lease that is already there.
#include "dhcp.h"

#include <string.h>

#include "bus.h"
#include "device/retries.h"

#define SERVER_PORT 67u
#define CLIENT_PORT 68u
#define OPTIONS 240u
#define MESSAGE 300u
#define SHORTEST_LEASE_S 60u

#define OPTION_SUBNET 1u
#define OPTION_ROUTER 3u
#define OPTION_DNS 6u
#define OPTION_ADDRESS 50u
#define OPTION_LEASE 51u
#define OPTION_TYPE 53u
#define OPTION_SERVER 54u
#define OPTION_WANTED 55u
#define OPTION_END 255u

#define TYPE_DISCOVER 1u
#define TYPE_OFFER 2u
#define TYPE_REQUEST 3u
#define TYPE_ACKNOWLEDGE 5u
#define TYPE_REFUSE 6u

static const uint8_t cookie[4] = {0x63, 0x82, 0x53, 0x63};
static const uint8_t broadcast[4] = {255, 255, 255, 255};

static struct {
  uint8_t mac[6];
  uint8_t transaction[4];
  uint8_t asked;  // TYPE_DISCOVER or TYPE_REQUEST
  uint8_t renews;
  unsigned tries;
  uint64_t retry_at;
  DhcpLease lease;
} state;

static size_t put_option(uint8_t *to, unsigned code, const uint8_t *x, unsigned len) {
  to[0] = (uint8_t)code;
  to[1] = (uint8_t)len;
  memcpy(to + 2, x, len);
  return 2u + len;
}

static int ask(void) {
  static const uint8_t wanted[] = {OPTION_SUBNET, OPTION_ROUTER, OPTION_DNS};
  uint8_t message[MESSAGE];
  memset(message, 0, sizeof message);
  message[0] = 1;  // BOOTREQUEST
  message[1] = 1;  // Ethernet
  message[2] = 6;
  memcpy(message + 4, state.transaction, 4);
  // Without an address we can't be spoken to but by broadcast.
  if (!state.renews) message[10] = 0x80;
  if (state.renews) memcpy(message + 12, state.lease.addresses.ip, 4);
  memcpy(message + 28, state.mac, 6);
  memcpy(message + OPTIONS - 4, cookie, 4);
  size_t at = OPTIONS;
  at += put_option(message + at, OPTION_TYPE, &state.asked, 1);
  if (state.asked == TYPE_REQUEST && !state.renews) {
    at += put_option(message + at, OPTION_ADDRESS, state.lease.addresses.ip, 4);
    at += put_option(message + at, OPTION_SERVER, state.lease.server, 4);
  }
  at += put_option(message + at, OPTION_WANTED, wanted, sizeof wanted);
  message[at] = OPTION_END;
  state.tries++;
  state.retry_at = bus_us() + RETRY_DHCP_MS * 1000u;
  return w5500_udp_send(broadcast, SERVER_PORT, message, sizeof message);
}

int dhcp_begin(const uint8_t mac[6], uint32_t transaction, const DhcpLease *known) {
  // The caller may hand back the lease that is kept here.
  const DhcpLease lease = known ? *known : (DhcpLease){0};
  memset(&state, 0, sizeof state);
  memcpy(state.mac, mac, 6);
  memcpy(state.transaction, &transaction, 4);
  state.asked = known ? TYPE_REQUEST : TYPE_DISCOVER;
  state.renews = known ? 1 : 0;
  state.lease = lease;
  if (w5500_udp_open(CLIENT_PORT) != 0) return -1;
  return ask();
}

static void take_option(DhcpLease *lease, unsigned code, const uint8_t *x, unsigned len) {
  if (len < 4) return;
  if (code == OPTION_SUBNET) memcpy(lease->addresses.subnet, x, 4);
  if (code == OPTION_ROUTER) memcpy(lease->addresses.gateway, x, 4);
  if (code == OPTION_DNS) memcpy(lease->dns, x, 4);
  if (code == OPTION_SERVER) memcpy(lease->server, x, 4);
  if (code == OPTION_LEASE) {
    lease->seconds = (uint32_t)x[0] << 24 | (uint32_t)x[1] << 16 | (uint32_t)x[2] << 8 | x[3];
  }
}

// Reads an answer into lease; its message type, 0 when it is not one for us.
static unsigned read_answer(const uint8_t *message, size_t len, DhcpLease *lease) {
  unsigned type = 0;
  if (len < OPTIONS || message[0] != 2 || memcmp(message + 4, state.transaction, 4) != 0 ||
      memcmp(message + 28, state.mac, 6) != 0 || memcmp(message + OPTIONS - 4, cookie, 4) != 0) {
    return 0;
  }
  memset(lease, 0, sizeof *lease);
  memcpy(lease->addresses.ip, message + 16, 4);
  for (size_t at = OPTIONS; at + 1 < len && message[at] != OPTION_END;) {
    if (message[at] == 0) {
      at++;
      continue;
    }
    const unsigned size = message[at + 1];
    if (at + 2 + size > len) return 0;
    if (message[at] == OPTION_TYPE && size == 1) type = message[at + 2];
    take_option(lease, message[at], message + at + 2, size);
    at += 2 + size;
  }
  return type;
}

static int finish(int result) {
  w5500_close(W5500_UDP);
  return result;
}

static int take_answer(unsigned type, const DhcpLease *answer, DhcpLease *lease) {
  if (state.asked == TYPE_DISCOVER && type == TYPE_OFFER) {
    state.lease = *answer;
    state.asked = TYPE_REQUEST;
    state.tries = 0;
    return ask() == 0 ? DHCP_PENDING : finish(DHCP_FAILED);
  }
  if (state.asked != TYPE_REQUEST) return DHCP_PENDING;
  if (type == TYPE_REFUSE) return finish(DHCP_FAILED);
  if (type != TYPE_ACKNOWLEDGE) return DHCP_PENDING;
  *lease = *answer;
  if (lease->seconds < SHORTEST_LEASE_S) lease->seconds = SHORTEST_LEASE_S;
  return finish(DHCP_LEASED);
}

int dhcp_step(DhcpLease *lease) {
  uint8_t message[576];
  uint8_t from[4];
  uint16_t port;
  DhcpLease answer;
  const size_t len = w5500_udp_receive(from, &port, message, sizeof message);
  const unsigned type = len > 0 && port == SERVER_PORT ? read_answer(message, len, &answer) : 0;
  if (type != 0) return take_answer(type, &answer, lease);
  if (bus_us() < state.retry_at) return DHCP_PENDING;
  if (state.tries < RETRY_DHCP_TRIES && ask() == 0) return DHCP_PENDING;
  return finish(DHCP_FAILED);
}
