// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A TCP relay in front of one server: bytes pass unread until the link is cut. */
export class CuttingProxy {
  readonly port: number;
  private readonly server: Server;
  private readonly sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.server = server;
    this.sockets = sockets;
    this.port = (server.address() as AddressInfo).port;
  }

  static async listen(target: number): Promise<CuttingProxy> {
    const sockets = new Set<Socket>();
    const server = createServer((inner) => {
      const outer = connect(target, "127.0.0.1");
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        sockets.add(from);
        from.pipe(to);
        // A cut is an error to both ends.
        from.on("error", () => to.destroy());
        from.on("close", () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new CuttingProxy(server, sockets);
  }

  /** How many ends are connected. */
  get connected(): number {
    return this.sockets.size;
  }

  /** Breaks every connection with a reset; new ones pass. */
  cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    this.cut();
    await closed;
  }
}
