// SPDX-License-Identifier: BSD-3-Clause
import type { Alarm, DeviceClock } from "./clock.ts";
import { Fault, hex } from "./fault.ts";
import type { Network, TcpLink } from "./network.ts";
import {
  BUFFER_BYTES,
  COMMAND,
  EVENT,
  PROTOCOL,
  SOCKET,
  SOCKET_RESET,
  STATUS,
} from "./w5500Registers.ts";

/** What a socket sees of the chip around it. */
export interface SocketSurroundings {
  readonly network: Network;
  /** Milliseconds until a segment nobody acknowledges breaks the connection. */
  timeoutMs(): number;
  /** The interrupt pin may have changed. */
  changed(): void;
}

/** One of the W5500's eight sockets (§4.2): TCP client or UDP, with its rings of 2 kB. */
export class W5500Socket {
  readonly #around: SocketSurroundings;
  readonly #registers = new Uint8Array(0x30);
  readonly #tx = new Uint8Array(BUFFER_BYTES);
  readonly #rx = new Uint8Array(BUFFER_BYTES);
  #timeout: Alarm | null = null;
  #link: TcpLink | null = null;
  /** Came from the network and did not fit the ring yet. */
  #arrived: Uint8Array[] = [];
  #peerEnded = false;
  /** RX_RD as the last RECV and TX_WR as the last SEND took them; until then the device's writes mean nothing. */
  #readTo = 0;
  #sentTo = 0;

  constructor(around: SocketSurroundings) {
    this.#around = around;
    for (const [at, value] of SOCKET_RESET) this.#registers[at] = value;
  }

  /** Time is the given clock's from now on. A time-out under way starts again. */
  moveTo(clock: DeviceClock): void {
    const wasWaiting = this.#timeout !== null && this.#timeout.at !== Number.POSITIVE_INFINITY;
    this.#timeout?.cancel();
    this.#timeout = clock.createAlarm(() => this.#timedOut());
    if (wasWaiting) this.#awaitPeer();
  }

  /** Sn_IR bits that are not masked by Sn_IMR. */
  get pending(): number {
    return this.#byte(SOCKET.IR) & this.#byte(SOCKET.IMR);
  }

  get status(): number {
    return this.#byte(SOCKET.SR);
  }

  readRegister(at: number): number {
    if (at === SOCKET.TX_FSR || at === SOCKET.TX_FSR + 1) return this.#half(this.#free(), at);
    if (at === SOCKET.RX_RSR || at === SOCKET.RX_RSR + 1) return this.#half(this.#received(), at);
    return this.#byte(at);
  }

  writeRegister(at: number, value: number): void {
    if (at === SOCKET.CR) this.#command(value);
    else if (at === SOCKET.IR) this.#registers[SOCKET.IR] = this.#byte(SOCKET.IR) & ~value;
    else if ((at === SOCKET.RXBUF_SIZE || at === SOCKET.TXBUF_SIZE) && value !== 2) {
      throw new Fault(`W5500: a socket buffer of ${value} kB is not modelled`);
    } else this.#registers[at] = value;
    this.#around.changed();
  }

  readTx(at: number): number {
    return this.#tx[at % BUFFER_BYTES] ?? 0;
  }

  writeTx(at: number, value: number): void {
    this.#tx[at % BUFFER_BYTES] = value;
  }

  readRx(at: number): number {
    return this.#rx[at % BUFFER_BYTES] ?? 0;
  }

  /** The cable's link, or a reset of the chip: nothing arrives or leaves any more. */
  drop(): void {
    this.#forget();
    this.#set(STATUS.closed);
  }

  /** Bytes of the network that may go on now: the link came back, or the device read something. */
  resume(): void {
    this.#fill();
  }

