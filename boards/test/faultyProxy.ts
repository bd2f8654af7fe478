// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** pass: as it comes; bytes: to the device one byte a segment; silence: nothing moves, and nobody is told. */
export type Fault = "pass" | "bytes" | "silence";

/** A TCP relay in front of one server that does what networks do. */
export class FaultyProxy {
  readonly port: number;
  fault: Fault = "pass";
  /** How many connections there were. */
  accepted = 0;
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

  #relay(inner: Socket, target: number): void {
    this.accepted++;
    const outer = connect(target, "127.0.0.1");
    this.#move(inner, outer, (bytes) => outer.write(bytes));
    this.#move(outer, inner, (bytes) => {
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
