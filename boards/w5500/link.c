// SPDX-License-Identifier: BSD-3-Clause
// The one link of hal.h on the W5500: address lease, name look-up, TCP. Nothing here waits.
#include "link.h"

#include <string.h>

#include "bus.h"
#include "device/hal.h"
#include "device/retries.h"
#include "dhcp.h"
#include "dns.h"
#include "w5500.h"

#define LONGEST_HOST 253u
#define FIRST_LOCAL_PORT 49160u
#define LOCAL_PORTS 16000u
#define SECOND_US 1000000u

typedef enum { IDLE, LEASING, RESOLVING, CONNECTING, OPEN, FAILED } Phase;

static struct {
  Phase phase;
  int has_addresses;
  int renewing;
  uint64_t renew_at;
  LinkConfiguration configuration;
  DhcpLease lease;
  char host[LONGEST_HOST + 1];
  uint16_t port;
  uint16_t local_port;
} link;

static uint16_t random_half(void) {
  uint8_t bytes[2] = {0, 0};
  // Without entropy the port of the answer and the server's address are still checked.
  if (hal_entropy(bytes, sizeof bytes) != 0) return (uint16_t)bus_us();
  return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

int link_start(const LinkConfiguration *configuration) {
  memset(&link, 0, sizeof link);
  link.configuration = *configuration;
  if (w5500_start(configuration->mac) != 0) return -1;
  // A local port used before the last reset may still be known to a peer.
  link.local_port = (uint16_t)(random_half() % LOCAL_PORTS);
  if (!configuration->is_static) return 0;
  link.lease.addresses = configuration->addresses;
  memcpy(link.lease.dns, configuration->dns, 4);
  w5500_set_addresses(&link.lease.addresses);
  link.has_addresses = 1;
  link.renew_at = UINT64_MAX;
  return 0;
}

// "10.0.0.2" in parts; 0 when it is a host name.
static int parse_address(const char *text, uint8_t ip[4]) {
  for (unsigned i = 0; i < 4; i++) {
    unsigned value = 0;
    unsigned digits = 0;
    while (*text >= '0' && *text <= '9' && digits < 3) {
      value = value * 10 + (unsigned)(*text++ - '0');
      digits++;
    }
    if (digits == 0 || value > 255) return 0;
    if (*text != (i < 3 ? '.' : '\0')) return 0;
    text++;
    ip[i] = (uint8_t)value;
  }
  return 1;
}

static Phase connect_to(const uint8_t ip[4]) {
  link.local_port = (uint16_t)((link.local_port + 1u) % LOCAL_PORTS);
  const uint16_t local = (uint16_t)(FIRST_LOCAL_PORT + link.local_port);
  return w5500_connect(ip, link.port, local) == 0 ? CONNECTING : FAILED;
}

static Phase begin_lookup(void) {
  uint8_t ip[4];
  if (parse_address(link.host, ip)) return connect_to(ip);
  return dns_begin(link.lease.dns, link.host, random_half()) == 0 ? RESOLVING : FAILED;
}

static int begin_lease(const DhcpLease *known) {
  const uint32_t transaction = (uint32_t)random_half() << 16 | random_half();
  return dhcp_begin(link.configuration.mac, transaction, known);
}

static void accept_lease(const DhcpLease *lease) {
  link.lease = *lease;
  link.has_addresses = 1;
  // T1 (RFC 2131, 4.4.5)
  link.renew_at = bus_us() + (uint64_t)lease->seconds / 2 * SECOND_US;
  w5500_set_addresses(&lease->addresses);
}

int hal_link_open(const char *host, uint16_t port) {
  static const char no_ipv6[] = "the W5500 knows no IPv6 address";
  const size_t len = strlen(host);
  if (len == 0 || len > LONGEST_HOST) return -1;
  if (strchr(host, ':')) {
    hal_log(1, no_ipv6, sizeof no_ipv6 - 1);
    return -1;
  }
  hal_link_close();
  if (!w5500_has_link()) return -1;
  memcpy(link.host, host, len + 1);
  link.port = port;
  if (link.has_addresses && bus_us() < link.renew_at) {
    link.phase = begin_lookup();
  } else {
    link.has_addresses = 0;
    link.phase = begin_lease(NULL) == 0 ? LEASING : FAILED;
  }
  if (link.phase != FAILED) return 0;
  hal_link_close();
  return -1;
}

static Phase step_lease(void) {
  DhcpLease lease;
  const int result = dhcp_step(&lease);
  if (result == DHCP_PENDING) return LEASING;
  if (result != DHCP_LEASED) return FAILED;
  accept_lease(&lease);
  return begin_lookup();
}

static Phase step_lookup(void) {
  uint8_t ip[4];
  const int result = dns_step(ip);
  if (result == DNS_PENDING) return RESOLVING;
  return result == DNS_FOUND ? connect_to(ip) : FAILED;
}

static Phase step_connection(void) {
  const uint8_t status = w5500_status(W5500_TCP);
  if (status == W5500_ESTABLISHED || status == W5500_CLOSE_WAIT) return OPEN;
  return status == W5500_CLOSED ? FAILED : CONNECTING;
}

// Half of the lease is over: it is extended beside the open connection.
static void step_renewal(void) {
  DhcpLease lease;
  if (!link.renewing) {
    if (bus_us() < link.renew_at) return;
    link.renewing = begin_lease(&link.lease) == 0;
    link.renew_at = bus_us() + RETRY_LEASE_MS * 1000u;
    return;
  }
  const int result = dhcp_step(&lease);
  if (result == DHCP_PENDING) return;
  link.renewing = 0;
  if (result == DHCP_LEASED) accept_lease(&lease);
}

void link_step(void) {
  if (link.phase == LEASING) link.phase = step_lease();
  else if (link.phase == RESOLVING) link.phase = step_lookup();
  else if (link.phase == CONNECTING) link.phase = step_connection();
  else if (link.phase == OPEN) step_renewal();
}

int hal_link_state(void) {
  link_step();
  switch (link.phase) {
    case IDLE: return HAL_LINK_CLOSED;
    case OPEN: return HAL_LINK_OPEN;
    case FAILED: return HAL_LINK_FAILED;
    default: return HAL_LINK_OPENING;
  }
}

int hal_link_send(const uint8_t *x, size_t len) {
  if (link.phase != OPEN) return -1;
  const uint8_t status = w5500_status(W5500_TCP);
  if (status != W5500_ESTABLISHED && status != W5500_CLOSE_WAIT) return -1;
  return len == 0 ? 0 : (int)w5500_send(x, len);
}

int hal_link_receive(uint8_t *out, size_t cap) {
  if (link.phase != OPEN) return -1;
  // Read before the bytes: what arrived before the end is delivered first.
  const uint8_t status = w5500_status(W5500_TCP);
  const size_t len = w5500_receive(out, cap);
  if (len > 0) return (int)len;
  return status == W5500_ESTABLISHED ? 0 : -1;
}

void hal_link_close(void) {
  if (link.phase == IDLE) return;
  w5500_close(W5500_TCP);
  if (link.phase == LEASING || link.phase == RESOLVING || link.renewing) w5500_close(W5500_UDP);
  link.renewing = 0;
  link.phase = IDLE;
}
