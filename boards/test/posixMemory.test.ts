// SPDX-License-Identifier: BSD-3-Clause
// The runtime in C with 32 bits and the RP2040's settings: what it takes of RAM; and under valgrind.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makes32Bit } from "../../device/test/replay/machine.ts";
import { buildDevice } from "./posixDevice.ts";
import { PosixWorld } from "./posixWorld.ts";

const isThere = (command: string) => spawnSync(command, ["--version"]).status === 0;

let world: PosixWorld;

beforeAll(async () => {
  world = await PosixWorld.start();
  await world.approveAll();
});

afterAll(() => world.close());

describe.runIf(makes32Bit())("the device in C, 32 bits", () => {
  it("lives within the heaps the RP2040 gives it", async () => {
    const program = buildDevice("narrow");
    const board = JSON.parse(
      readFileSync(fileURLToPath(new URL("../rp2040/board.json", import.meta.url)), "utf8"),
    );
    const flash = await world.flash("narrow");
    const device = world.start(program, [flash, "--speed", "5"]);
    await device.until("reading sent", 3);
    await world.peer.notify(
      "@greenhouse:command.greenhouse@alice",
      JSON.stringify({ id: 1, set: "interval", ms: 500 }),
    );
    await device.until("command obeyed");
    await device.until("reading sent", 6);
    await device.kill();
    const figures = device.lines.filter((line) => line.startsWith("memory: ")).at(-1) ?? "";
    if (process.env.ATMICRO_FIGURES) console.log(figures);
    const found = /^memory: linear (\d+) code \d+ interpreter (\d+) tls (\d+) stack (\d+)$/.exec(
      figures,
    );
    const [linear, interpreter, tls, stack] = (found ?? []).slice(1).map(Number);
    // With wasm3's own header of the memory and the heap's of the block.
    expect(linear).toBeLessThanOrEqual(board.interpreter.memoryLimit + 16);
    expect(interpreter).toBeLessThanOrEqual(board.interpreter.heap);
    expect(tls).toBeLessThanOrEqual(board.tls.heap);
    expect(stack).toBeGreaterThan(0);
  });
});

describe.runIf(isThere("valgrind"))("the device in C, under valgrind", () => {
  it("uses no byte that is not its own or was never written", async () => {
    const program = buildDevice("plain");
    const flash = await world.flash("valgrind");
    const options = ["--error-exitcode=77", "--quiet", "--exit-on-first-error=yes"];
    const device = world.start("valgrind", [...options, program, flash, "--system-stack"]);
    await device.until("reading sent", 2);
    await device.kill();
    expect(device.lines.filter((line) => /^==\d+==/.test(line))).toEqual([]);
  });
});
