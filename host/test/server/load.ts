// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { Random } from "../random.ts";
import type { Line } from "./line.ts";
import { ServerProcess } from "./serverProcess.ts";
import { World } from "./world.ts";

export interface LoadShape {
  /** Connections that watch and read. */
  monitors: number;
  /** Connections that watch and never read. */
  deaf: number;
  /** Connections that stopped within a line. */
  halfLines: number;
  /** TCP connections that never begin the TLS handshake; the server counts no such connection. */
  silent: number;
  /** Connections that write and read records. */
  workers: number;
}

export interface LoadResult {
  notifications: number;
  commands: number;
  /** Resident memory of the server at the end, bytes. */
  rss: number;
}

/** A server with many connections, some of which behave badly. */
class Load {
  private readonly server: ServerProcess;
  private readonly world: World;
  private readonly silent: Socket[] = [];
  private commands = 0;
  private notified = 0;

  constructor(world: World, server: ServerProcess) {
    this.world = world;
    this.server = server;
  }

  async run(shape: LoadShape, random: Random, until: () => boolean): Promise<LoadResult> {
    for (let i = 0; i < shape.silent; i++) await this.openSilent();
    for (let i = 0; i < shape.halfLines; i++) {
      (await this.world.connect(this.server.port)).send("lookup:half");
    }
    for (let i = 0; i < shape.deaf; i++) (await this.watch()).socket.pause();
    const watching: Line[] = [];
    for (let i = 0; i < shape.monitors; i++) watching.push(await this.watch());
    const seen = watching.map((line) => this.readAll(line));
    const workers: Promise<void>[] = [];
    for (let i = 0; i < shape.workers; i++) {
      workers.push(this.work(await this.server.owner(), i, random, until));
    }
    await Promise.all([...workers, this.notify(await this.server.owner(), until)]);
    await Promise.all(seen);
    const late = await this.world.connect(this.server.port);
    expect(await late.ask("noop:0")).toBe("data:ok\n@");
    const status = readFileSync(`/proc/${this.server.pid}/status`, "utf8");
    const rss = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
    for (const socket of this.silent) socket.destroy();
    return { notifications: this.notified, commands: this.commands, rss };
  }

  private async openSilent(): Promise<void> {
    const socket = connect(this.server.port, "127.0.0.1");
    await once(socket, "connect");
    socket.on("error", () => socket.destroy());
    this.silent.push(socket);
  }

  private async watch(): Promise<Line> {
    const line = await this.server.owner();
    line.send("monitor:strict:selfNotifications load@\nnoop:0\n");
    expect(await line.reply()).toBe("data:ok\n@alice@");
    return line;
  }

  /** Every notification arrives, once, in order; the last one says so. */
  private async readAll(line: Line): Promise<void> {
    for (let i = 0; ; i++) {
      const text = await line.line();
      const { id, value } = JSON.parse(text.slice("notification: ".length));
      expect(id).toBe(`n-${i}`);
      if (value === "last") return;
    }
  }

  private async notify(line: Line, until: () => boolean): Promise<void> {
    for (let last = false; !last; this.notified++) {
      last = until();
      const id = `n-${this.notified}`;
      const value = last ? "last" : "v".repeat(200);
      const reply = await line.ask(`notify:id:${id}:@alice:x.load@alice:${value}`);
      expect(reply).toBe(`data:${id}\n@alice@`);
    }
  }

  private async work(line: Line, n: number, random: Random, until: () => boolean): Promise<void> {
    let value = "";
    while (!until()) {
      this.commands += 1;
      const key = `w${n}.load@alice`;
      if (value === "" || random.below(2) === 0) {
        value = "v".repeat(random.below(1_000) + 1);
        expect(await line.ask(`update:${key} ${value}`)).toMatch(/^data:\d+\n@alice@$/);
      } else {
        expect(await line.ask(`llookup:${key}`)).toBe(`data:${value}\n@alice@`);
      }
    }
    line.close();
  }
}

/** Loads a server process until `until`; fails when anybody who behaves is not served. */
export async function load(
  shape: LoadShape,
  seed: number,
  until: () => boolean,
): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-load-"));
  const world = await World.create();
  const server = new ServerProcess(world, "@alice", join(folder, "alice"));
  try {
    await server.start();
    await server.activate();
    return await new Load(world, server).run(shape, new Random(seed), until);
  } finally {
    server.kill();
    await server.exit();
    await world.close();
    rmSync(folder, { recursive: true });
  }
}
