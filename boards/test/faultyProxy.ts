// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** pass: as it comes; bytes: to the device one byte a segment; silence: nothing moves, and nobody is told. */
export type Fault = "pass" | "bytes" | "silence";

const HANDSHAKE = 22;
const HEAD = 5;

/** Handshake message number of a server's certificate, which a resumed session goes without (RFC 5246, 7.3). */
export const CERTIFICATE = 11;
export const SERVER_HELLO = 2;

/** Numbers of the handshake messages a TLS 1.2 server sends in the clear (RFC 5246, 6.2.1 and 7.4). */
function handshakeMessages(stream: Buffer): number[] {
  let messages = Buffer.alloc(0);
  for (let at = 0; at + HEAD <= stream.length && stream[at] === HANDSHAKE; ) {
    const end = at + HEAD + stream.readUInt16BE(at + 3);
    messages = Buffer.concat([messages, stream.subarray(at + HEAD, end)]);
    at = end;
  }
  const numbers: number[] = [];
  for (let at = 0; at + 4 <= messages.length; at += 4 + messages.readUIntBE(at + 1, 3)) {
    numbers.push(messages.readUInt8(at));
  }
  return numbers;
}

/** A TCP relay in front of one server that does what networks do. */
export class FaultyProxy {
  readonly port: number;
  fault: Fault = "pass";
  /** How many connections there were. */
  accepted = 0;
  /** The beginning of what the server sent on each. */
  readonly #beginnings: Buffer[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (inner) => this.#relay(inner, target));
  }

  static async listen(target: number): Promise<FaultyProxy> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new FaultyProxy(server, target);
  }

  /** Breaks every connection with a reset; new ones pass. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }

  /** The server's handshake messages of each connection. */
  get handshakes(): number[][] {
    return this.#beginnings.map(handshakeMessages);
  }

  #relay(inner: Socket, target: number): void {
    const index = this.accepted++;
    this.#beginnings[index] = Buffer.alloc(0);
    const outer = connect(target, "127.0.0.1");
    this.#move(inner, outer, (bytes) => outer.write(bytes));
    this.#move(outer, inner, (bytes) => {
      const beginning = this.#beginnings[index] ?? Buffer.alloc(0);
      if (beginning.length < 4096) this.#beginnings[index] = Buffer.concat([beginning, bytes]);
      if (this.fault !== "bytes") inner.write(bytes);
      else for (const byte of bytes) inner.write(Buffer.of(byte));
    });
  }

  #move(from: Socket, to: Socket, write: (bytes: Buffer) => void): void {
    this.#sockets.add(from);
    from.on("data", (bytes) => {
      if (this.fault !== "silence") write(bytes);
    });
    // A reset is an error to both ends.
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      if (this.fault !== "silence") to.destroy();
    });
  }
}