  #command(command: number): void {
    if (command === COMMAND.open) this.#open();
    else if (command === COMMAND.connect) this.#connect();
    else if (command === COMMAND.disconnect) this.#disconnect();
    else if (command === COMMAND.close) this.drop();
    else if (command === COMMAND.send) this.#send();
    else if (command === COMMAND.receive) this.#receive();
    else throw new Fault(`W5500: socket command ${hex(command)} is not modelled`);
  }

  #open(): void {
    this.#forget();
    const at = [SOCKET.TX_RD, SOCKET.TX_WR, SOCKET.RX_RD, SOCKET.RX_WR];
    for (const register of at) this.#setWord(register, 0);
    this.#readTo = 0;
    this.#sentTo = 0;
    const protocol = this.#byte(SOCKET.MR) & 0x0f;
    if (protocol === PROTOCOL.tcp) this.#set(STATUS.init);
    else if (protocol === PROTOCOL.udp) this.#openUdp();
    else throw new Fault(`W5500: protocol ${protocol} is not modelled`);
  }

  #openUdp(): void {
    this.#set(STATUS.udp);
    this.#around.network.bindUdp(this, (from, port, bytes) => {
      // §4.2, Sn_RX_RD: a datagram is preceded by the sender's address and port and its length.
      const header = Buffer.alloc(8);
      header.set(from);
      header.writeUInt16BE(port, 4);
      header.writeUInt16BE(bytes.length, 6);
      if (this.#received() + header.length + bytes.length > BUFFER_BYTES) return;
      this.#arrived.push(Buffer.concat([header, bytes]));
      this.#fill();
    });
  }

  #connect(): void {
    if (this.status !== STATUS.init) throw new Fault("W5500: CONNECT of a socket that is not open");
    this.#set(STATUS.synSent);
    const ip = this.#registers.subarray(SOCKET.DIPR, SOCKET.DIPR + 4).join(".");
    this.#awaitPeer();
    this.#link = this.#around.network.connect(ip, this.#word(SOCKET.DPORT), {
      opened: () => {
        this.#timeout?.cancel();
        this.#set(STATUS.established);
        this.#raise(EVENT.connected);
      },
      received: (bytes) => {
        this.#arrived.push(bytes);
        this.#fill();
      },
      ended: () => {
        this.#peerEnded = true;
        this.#fill();
      },
      // A refused connection and a reset one look alike to the W5500: the socket is closed.
      failed: () => {
        const wasOpening = this.status === STATUS.synSent;
        this.drop();
        this.#raise(wasOpening ? EVENT.timeout : EVENT.disconnected);
      },
    });
  }

  #disconnect(): void {
    this.#link?.end();
    this.#forget();
    this.#set(STATUS.closed);
    this.#raise(EVENT.disconnected);
  }

  #send(): void {
    const [from, to] = [this.#word(SOCKET.TX_RD), this.#word(SOCKET.TX_WR)];
    const length = (to - from) & 0xffff;
    if (length > BUFFER_BYTES) throw new Fault(`W5500: SEND of ${length} bytes`);
    if (this.#sentTo !== from) throw new Fault("W5500: SEND before the last one was done");
    this.#sentTo = to;
    const bytes = Uint8Array.from({ length }, (_, i) => this.readTx(from + i));
    if (this.status === STATUS.udp) {
      const ip = this.#registers.subarray(SOCKET.DIPR, SOCKET.DIPR + 4);
      this.#around.network.sendUdp(this, ip, this.#word(SOCKET.DPORT), bytes);
      this.#acknowledged(to);
    } else if (this.#link) {
      this.#awaitPeer();
      this.#link.send(bytes, () => this.#acknowledged(to));
    }
  }

  #receive(): void {
    this.#readTo = this.#word(SOCKET.RX_RD);
    if (this.#received() > BUFFER_BYTES) throw new Fault("W5500: RECV beyond what was received");
    this.#fill();
  }

  #acknowledged(to: number): void {
    this.#timeout?.cancel();
    this.#setWord(SOCKET.TX_RD, to);
    this.#raise(EVENT.sent);
  }

  #awaitPeer(): void {
    this.#timeout?.schedule(this.#around.timeoutMs() * 1e6);
  }

  #timedOut(): void {
    this.drop();
    this.#raise(EVENT.timeout);
  }

  /** Moves what arrived into the ring, as the network lets it; then the peer's end is seen. */
  #fill(): void {
    let got = false;
    for (;;) {
      const chunk = this.#arrived[0];
      if (!chunk) break;
      const whole = this.status === STATUS.udp;
      const room = BUFFER_BYTES - this.#received();
      const taken = whole ? chunk.length : this.#around.network.allow(this.#received(), room);
      const count = Math.min(taken, chunk.length);
      if (count === 0 || count > room) break;
      this.#store(chunk.subarray(0, count));
      got = true;
      if (count === chunk.length) this.#arrived.shift();
      else this.#arrived[0] = chunk.subarray(count);
    }
    if (got) this.#raise(EVENT.received);
    if (this.#peerEnded && this.#arrived.length === 0 && this.status === STATUS.established) {
      this.#set(STATUS.closeWait);
      this.#raise(EVENT.disconnected);
    }
  }

  #store(bytes: Uint8Array): void {
    const at = this.#word(SOCKET.RX_WR);
    bytes.forEach((byte, i) => {
      this.#rx[(at + i) % BUFFER_BYTES] = byte;
    });
    this.#setWord(SOCKET.RX_WR, at + bytes.length);
  }

  #forget(): void {
    this.#timeout?.cancel();
    this.#around.network.unbindUdp(this);
    this.#link?.destroy();
    this.#link = null;
    this.#arrived = [];
    this.#peerEnded = false;
  }

  #raise(event: number): void {
    this.#registers[SOCKET.IR] = this.#byte(SOCKET.IR) | event;
    this.#around.changed();
  }

  #set(status: number): void {
    this.#registers[SOCKET.SR] = status;
  }

  #received(): number {
    return (this.#word(SOCKET.RX_WR) - this.#readTo) & 0xffff;
  }

  #free(): number {
    return BUFFER_BYTES - ((this.#sentTo - this.#word(SOCKET.TX_RD)) & 0xffff);
  }

  #byte(at: number): number {
    return this.#registers[at] ?? 0;
  }

  #half(value: number, at: number): number {
    return at % 2 === 0 ? value >> 8 : value & 0xff;
  }

  #word(at: number): number {
    return (this.#byte(at) << 8) | this.#byte(at + 1);
  }

  #setWord(at: number, value: number): void {
    this.#registers[at] = (value >> 8) & 0xff;
    this.#registers[at + 1] = value & 0xff;
  }
}
