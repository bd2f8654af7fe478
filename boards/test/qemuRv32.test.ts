// SPDX-License-Identifier: BSD-3-Clause
// The same runtime compiled for RV32IMC, bare in QEMU, against real servers.
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { QemuBoard } from "../qemu-rv32/qemuBoard.ts";
import { PosixWorld, type Reading } from "./posixWorld.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const isThere = spawnSync("qemu-system-riscv32", ["--version"]).status === 0;

let world: PosixWorld;

/** Collects the log; `until` resolves when a line has come since it was last asked. */
class Log {
  readonly lines: string[] = [];
  #wake: () => void = () => {};

  readonly add = (line: string): void => {
    this.lines.push(line.slice(2));
    this.#wake();
  };

  async until(text: string, since = 0): Promise<void> {
    while (!this.lines.slice(since).includes(text)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

beforeAll(() => {
  if (isThere) execFileSync(process.execPath, [path("boards/build.mjs"), "qemu-rv32"]);
}, 300_000);

beforeEach(async () => {
  world = await PosixWorld.start();
});

afterEach(() => world.close());

describe.skipIf(!isThere)("the device on RV32IMC", () => {
  it("enrols over TLS, sends readings, obeys, and is still enrolled after power was cut", async () => {
    const readings: Reading[] = [];
    await world.readings((reading) => readings.push(reading));
    await world.approveAll();
    const flash = await world.flash("rv32");
    const log = new Log();
    const options = { elf: path("build/qemu-rv32/atmicro.elf"), flash, onLine: log.add };
    const first = new QemuBoard(options);
    await log.until("state: ready");
    const key = "@greenhouse:command.greenhouse@alice";
    await world.peer.notify(key, JSON.stringify({ id: 7, set: "interval", ms: 400 }));
    await log.until("command obeyed");
    await log.until("reading sent", log.lines.length);
    first.close();
    const received = readings.length;
    expect(received).toBeGreaterThan(0);

    const before = log.lines.length;
    const second = new QemuBoard(options);
    await log.until("reading sent", before);
    second.close();
    expect(log.lines.slice(before)).toContain("enrolled");
    expect(log.lines.slice(before)).not.toContain("state: enrolling");
    expect(log.lines.filter((line) => line.startsWith("the core trapped"))).toEqual([]);
  }, 300_000);
});
