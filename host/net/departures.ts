// SPDX-License-Identifier: BSD-3-Clause
import type { Socket } from "node:net";

/** Time the other side has to take the last bytes and hang up, ms. */
const LINGER_MILLIS = 1_000;
/** Least number of connections that may be on their way out at once. */
export const MIN_DEPARTURES = 256;

/**
 * Connections this side has ended, until the other side hangs up too. Destroyed with bytes unread, a socket is reset and its
 * last bytes are lost on their way; so each gets LINGER_MILLIS, and the oldest goes when there are too many.
 */
export class Departures {
  private readonly leaving = new Map<Socket, NodeJS.Timeout>();
  private readonly limit: () => number;

  /** `limit`: how many may linger at once. */
  constructor(limit: () => number = () => MIN_DEPARTURES) {
    this.limit = limit;
  }

  /** How many may linger at once. */
  get most(): number {
    return this.limit();
  }

  get size(): number {
    return this.leaving.size;
  }

  /** Sends the last bytes and ends the connection; what it still sends is dropped. */
  add(socket: Socket, last?: string): void {
    if (socket.destroyed || this.leaving.has(socket)) return;
    const [oldest] = this.leaving.keys();
    if (this.leaving.size >= this.most) oldest?.destroy();
    const timer = setTimeout(() => socket.destroy(), LINGER_MILLIS);
    timer.unref();
    this.leaving.set(socket, timer);
    socket.once("close", () => {
      clearTimeout(timer);
      this.leaving.delete(socket);
    });
    if (last === undefined) socket.end();
    else socket.end(last);
    socket.resume();
  }
}
