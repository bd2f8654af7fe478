// SPDX-License-Identifier: BSD-3-Clause
// The runtime in C, as a process, against real servers.
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildDevice } from "./posixDevice.ts";
import { PosixWorld, type Reading } from "./posixWorld.ts";

let program = "";
let world: PosixWorld;

beforeAll(() => {
  program = buildDevice("sanitized");
}, 300_000);

beforeEach(async () => {
  world = await PosixWorld.start();
});

afterEach(() => world.close());

describe("the device in C, with sanitizers", () => {
  it("enrols, sends readings the peer decrypts, obeys, and goes on after kill -9", async () => {
    const readings: Reading[] = [];
    await world.readings((reading) => readings.push(reading));
    await world.approveAll();
    const flash = await world.flash("one");
    const first = world.start(program, [flash, "--speed", "10", "--system-stack"]);
    await first.until("not enrolled yet");
    await first.until("state: waiting for approval");
    await first.until("reading sent", 3);
    const key = "@greenhouse:command.greenhouse@alice";
    await world.peer.notify(key, JSON.stringify({ id: 7, set: "interval", ms: 400 }));
    await first.until("command obeyed");
    await first.until("reading sent", 5);
    await first.kill();
    expect(readings.map(({ n }) => n).slice(0, 3)).toEqual([1, 2, 3]);
    const { value } = await world.peer.get("latest.greenhouse@greenhouse");
    expect(JSON.parse(String(value)).n).toBeGreaterThanOrEqual(3);

    const second = world.start(program, [flash, "--system-stack"]);
    await second.until("reading sent");
    expect(second.lines).toContain("enrolled");
    expect(second.count("state: enrolling")).toBe(0);
  });
});
