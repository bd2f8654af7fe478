// SPDX-License-Identifier: BSD-3-Clause
// The W5500: TCP/IP in hardware behind SPI. Registers: WIZnet, W5500 datasheet 1.1.0, 4.
#ifndef BOARDS_W5500_W5500_H
#define BOARDS_W5500_W5500_H

#include <stddef.h>
#include <stdint.h>

// Bytes of a socket's transmit and receive buffer as the chip starts (Sn_TXBUF_SIZE).
#define W5500_BUFFER 2048u

// Sockets in use.
#define W5500_TCP 0u
#define W5500_UDP 1u

// Sn_SR
#define W5500_CLOSED 0x00u
#define W5500_INIT 0x13u
#define W5500_ESTABLISHED 0x17u
#define W5500_CLOSE_WAIT 0x1cu

// Addresses of this device, network byte order.
typedef struct {
  uint8_t ip[4];
  uint8_t subnet[4];
  uint8_t gateway[4];
} W5500Addresses;

// Resets the chip and gives it the hardware address. 0, or negative: no W5500 answers.
int w5500_start(const uint8_t mac[6]);
void w5500_set_addresses(const W5500Addresses *addresses);
// 1 while the cable has a link.
int w5500_has_link(void);
// 1 since w5500_start succeeded.
int w5500_is_started(void);
// 1 while INTn asks for attention.
int w5500_has_event(void);

uint8_t w5500_status(unsigned socket);
// Opens a TCP socket from the given local port and begins to connect. 0 begun, negative.
int w5500_connect(const uint8_t ip[4], uint16_t port, uint16_t local_port);
// Bytes taken into the transmit ring (0: none now).
size_t w5500_send(const uint8_t *x, size_t len);
// Bytes received (0: none now).
size_t w5500_receive(uint8_t *out, size_t cap);
void w5500_close(unsigned socket);

// One UDP socket on local_port. 0 or negative.
int w5500_udp_open(uint16_t local_port);
// One datagram, at most 1,472 bytes. 0 or negative.
int w5500_udp_send(const uint8_t ip[4], uint16_t port, const uint8_t *x, size_t len);
// One datagram: its length (what is longer than cap is cut), 0 when there is none.
size_t w5500_udp_receive(uint8_t ip[4], uint16_t *port, uint8_t *out, size_t cap);

#endif
