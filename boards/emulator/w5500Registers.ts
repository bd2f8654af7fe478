// SPDX-License-Identifier: BSD-3-Clause
// Registers of the W5500 (WIZnet, W5500 Datasheet 1.1.0, §3 memory map, §4 register descriptions): offsets and values.

/** Common register block (§4.1). */
export const COMMON = {
  MR: 0x00,
  GAR: 0x01,
  SUBR: 0x05,
  SHAR: 0x09,
  SIPR: 0x0f,
  INTLEVEL: 0x13,
  IR: 0x15,
  IMR: 0x16,
  SIR: 0x17,
  SIMR: 0x18,
  RTR: 0x19,
  RCR: 0x1b,
  PTIMER: 0x1c,
  PMRU: 0x26,
  UIPR: 0x28,
  PHYCFGR: 0x2e,
  VERSIONR: 0x39,
} as const;

/** Reset values of the common registers that are not zero, by offset. */
export const COMMON_RESET: ReadonlyArray<readonly [number, number]> = [
  [COMMON.RTR, 0x07],
  [COMMON.RTR + 1, 0xd0],
  [COMMON.RCR, 0x08],
  [COMMON.PTIMER, 0x28],
  [COMMON.PMRU, 0xff],
  [COMMON.PMRU + 1, 0xff],
  [COMMON.PHYCFGR, 0xb8],
  [COMMON.VERSIONR, 0x04],
];

/** Bits of the common mode register (§4.1). */
export const MODE = { reset: 0x80 } as const;
/** PHYCFGR bits 2..0: 100 Mbit/s, full duplex, link up. */
export const PHY_UP = 0x07;

/** Socket register block (§4.2). */
export const SOCKET = {
  MR: 0x00,
  CR: 0x01,
  IR: 0x02,
  SR: 0x03,
  PORT: 0x04,
  DHAR: 0x06,
  DIPR: 0x0c,
  DPORT: 0x10,
  MSSR: 0x12,
  TOS: 0x15,
  TTL: 0x16,
  RXBUF_SIZE: 0x1e,
  TXBUF_SIZE: 0x1f,
  TX_FSR: 0x20,
  TX_RD: 0x22,
  TX_WR: 0x24,
  RX_RSR: 0x26,
  RX_RD: 0x28,
  RX_WR: 0x2a,
  IMR: 0x2c,
  FRAG: 0x2d,
  KPALVTR: 0x2f,
} as const;

/** Reset values of the socket registers that are not zero, by offset. */
export const SOCKET_RESET: ReadonlyArray<readonly [number, number]> = [
  ...Array.from({ length: 6 }, (_, i) => [SOCKET.DHAR + i, 0xff] as const),
  [SOCKET.TTL, 0x80],
  [SOCKET.RXBUF_SIZE, 0x02],
  [SOCKET.TXBUF_SIZE, 0x02],
  [SOCKET.IMR, 0xff],
  [SOCKET.FRAG, 0x40],
];

/** Sn_MR bits 3..0. */
export const PROTOCOL = { closed: 0x00, tcp: 0x01, udp: 0x02 } as const;

/** Sn_CR. */
export const COMMAND = {
  open: 0x01,
  connect: 0x04,
  disconnect: 0x08,
  close: 0x10,
  send: 0x20,
  receive: 0x40,
} as const;

/** Sn_IR. */
export const EVENT = {
  connected: 0x01,
  disconnected: 0x02,
  received: 0x04,
  timeout: 0x08,
  sent: 0x10,
} as const;

/** Sn_SR. */
export const STATUS = {
  closed: 0x00,
  init: 0x13,
  synSent: 0x15,
  established: 0x17,
  finWait: 0x18,
  closeWait: 0x1c,
  lastAck: 0x1d,
  udp: 0x22,
} as const;

/** Bytes of a socket's transmit and receive buffer; sizes other than 2 kB are not modelled. */
export const BUFFER_BYTES = 2048;
