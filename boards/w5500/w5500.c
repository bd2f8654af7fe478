// SPDX-License-Identifier: BSD-3-Clause
#include "w5500.h"

#include "bus.h"

// Common registers (4.1)
#define VERSIONR 0x39u
#define GAR 0x01u
#define SUBR 0x05u
#define SHAR 0x09u
#define SIPR 0x0fu
#define SIMR 0x18u
#define PHYCFGR 0x2eu
#define PHYCFGR_LINK 1u
#define VERSION 4u

// Socket registers (4.2)
#define SN_MR 0x00u
#define SN_CR 0x01u
#define SN_IR 0x02u
#define SN_SR 0x03u
#define SN_PORT 0x04u
#define SN_DIPR 0x0cu
#define SN_DPORT 0x10u
#define SN_TX_FSR 0x20u
#define SN_TX_WR 0x24u
#define SN_RX_RSR 0x26u
#define SN_RX_RD 0x28u

#define MR_TCP 0x01u
#define MR_UDP 0x02u
#define CR_OPEN 0x01u
#define CR_CONNECT 0x04u
#define CR_CLOSE 0x10u
#define CR_SEND 0x20u
#define CR_RECV 0x40u
#define SR_UDP 0x22u
#define IR_ALL 0x1fu
#define IR_SENT 0x10u

// Blocks (2.2.2)
#define COMMON 0u
#define REGISTERS(socket) ((socket) * 4u + 1u)
#define TRANSMIT(socket) ((socket) * 4u + 2u)
#define RECEIVE(socket) ((socket) * 4u + 3u)
#define WRITE 4u

#define UDP_HEADER 8u
// RSTn low at least 500 us, then 1 ms until the PLL is stable (5.5.1).
#define RESET_US 1000u
// The socket's buffer empties as the peer acknowledges; a datagram leaves at once.
#define DATAGRAM_US 100000u

// Before the chip was reset the pin has no meaning, and must not end a sleep.
static int started;

static void begin(unsigned block, uint32_t address, unsigned write) {
  const uint8_t header[3] = {(uint8_t)(address >> 8), (uint8_t)address,
                             (uint8_t)(block << 3 | write)};
  bus_select(1);
  bus_transfer(header, NULL, sizeof header);
}

static void read_block(unsigned block, uint32_t address, uint8_t *out, size_t len) {
  begin(block, address, 0);
  bus_transfer(NULL, out, len);
  bus_select(0);
}

static void write_block(unsigned block, uint32_t address, const uint8_t *x, size_t len) {
  begin(block, address, WRITE);
  bus_transfer(x, NULL, len);
  bus_select(0);
}

static uint8_t read_byte(unsigned block, uint32_t address) {
  uint8_t value;
  read_block(block, address, &value, 1);
  return value;
}

static void write_byte(unsigned block, uint32_t address, unsigned value) {
  const uint8_t byte = (uint8_t)value;
  write_block(block, address, &byte, 1);
}

static uint32_t read_half(unsigned block, uint32_t address) {
  uint8_t bytes[2];
  read_block(block, address, bytes, 2);
  return (uint32_t)bytes[0] << 8 | bytes[1];
}

static void write_half(unsigned block, uint32_t address, uint32_t value) {
  const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
  write_block(block, address, bytes, 2);
}

// A size register changes while it is read in two bytes: twice the same is right (4.2, Sn_RX_RSR).
static uint32_t read_size(unsigned socket, uint32_t address) {
  uint32_t value = read_half(REGISTERS(socket), address);
  for (;;) {
    const uint32_t again = read_half(REGISTERS(socket), address);
    if (again == value) return value;
    value = again;
  }
}

static void command(unsigned socket, unsigned code) {
  write_byte(REGISTERS(socket), SN_CR, code);
  while (read_byte(REGISTERS(socket), SN_CR)) {
  }
}

int w5500_start(const uint8_t mac[6]) {
  started = 0;
  bus_reset(1);
  for (uint64_t end = bus_us() + RESET_US; bus_us() < end;) {
  }
  bus_reset(0);
  for (uint64_t end = bus_us() + 2 * RESET_US; bus_us() < end;) {
  }
  if (read_byte(COMMON, VERSIONR) != VERSION) return -1;
  write_block(COMMON, SHAR, mac, 6);
  write_byte(COMMON, SIMR, 1u << W5500_TCP | 1u << W5500_UDP);
  started = 1;
  return 0;
}

void w5500_set_addresses(const W5500Addresses *addresses) {
  write_block(COMMON, GAR, addresses->gateway, 4);
  write_block(COMMON, SUBR, addresses->subnet, 4);
  write_block(COMMON, SIPR, addresses->ip, 4);
}

