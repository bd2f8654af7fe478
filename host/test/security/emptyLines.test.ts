// SPDX-License-Identifier: BSD-3-Clause
// Lines of nothing, faster than they are answered: what waits of them costs memory too, and has a bound.
import { EventEmitter } from "node:events";
import type { TLSSocket } from "node:tls";
import { pino } from "pino";
import { expect, it } from "vitest";
import { DirectoryCounters } from "../../directory/counters.ts";
import { MAX_SLOW_READERS } from "../../directory/limits.ts";
import { type LookupContext, Lookups } from "../../directory/lookups.ts";
import { SlowReaders } from "../../directory/slowReaders.ts";
import { CommandQueue } from "../../server/connection/commandQueue.ts";

/** What one record of TLS may hold. */
const LINE_FEEDS = 16_384;
const CONNECTIONS = 400;

it("an atServer counts them in its budget of lines", () => {
  const queue = new CommandQueue({
    ready: false,
    run: () => undefined,
    failed: () => undefined,
    answered: () => undefined,
  });
  queue.push(Array<string>(LINE_FEEDS).fill(""));
  expect(queue.characters).toBeGreaterThanOrEqual(8 * LINE_FEEDS);
  queue.drop();
  expect(queue.characters).toBe(0);
});

/** A connection whose other side reads nothing. */
function deafSocket(): { socket: TLSSocket; isPaused: () => boolean } {
  let paused = false;
  const emitter = Object.assign(new EventEmitter(), {
    ...{ destroyed: false, writable: true, writableNeedDrain: true },
    ...{ setNoDelay: () => undefined, setKeepAlive: () => undefined, write: () => false },
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
    },
    destroy: () => {
      emitter.destroyed = true;
      emitter.emit("close");
    },
  });
  return { socket: emitter as unknown as TLSSocket, isPaused: () => paused };
}

const contextOf = (): LookupContext => ({
  store: { get: () => undefined } as never,
  log: pino({ level: "silent" }),
  counters: new DirectoryCounters(),
  now: Date.now,
  slowReaders: new SlowReaders(),
  end: () => undefined,
});

it("an atDirectory doesn't cut off more of them than it can answer", () => {
  const context = contextOf();
  const before = process.memoryUsage().heapUsed;
  const deaf = Array.from({ length: CONNECTIONS }, deafSocket);
  const lookups = deaf.map(({ socket }) => new Lookups(socket, "block", context));
  for (const { socket } of deaf) socket.emit("data", Buffer.alloc(LINE_FEEDS, "\n"));
  expect(process.memoryUsage().heapUsed - before).toBeLessThan((CONNECTIONS * LINE_FEEDS * 8) / 2);
  expect(deaf.every(({ isPaused }) => isPaused())).toBe(true);
  expect(lookups).toHaveLength(CONNECTIONS);
});

it("an atDirectory keeps few connections that read nothing, the latest", async () => {
  const context = contextOf();
  const deaf = Array.from({ length: 3 * MAX_SLOW_READERS }, deafSocket);
  const gone = (): boolean[] => deaf.map(({ socket }) => socket.destroyed);
  for (const { socket } of deaf) {
    new Lookups(socket, "block", context);
    socket.emit("data", Buffer.from("\n"));
    await new Promise(setImmediate);
  }
  expect(gone()).toEqual(deaf.map((_, i) => i < 2 * MAX_SLOW_READERS));
  // Who reads makes room.
  for (const { socket } of deaf) socket.emit("drain");
  await new Promise(setImmediate);
  const [next] = [deafSocket()];
  new Lookups(next.socket, "block", context);
  next.socket.emit("data", Buffer.from("\n"));
  await new Promise(setImmediate);
  expect(gone().filter(Boolean)).toHaveLength(2 * MAX_SLOW_READERS);
});
