// SPDX-License-Identifier: BSD-3-Clause
import { execFileSync, spawnSync } from "node:child_process";
import { constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OWN } from "../../../device/compilerFlags.mjs";
import { ServerProcess } from "./serverProcess.ts";
import { World } from "./world.ts";

const WRITERS = 20;
const MOST_FLUSHES = 2;
const CC = process.env.CC ?? "cc";
const hasCompiler =
  process.platform === "linux" && spawnSync(CC, ["--version"], { stdio: "ignore" }).status === 0;
if (!hasCompiler) console.log("no C compiler: the test of flushes is left out");

/** The two ends of the gate: what flushes tell, and what lets them go on. */
class Gate {
  readonly folder: string;
  private readonly begun: Socket;
  private readonly go: number;
  private waiting: () => void = () => undefined;
  private flushes = 0;

  constructor(folder: string) {
    this.folder = folder;
    for (const name of ["begun", "go"]) execFileSync("mkfifo", [join(folder, name)]);
    const flags = constants.O_RDWR | constants.O_NONBLOCK;
    this.begun = new Socket({ fd: openSync(join(folder, "begun"), flags) });
    this.go = openSync(join(folder, "go"), flags);
    this.begun.on("data", (bytes) => {
      this.flushes += bytes.length;
      this.waiting();
    });
  }

  arm(): void {
    writeFileSync(join(this.folder, "armed"), "");
  }

  /** Resolves when a flush has begun; it goes no further before `open`. */
  async closedOn(): Promise<void> {
    while (this.flushes === 0) {
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
    this.flushes -= 1;
  }

  /** Lets the flush that has begun go on. */
  open(): void {
    writeSync(this.go, "g");
  }

  close(): void {
    rmSync(join(this.folder, "armed"), { force: true });
    this.begun.destroy();
  }
}

describe.skipIf(!hasCompiler)("writes of an atServer", () => {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-flush-"));
  const library = join(folder, "flushGate.so");
  let world: World;
  let gate: Gate;
  let server: ServerProcess;
  beforeAll(async () => {
    const source = fileURLToPath(new URL("./flushGate.c", import.meta.url));
    execFileSync(CC, [...OWN, "-shared", "-fPIC", "-o", library, source, "-ldl"]);
    gate = new Gate(folder);
    world = await World.create();
    const env = { LD_PRELOAD: library, FLUSH_GATE: folder };
    server = new ServerProcess(world, "@alice", join(folder, "alice"), env);
    await server.start();
    await server.activate();
  });
  afterAll(async () => {
    server.kill();
    await server.exit();
    gate.close();
    await world.close();
    rmSync(folder, { recursive: true });
  });

  it("are answered when they are on disk, and those that wait share a flush", async () => {
    const first = await server.owner();
    const reader = await server.owner();
    const writers = await Promise.all(Array.from({ length: WRITERS }, () => server.owner()));
    // Behind this, nothing of the logins waits for the disk.
    expect(await reader.ask("update:earlier.demo@alice 1")).toMatch(/^data:/);
    gate.arm();
    first.send("update:first.demo@alice 1\n");
    await gate.closedOn();
    // The server goes on working while the disk does.
    expect(await reader.ask("noop:0")).toBe("data:ok\n@alice@");
    const begun = writers.map((line, i) => line.ask(`noop:0\nupdate:w${i}.demo@alice ${i}`));
    for (const reply of await Promise.all(begun)) expect(reply).toBe("data:ok\n@alice@");
    expect(await reader.ask("noop:0")).toBe("data:ok\n@alice@");
    expect(first.rest).toBe("");
    gate.open();
    expect(await first.reply()).toMatch(/^data:\d+\n@alice@$/);
    await gate.closedOn();
    expect(await reader.ask("noop:0")).toBe("data:ok\n@alice@");
    expect(writers.map(({ rest }) => rest).join("")).toBe("");
    const answered = Promise.all(writers.map((line) => line.reply()));
    let flushes = 0;
    for (let more = true; more; ) {
      flushes += 1;
      gate.open();
      const next = gate.closedOn().then(() => true);
      more = await Promise.race([next, answered.then(() => false)]);
    }
    // LMDB may have begun a batch before all of them were there.
    expect(flushes).toBeLessThanOrEqual(MOST_FLUSHES);
    const replies = await answered;
    expect(new Set(replies).size).toBe(WRITERS);
    for (const reply of replies) expect(reply).toMatch(/^data:\d+\n@alice@$/);
    expect(await reader.ask("llookup:w7.demo@alice")).toBe("data:7\n@alice@");
  });
});
