// SPDX-License-Identifier: BSD-3-Clause
// The one link of hal.h on a socket. Looking up the name waits; everything else does not.
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "board.h"
#include "device/hal.h"

static struct {
  int socket;
  int state;  // HAL_LINK_*
  struct addrinfo *addresses;
  const struct addrinfo *next;  // the address to try when this one fails
} connection = {-1, HAL_LINK_CLOSED, NULL, NULL};

static void close_socket(void) {
  if (connection.socket >= 0) close(connection.socket);
  connection.socket = -1;
}

// Begins to connect to the next address that allows it.
static void connect_next(void) {
  close_socket();
  connection.state = HAL_LINK_FAILED;
  for (; connection.next && connection.state == HAL_LINK_FAILED; connection.next = connection.next->ai_next) {
    const struct addrinfo *address = connection.next;
    const int one = 1;
    connection.socket = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection.socket < 0) continue;
    // Small records go out at once.
    setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(connection.socket, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS) {
      connection.state = HAL_LINK_OPENING;
    } else {
      close_socket();
    }
  }
}

int hal_link_open(const char *host, uint16_t port) {
  char service[8];
  struct addrinfo hints;
  hal_link_close();
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  snprintf(service, sizeof service, "%u", (unsigned)port);
  if (getaddrinfo(host, service, &hints, &connection.addresses) != 0) {
    connection.addresses = NULL;
    return -1;
  }
  connection.next = connection.addresses;
  connect_next();
  return connection.state == HAL_LINK_OPENING ? 0 : -1;
}

int hal_link_state(void) {
  if (connection.state != HAL_LINK_OPENING) return connection.state;
  struct pollfd entry = {connection.socket, POLLOUT, 0};
  if (poll(&entry, 1, 0) <= 0) return HAL_LINK_OPENING;
  int error = 0;
  socklen_t len = sizeof error;
  if (getsockopt(connection.socket, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0) {
    connection.state = HAL_LINK_OPEN;
  } else {
    connect_next();
  }
  return connection.state;
}

static int is_for_later(void) { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int hal_link_send(const uint8_t *x, size_t len) {
  if (connection.state != HAL_LINK_OPEN) return -1;
  if (len == 0) return 0;
  const ssize_t count = send(connection.socket, x, len, MSG_NOSIGNAL);
  if (count >= 0) return (int)count;
  return is_for_later() ? 0 : -1;
}

int hal_link_receive(uint8_t *out, size_t cap) {
  if (connection.state != HAL_LINK_OPEN) return -1;
  if (cap == 0) return 0;
  const ssize_t count = recv(connection.socket, out, cap, 0);
  if (count > 0) return (int)count;
  return count < 0 && is_for_later() ? 0 : -1;
}

void hal_link_close(void) {
  close_socket();
  if (connection.addresses) freeaddrinfo(connection.addresses);
  connection.addresses = NULL;
  connection.next = NULL;
  connection.state = HAL_LINK_CLOSED;
}

void hal_wait(uint32_t ms) {
  const short wanted = connection.state == HAL_LINK_OPENING ? POLLOUT : POLLIN;
  struct pollfd entry = {connection.socket, wanted, 0};
  poll(&entry, connection.socket >= 0 ? 1 : 0, clock_real_ms(ms));
}