int w5500_has_link(void) { return read_byte(COMMON, PHYCFGR) & PHYCFGR_LINK; }

int w5500_is_started(void) { return started; }

int w5500_has_event(void) { return started && bus_interrupt(); }

uint8_t w5500_status(unsigned socket) { return read_byte(REGISTERS(socket), SN_SR); }

static int open_socket(unsigned socket, unsigned mode, uint16_t local_port, unsigned expected) {
  write_byte(REGISTERS(socket), SN_MR, mode);
  write_half(REGISTERS(socket), SN_PORT, local_port);
  command(socket, CR_OPEN);
  write_byte(REGISTERS(socket), SN_IR, IR_ALL);
  return w5500_status(socket) == expected ? 0 : -1;
}

int w5500_connect(const uint8_t ip[4], uint16_t port, uint16_t local_port) {
  if (open_socket(W5500_TCP, MR_TCP, local_port, W5500_INIT) != 0) return -1;
  write_block(REGISTERS(W5500_TCP), SN_DIPR, ip, 4);
  write_half(REGISTERS(W5500_TCP), SN_DPORT, port);
  command(W5500_TCP, CR_CONNECT);
  return 0;
}

// One SEND at a time: the next one may only be asked for when the last one was acknowledged.
static int is_sending(unsigned socket) {
  return read_size(socket, SN_TX_FSR) != W5500_BUFFER;
}

size_t w5500_send(const uint8_t *x, size_t len) {
  if (is_sending(W5500_TCP)) return 0;
  if (len > W5500_BUFFER) len = W5500_BUFFER;
  const uint32_t at = read_half(REGISTERS(W5500_TCP), SN_TX_WR);
  write_byte(REGISTERS(W5500_TCP), SN_IR, IR_SENT);
  write_block(TRANSMIT(W5500_TCP), at, x, len);
  write_half(REGISTERS(W5500_TCP), SN_TX_WR, at + (uint32_t)len);
  command(W5500_TCP, CR_SEND);
  return len;
}

// Takes len bytes at offset from the receive ring's start.
static void take(unsigned socket, uint8_t *out, size_t len, size_t consumed) {
  const uint32_t at = read_half(REGISTERS(socket), SN_RX_RD);
  if (len > 0) read_block(RECEIVE(socket), at, out, len);
  write_half(REGISTERS(socket), SN_RX_RD, at + (uint32_t)consumed);
  command(socket, CR_RECV);
}

size_t w5500_receive(uint8_t *out, size_t cap) {
  // Cleared before the size is read: bytes that arrive later raise it again.
  write_byte(REGISTERS(W5500_TCP), SN_IR, IR_ALL);
  size_t len = read_size(W5500_TCP, SN_RX_RSR);
  if (len > cap) len = cap;
  if (len > 0) take(W5500_TCP, out, len, len);
  return len;
}

void w5500_close(unsigned socket) {
  command(socket, CR_CLOSE);
  write_byte(REGISTERS(socket), SN_IR, IR_ALL);
}

int w5500_udp_open(uint16_t local_port) {
  return open_socket(W5500_UDP, MR_UDP, local_port, SR_UDP);
}

int w5500_udp_send(const uint8_t ip[4], uint16_t port, const uint8_t *x, size_t len) {
  const uint32_t at = read_half(REGISTERS(W5500_UDP), SN_TX_WR);
  write_block(REGISTERS(W5500_UDP), SN_DIPR, ip, 4);
  write_half(REGISTERS(W5500_UDP), SN_DPORT, port);
  write_block(TRANSMIT(W5500_UDP), at, x, len);
  write_half(REGISTERS(W5500_UDP), SN_TX_WR, at + (uint32_t)len);
  command(W5500_UDP, CR_SEND);
  for (uint64_t end = bus_us() + DATAGRAM_US; is_sending(W5500_UDP);) {
    if (bus_us() > end) return -1;
  }
  return 0;
}

size_t w5500_udp_receive(uint8_t ip[4], uint16_t *port, uint8_t *out, size_t cap) {
  uint8_t header[UDP_HEADER];
  write_byte(REGISTERS(W5500_UDP), SN_IR, IR_ALL);
  if (read_size(W5500_UDP, SN_RX_RSR) < UDP_HEADER) return 0;
  take(W5500_UDP, header, UDP_HEADER, UDP_HEADER);
  for (unsigned i = 0; i < 4; i++) ip[i] = header[i];
  *port = (uint16_t)(header[4] << 8 | header[5]);
  const size_t len = (size_t)header[6] << 8 | header[7];
  const size_t kept = len < cap ? len : cap;
  take(W5500_UDP, out, kept, len);
  return kept;
}
