// SPDX-License-Identifier: BSD-3-Clause
// Lists of everything that is kept: made as they are read, so that they take no more memory than a part of them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLmdbStore } from "../../store/lmdb.ts";
import type { Notification } from "../../wire/notification.ts";
import type { Line } from "../server/line.ts";
import { ServerProcess } from "../server/serverProcess.ts";
import { World } from "../server/world.ts";
import { memoryOf } from "./residentMemory.ts";

const NOTIFICATIONS = 20_000;
const VALUE_BYTES = 10_000;
const KEYS = 50_000;
const MANY = 2_000;
/** What an answer may take, bytes. */
const MAX_GROWTH = 64 * 1_048_576;
const LIFE = 86_400_000;
/** Of what a monitor missed so much is looked at. */
const ENOUGH_BYTES = 100_000_000;

function notification(index: number): Notification {
  const createdAt = Date.now() - NOTIFICATIONS + index;
  return {
    ...{ id: `id-${index}`, from: "@bob", to: "@long", key: `@long:k${index}.demo@bob` },
    ...{ type: "received", operation: "update", messageType: "key", priority: "low" },
    ...{ status: "delivered", retryCount: 1, strategy: "all", notifier: "SYSTEM", depth: 1 },
    ...{ createdAt, expiresAt: createdAt + LIFE, ttl: LIFE, isEncrypted: true },
    ...{ value: String(index).padStart(VALUE_BYTES, "v") },
  };
}

/** Reads an answer without keeping it; gives its length in bytes. `meanwhile` is called for every piece. */
function swallow(line: Line, command: string, meanwhile: () => void): Promise<number> {
  const { socket } = line;
  socket.removeAllListeners("data");
  socket.setEncoding("latin1");
  let length = 0;
  let tail = "";
  return new Promise((resolve, reject) => {
    socket.on("data", (piece: string) => {
      length += piece.length;
      tail = (tail + piece).slice(-"\n@long@".length);
      meanwhile();
      if (tail === "\n@long@") resolve(length);
    });
    socket.on("close", () => reject(new Error("closed")));
    socket.write(`${command}\n`);
  });
}

describe("an atServer that keeps much", () => {
  let world: World;
  let folder: string;
  let server: ServerProcess;
  beforeAll(async () => {
    world = await World.create();
    folder = mkdtempSync(join(tmpdir(), "atmicro-long-"));
    server = new ServerProcess(world, "@long", folder);
    await server.start();
    await server.activate();
    server.stop();
    await server.exit();
    const store = await openLmdbStore(server.store);
    for (let from = 0; from < NOTIFICATIONS; from += MANY) {
      await store.write((writer) => {
        for (let i = from; i < from + MANY; i++) writer.putNotification(notification(i));
      });
    }
    await store.write((writer) => {
      for (let i = 0; i < KEYS; i++) {
        writer.put(`${"k".repeat(200)}${i}.demo@long`, { value: "x", metadata: {} });
      }
    });
    await store.close();
    await server.start();
  });
  afterAll(async () => {
    server.stop();
    await server.exit();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ["notify:list", NOTIFICATIONS * VALUE_BYTES],
    ["scan", KEYS * 200],
    ["scan k", KEYS * 200],
    ["stats:11", 1],
  ])("answers %s within 64 MB", async (command, least) => {
    const pid = server.pid ?? 0;
    const line = await server.owner();
    const before = memoryOf(pid);
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, memoryOf(pid));
    }, 10);
    const length = await swallow(line, command, () => {
      most = Math.max(most, memoryOf(pid));
    });
    clearInterval(watch);
    line.close();
    expect(length).toBeGreaterThan(least);
    expect(most - before).toBeLessThan(MAX_GROWTH);
  });

  it("doesn't hold an answer that isn't read", async () => {
    const pid = server.pid ?? 0;
    const lines = await Promise.all(Array.from({ length: 5 }, () => server.owner()));
    const before = memoryOf(pid);
    for (const line of lines) {
      line.socket.pause();
      line.send("notify:list\n");
    }
    const other = await server.owner();
    let most = 0;
    for (let i = 0; i < 200; i++) {
      expect(await other.ask("noop:1")).toBe("data:ok\n@long@");
      most = Math.max(most, memoryOf(pid));
    }
    expect(most - before).toBeLessThan(MAX_GROWTH);
    for (const line of lines) line.close();
  });

  it("shows a monitor what it missed within 64 MB", async () => {
    const pid = server.pid ?? 0;
    const line = await server.owner();
    const before = memoryOf(pid);
    line.socket.removeAllListeners("data");
    let length = 0;
    let most = 0;
    await new Promise<void>((resolve) => {
      line.socket.on("data", (piece: string) => {
        length += piece.length;
        most = Math.max(most, memoryOf(pid));
        if (length > ENOUGH_BYTES) resolve();
      });
      line.send("monitor:0\n");
    });
    line.close();
    expect(most - before).toBeLessThan(MAX_GROWTH);
  });
});
